/**
 * What each term of a model is called and what it is for. Written out, so that each text is found as used.
 */
import type { ModelTermKey } from "../../../../domain/ModelTermList.ts"
import { IMAGE_TOKENS_MAX_DEFAULT } from "../../../../domain/ModelTerms.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import type { TermLabel } from "../terms/TermForm.ts"

export const modelLabels = (context: PageContext): Readonly<Record<ModelTermKey, TermLabel>> => {
  const say = sayOf(context, "modelTerm")
  const { count } = context.formats
  return {
    context_tokens: { label: say("context"), hint: say("context.hint"), unset: say("unknown") },
    max_output_tokens: { label: say("output"), hint: say("output.hint") },
    default_output_tokens: { label: say("default"), hint: say("default.hint"), unset: say("default.unset") },
    input_overhead_tokens: { label: say("overhead"), hint: say("overhead.hint") },
    image_tokens_max: {
      label: say("image"),
      hint: say("image.hint", { count: count(IMAGE_TOKENS_MAX_DEFAULT) }),
      unset: count(IMAGE_TOKENS_MAX_DEFAULT)
    },
    tokenizer_margin: { label: say("margin"), hint: say("margin.hint") },
    output_tokens_per_second: { label: say("speed"), hint: say("speed.hint") },
    reasoning: { label: say("reasoning"), hint: say("reasoning.hint") },
    hosted_tools: {
      label: say("hosted"),
      hint: say("hosted.hint"),
      options: { drop: say("hosted.drop"), refuse: say("hosted.refuse"), price: say("hosted.price") }
    },
    tool_calls_max: { label: say("calls"), hint: say("calls.hint") }
  }
}
