/**
 * The pages of the administration: for root alone, and for everybody else not there.
 */
import { Layer } from "effect"
import { AdminModelsRoutes } from "./models/AdminModelsRoutes.ts"
import { ImportRoutes } from "./models/ImportRoutes.ts"
import { AdminPlansRoutes } from "./plans/AdminPlansRoutes.ts"
import { OverviewRoutes } from "./overview/OverviewRoutes.ts"

export const AdminRoutes = Layer.mergeAll(AdminModelsRoutes, AdminPlansRoutes, ImportRoutes, OverviewRoutes)
