/**
 * The web console: every page that people see, and the files that the pages need.
 */
import { Layer } from "effect"
import { AdminRoutes } from "./admin/AdminRoutes.ts"
import { AssetRoutes } from "./Assets.ts"
import { notFoundRoute } from "./ConsoleRoute.ts"
import { AccountRoutes } from "./pages/account/AccountRoutes.ts"
import { DashboardRoutes } from "./pages/dashboard/DashboardRoutes.ts"
import { KeysRoutes } from "./pages/keys/KeysRoutes.ts"
import { LoginRoutes } from "./pages/login/LoginRoutes.ts"
import { SetupRoutes } from "./pages/login/SetupRoutes.ts"
import { LookRoutes } from "./pages/look/LookRoutes.ts"
import { ModelsRoutes } from "./pages/models/ModelsRoutes.ts"
import { OrdersRoutes } from "./pages/orders/OrdersRoutes.ts"
import { PayRoutes } from "./pages/pay/PayRoutes.ts"
import { ResetRoutes } from "./pages/reset/ResetRoutes.ts"
import { SubscriptionRoutes } from "./pages/subscription/SubscriptionRoutes.ts"
import { TopupRoutes } from "./pages/topup/TopupRoutes.ts"
import { UsageRoutes } from "./pages/usage/UsageRoutes.ts"

export const ConsoleRoutes = Layer.mergeAll(
  AccountRoutes,
  AdminRoutes,
  AssetRoutes,
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
