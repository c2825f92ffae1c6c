/**
 * The web console: every page that people see, and the files that the pages need.
 */
import { Layer } from "effect"
import { AssetRoutes } from "./Assets.ts"
import { notFoundRoute } from "./ConsoleRoute.ts"
import { LookRoutes } from "./pages/look/LookRoutes.ts"
import { ModelsRoutes } from "./pages/models/ModelsRoutes.ts"

export const ConsoleRoutes = Layer.mergeAll(AssetRoutes, LookRoutes, ModelsRoutes, notFoundRoute)
