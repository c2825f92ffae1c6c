/**
 * The pages of the administration: for root alone, and for everybody else not there.
 */
import { Layer } from "effect"
import { AdminKeysRoutes } from "./keys/AdminKeysRoutes.ts"
import { CodesRoutes } from "./codes/CodesRoutes.ts"
import { OverviewRoutes } from "./overview/OverviewRoutes.ts"
import { SettingsRoutes } from "./settings/SettingsRoutes.ts"
import { AllUsageRoutes } from "./usage/AllUsageRoutes.ts"

export const AdminRoutes = Layer.mergeAll(AdminKeysRoutes, AllUsageRoutes, CodesRoutes, OverviewRoutes, SettingsRoutes)
