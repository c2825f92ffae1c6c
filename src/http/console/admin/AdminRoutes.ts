/**
 * The pages of the administration: for root alone, and for everybody else not there.
 */
import { Layer } from "effect"
import { AdminKeysRoutes } from "./keys/AdminKeysRoutes.ts"
import { AdminModelsRoutes } from "./models/AdminModelsRoutes.ts"
import { ImportRoutes } from "./models/ImportRoutes.ts"
import { AdminPlansRoutes } from "./plans/AdminPlansRoutes.ts"
import { OverviewRoutes } from "./overview/OverviewRoutes.ts"
import { SettingsRoutes } from "./settings/SettingsRoutes.ts"
import { AllUsageRoutes } from "./usage/AllUsageRoutes.ts"

export const AdminRoutes = Layer.mergeAll(
  AdminKeysRoutes,
  AdminModelsRoutes,
  AdminPlansRoutes,
  AllUsageRoutes,
  ImportRoutes,
  OverviewRoutes,
  SettingsRoutes
)
