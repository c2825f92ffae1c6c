/**
 * The pages of the administration: for root alone, and for everybody else not there.
 */
import { Layer } from "effect"
import { OverviewRoutes } from "./overview/OverviewRoutes.ts"
import { AllUsageRoutes } from "./usage/AllUsageRoutes.ts"

export const AdminRoutes = Layer.mergeAll(
  AllUsageRoutes,
  OverviewRoutes
)
