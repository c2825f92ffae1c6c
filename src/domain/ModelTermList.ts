/**
 * The terms of a model besides its prices, under the names that config.yaml, the database, the API and the forms give them.
 * The order is the order in which they are shown.
 */
import { OUTPUT_TOKENS_PER_SECOND_MAX, TOKENIZER_MARGIN_MAX, TOKENS_MAX, TOOL_CALLS_MAX } from "./Bounds.ts"
import { hostedToolPolicies, type ModelTerms } from "./ModelTerms.ts"
import { MICROS_PER_USD } from "./Money.ts"
import { termMakers } from "./Term.ts"

const { choice, decimal, flag, integer, optional } = termMakers<Omit<ModelTerms, "price">>()

/** The decimal 1, scaled by 10^6. */
const ONE = MICROS_PER_USD

export const modelTermList = {
  context_tokens: optional(
    { min: 1, max: TOKENS_MAX },
    (terms) => terms.contextTokens,
    (contextTokens) => ({ contextTokens })
  ),
  max_output_tokens: integer(
    { min: 1, max: TOKENS_MAX },
    (terms) => terms.maxOutputTokens,
    (maxOutputTokens) => ({ maxOutputTokens })
  ),
  default_output_tokens: optional(
    { min: 1, max: TOKENS_MAX },
    (terms) => terms.defaultOutputTokens,
    (defaultOutputTokens) => ({ defaultOutputTokens })
  ),
  input_overhead_tokens: integer(
    { min: 0, max: TOKENS_MAX },
    (terms) => terms.inputOverheadTokens,
    (inputOverheadTokens) => ({ inputOverheadTokens })
  ),
  image_tokens_max: optional(
    { min: 1, max: TOKENS_MAX },
    (terms) => terms.imageTokensMax,
    (imageTokensMax) => ({ imageTokensMax })
  ),
  tokenizer_margin: decimal(
    { min: ONE, max: TOKENIZER_MARGIN_MAX * ONE },
    (terms) => terms.tokenizerMarginMicros,
    (tokenizerMarginMicros) => ({ tokenizerMarginMicros })
  ),
  output_tokens_per_second: integer(
    { min: 1, max: OUTPUT_TOKENS_PER_SECOND_MAX },
    (terms) => terms.outputTokensPerSecond,
    (outputTokensPerSecond) => ({ outputTokensPerSecond })
  ),
  reasoning: flag((terms) => terms.reasoning, (reasoning) => ({ reasoning })),
  hosted_tools: choice(hostedToolPolicies, (terms) => terms.hostedTools, (hostedTools) => ({ hostedTools })),
  tool_calls_max: integer(
    { min: 1, max: TOOL_CALLS_MAX },
    (terms) => terms.toolCallsMax,
    (toolCallsMax) => ({ toolCallsMax })
  )
}

export type ModelTermKey = keyof typeof modelTermList
