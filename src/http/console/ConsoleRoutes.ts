/**
 * The web console: every page that people see, and the files that the pages need.
 */
import { Layer } from "effect"
import { AdminRoutes } from "./admin/AdminRoutes.ts"
import { AssetRoutes } from "./Assets.ts"
import { notFoundRoute, routes } from "./ConsoleRoute.ts"
import { AccountRoutes } from "./user/Account.tsx"
import { DashboardRoutes } from "./user/Dashboard.tsx"
import { KeysRoutes } from "./user/Keys.tsx"
import { LedgerRoutes } from "./user/Ledger.tsx"
import { LoginRoutes } from "./user/Login.tsx"
import { ModelsRoutes } from "./user/Models.tsx"
import { OrdersRoutes } from "./user/Orders.tsx"
import { PayRoutes } from "./user/Pay.tsx"
import { SubscriptionRoutes } from "./user/Subscription.tsx"
import { TopupRoutes } from "./user/Topup.tsx"
import { UsageRoutes } from "./user/Usage.tsx"

/** Every page and form of the console. */
export const consoleRoutes = routes(
  AccountRoutes,
  AdminRoutes,
  DashboardRoutes,
  KeysRoutes,
  LedgerRoutes,
  LoginRoutes,
  ModelsRoutes,
  OrdersRoutes,
  PayRoutes,
  SubscriptionRoutes,
  TopupRoutes,
  UsageRoutes,
  notFoundRoute
)

export const ConsoleRoutes = Layer.mergeAll(AssetRoutes, ...consoleRoutes.map(({ layer }) => layer))
