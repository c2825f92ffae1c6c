/**
 * The pages of the administration: for root alone, and for everybody else not there.
 */
import { AuditRoutes } from "./audit/AuditRoutes.ts"
import { ChannelsRoutes } from "./channels/ChannelsRoutes.ts"
import { AdminKeysRoutes } from "./keys/AdminKeysRoutes.ts"
import { OverviewRoutes } from "./overview/OverviewRoutes.ts"
import { SettingsRoutes } from "./settings/SettingsRoutes.ts"
import { AllUsageRoutes } from "./usage/AllUsageRoutes.ts"
import { UserRoutes } from "./users/UserRoutes.ts"
import { UsersRoutes } from "./users/UsersRoutes.ts"
import { Layer } from "effect"

export const AdminRoutes = Layer.mergeAll(
  AdminKeysRoutes,
  AllUsageRoutes,
  AuditRoutes,
  ChannelsRoutes,
  OverviewRoutes,
  SettingsRoutes,
  UserRoutes,
  UsersRoutes
)
