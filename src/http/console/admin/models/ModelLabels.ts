/**
 * What each term of a model is called and what it is for. Written out, so that each text is found as used.
 */
import { IMAGE_TOKENS_MAX_DEFAULT, type ModelTermName } from "../../../../domain/ModelTerms.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TermLabel } from "../terms/TermForm.ts"

export const modelLabels = (context: PageContext): Readonly<Record<ModelTermName, TermLabel>> => {
  const say = sayOf(context, "modelTerm")
  const { count } = context.formats
  return {
    contextTokens: { label: say("context"), hint: say("context.hint"), unset: say("unknown") },
    maxOutputTokens: { label: say("output"), hint: say("output.hint") },
    defaultOutputTokens: { label: say("default"), hint: say("default.hint"), unset: say("default.unset") },
    inputOverheadTokens: { label: say("overhead"), hint: say("overhead.hint") },
    imageTokensMax: {
      label: say("image"),
      hint: say("image.hint", { count: count(IMAGE_TOKENS_MAX_DEFAULT) }),
      unset: count(IMAGE_TOKENS_MAX_DEFAULT)
    },
    tokenizerMarginMicros: { label: say("margin"), hint: say("margin.hint") },
    outputTokensPerSecond: { label: say("speed"), hint: say("speed.hint") },
    reasoning: { label: say("reasoning"), hint: say("reasoning.hint") },
    hostedTools: {
      label: say("hosted"),
      hint: say("hosted.hint"),
      options: { drop: say("hosted.drop"), refuse: say("hosted.refuse"), price: say("hosted.price") }
    },
    toolCallsMax: { label: say("calls"), hint: say("calls.hint") }
  }
}
