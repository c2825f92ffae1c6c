/**
 * The pages of the administration: for root alone, and for everybody else not there.
 */
import { Layer } from "effect"
import { AuditRoutes } from "./audit/AuditRoutes.ts"
import { OverviewRoutes } from "./overview/OverviewRoutes.ts"
import { UserRoutes } from "./users/UserRoutes.ts"
import { UsersRoutes } from "./users/UsersRoutes.ts"

export const AdminRoutes = Layer.mergeAll(AuditRoutes, OverviewRoutes, UserRoutes, UsersRoutes)
