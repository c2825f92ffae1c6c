/**
 * `/models`: the price list, for anybody, signed in or not. It has what some channel serves.
 */
import { Effect } from "effect"
import { Settings } from "../../../../settings/Settings.ts"
import { servedModels } from "../../../ServedModels.ts"
import { page } from "../../Answer.ts"
import { visitorPage } from "../../ConsoleRoute.ts"
import { sayOf } from "../../Visit.ts"
import { modelsText } from "./ModelsText.ts"
import { ModelsView } from "./ModelsView.tsx"

export const ModelsRoutes = visitorPage("/models", (visit) =>
  Effect.gen(function*() {
    const models = yield* servedModels
    const { multiplierMicros } = (yield* Settings).current().billing
    return page(sayOf(visit, modelsText)("title"), ModelsView({ visit, models, multiplierMicros }))
  }))
