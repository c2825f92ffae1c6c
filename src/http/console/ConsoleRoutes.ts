/**
 * The web console: every page that people see, and the files that the pages need.
 */
import { Layer } from "effect"
import { AssetRoutes } from "./Assets.ts"
import { notFoundRoute } from "./ConsoleRoute.ts"
import { DashboardRoutes } from "./pages/dashboard/DashboardRoutes.ts"
import { LookRoutes } from "./pages/look/LookRoutes.ts"
import { ModelsRoutes } from "./pages/models/ModelsRoutes.ts"
import { OrdersRoutes } from "./pages/orders/OrdersRoutes.ts"
import { PayRoutes } from "./pages/pay/PayRoutes.ts"
import { SubscriptionRoutes } from "./pages/subscription/SubscriptionRoutes.ts"
import { TopupRoutes } from "./pages/topup/TopupRoutes.ts"
import { UsageRoutes } from "./pages/usage/UsageRoutes.ts"

export const ConsoleRoutes = Layer.mergeAll(
  AssetRoutes,
  DashboardRoutes,
  LookRoutes,
  ModelsRoutes,
  OrdersRoutes,
  PayRoutes,
  SubscriptionRoutes,
  TopupRoutes,
  UsageRoutes,
  notFoundRoute
)
