/**
 * The pages of the administration. `AdminPolicy` says who may use which; for everybody else they are not there.
 */
import { routes } from "../ConsoleRoute.ts"
import { AuditRoutes } from "./audit/Audit.tsx"
import { ChannelsRoutes } from "./channels/ChannelsRoutes.ts"
import { CodesRoutes } from "./codes/CodesRoutes.ts"
import { ConfirmationsRoutes } from "./confirmations/Confirmations.tsx"
import { AdminKeysRoutes } from "./keys/AdminKeysRoutes.ts"
import { AdminModelsRoutes } from "./models/AdminModelsRoutes.ts"
import { ImportRoutes } from "./models/ImportRoutes.ts"
import { AdminOrdersRoutes } from "./orders/AdminOrders.tsx"
import { OverviewRoutes } from "./overview/Overview.tsx"
import { PaymentsRoutes } from "./payments/Payments.tsx"
import { AdminPlansRoutes } from "./plans/AdminPlansRoutes.ts"
import { SettingsRoutes } from "./settings/Settings.tsx"
import { AllUsageRoutes } from "./usage/AllUsage.tsx"
import { UserRoutes } from "./users/User.tsx"
import { UsersRoutes } from "./users/Users.tsx"

export const AdminRoutes = routes(
  AdminKeysRoutes,
  AdminModelsRoutes,
  AdminOrdersRoutes,
  AdminPlansRoutes,
  AllUsageRoutes,
  AuditRoutes,
  ChannelsRoutes,
  CodesRoutes,
  ConfirmationsRoutes,
  ImportRoutes,
  OverviewRoutes,
  PaymentsRoutes,
  SettingsRoutes,
  UserRoutes,
  UsersRoutes
)
