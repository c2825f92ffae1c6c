/**
 * `/models`: the price list, for anybody, signed in or not. It has what some channel serves.
 */
import { Effect } from "effect"
import { Settings } from "../../../../settings/Settings.ts"
import { servedModels } from "../../../ServedModels.ts"
import { page } from "../../Answer.ts"
import { visitorPage } from "../../ConsoleRoute.ts"
import { sayOf } from "../../PageContext.ts"
import { ModelsView } from "./ModelsView.tsx"

export const ModelsRoutes = visitorPage("/models", (context) =>
  Effect.gen(function*() {
    const models = yield* servedModels
    const { multiplierMicros } = (yield* Settings).current().billing
    return page(sayOf(context, "models")("title"), ModelsView({ context, models, multiplierMicros }))
  }))
