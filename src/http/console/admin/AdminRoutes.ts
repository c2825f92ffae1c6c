/**
 * The pages of the administration: for root alone, and for everybody else not there.
 */
import { Layer } from "effect"
import { AuditRoutes } from "./audit/AuditRoutes.ts"
import { AdminKeysRoutes } from "./keys/AdminKeysRoutes.ts"
import { OverviewRoutes } from "./overview/OverviewRoutes.ts"
import { SettingsRoutes } from "./settings/SettingsRoutes.ts"
import { UserRoutes } from "./users/UserRoutes.ts"
import { UsersRoutes } from "./users/UsersRoutes.ts"

export const AdminRoutes = Layer.mergeAll(
  AdminKeysRoutes,
  AuditRoutes,
  OverviewRoutes,
  SettingsRoutes,
  UserRoutes,
  UsersRoutes
)
