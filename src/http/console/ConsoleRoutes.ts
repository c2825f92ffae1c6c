/**
 * The web console: every page that people see, and the files that the pages need.
 */
import { Layer } from "effect"
import { AdminRoutes } from "./admin/AdminRoutes.ts"
import { AssetRoutes } from "./Assets.ts"
import { notFoundRoute, routes } from "./ConsoleRoute.ts"
import { AccountRoutes } from "./user/account/AccountRoutes.ts"
import { DashboardRoutes } from "./user/dashboard/DashboardRoutes.ts"
import { KeysRoutes } from "./user/keys/KeysRoutes.ts"
import { LoginRoutes } from "./user/login/LoginRoutes.ts"
import { SetupRoutes } from "./user/login/SetupRoutes.ts"
import { LookRoutes } from "./user/look/LookRoutes.ts"
import { ModelsRoutes } from "./user/models/ModelsRoutes.ts"
import { OrdersRoutes } from "./user/orders/OrdersRoutes.ts"
import { PayRoutes } from "./user/pay/PayRoutes.ts"
import { ResetRoutes } from "./user/reset/ResetRoutes.ts"
import { SubscriptionRoutes } from "./user/subscription/SubscriptionRoutes.ts"
import { TopupRoutes } from "./user/topup/TopupRoutes.ts"
import { UsageRoutes } from "./user/usage/UsageRoutes.ts"

/** Every page and form of the console. */
export const consoleRoutes = routes(
  AccountRoutes,
  AdminRoutes,
  DashboardRoutes,
  KeysRoutes,
  LoginRoutes,
  LookRoutes,
  ModelsRoutes,
  OrdersRoutes,
  PayRoutes,
  ResetRoutes,
  SetupRoutes,
  SubscriptionRoutes,
  TopupRoutes,
  UsageRoutes,
  notFoundRoute
)

export const ConsoleRoutes = Layer.mergeAll(AssetRoutes, ...consoleRoutes.map(({ layer }) => layer))
