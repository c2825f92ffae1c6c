/**
 * What is known of a model besides its id: what it is, prices, lengths, and the bounds that holds are computed from. Each term but
 * the prices is described here once, in the order in which it is shown; rows, the API, config.yaml, forms and the audit log follow.
 */
import { TOKENS_MAX } from "./Bounds.ts"
import { choice, choices, flag, integer, integerOrNull, optionalText, ratio } from "./Fields.ts"
import { defaultsOf, model, type ValueOf } from "./Model.ts"
import { MULTIPLIER_ONE, type PriceSnapshot } from "./Price.ts"

/** What happens to tools that the upstream would run itself: taken out, refused with 400, or priced and forwarded. */
const hostedToolPolicies = ["drop", "refuse", "price"] as const
export type HostedToolPolicy = typeof hostedToolPolicies[number]

/** What a model can do that callers choose it for. It is said to people, and changes no call. */
export const capabilities = ["tools", "structured_output", "vision", "files", "embeddings"] as const
export type Capability = typeof capabilities[number]

/** The most tokens of one image where the model does not say. */
export const IMAGE_TOKENS_MAX_DEFAULT = 16_384

/** The margin 1.5, scaled by 10^6. */
export const TOKENIZER_MARGIN_DEFAULT = 1_500_000

export const modelTerms = model({
  /** Who made it, such as OpenAI; empty: nobody has said it. */
  vendor: optionalText({ charactersMax: 60 }),
  description: optionalText({ charactersMax: 500, lines: 3 }),
  capabilities: choices(capabilities, { otherwise: [] }),
  /** Input and output together, in tokens; null: unknown, so it caps nothing. */
  contextTokens: integerOrNull({ min: 1, max: TOKENS_MAX }),
  maxOutputTokens: integer({ min: 1, max: TOKENS_MAX, otherwise: 16_384 }),
  /** Held for a call that names no limit; null: `billing.default_max_output_tokens`. */
  defaultOutputTokens: integerOrNull({ min: 1, max: TOKENS_MAX }),
  /** Tokens that the upstream may add to every call, such as a prompt of its own. */
  inputOverheadTokens: integer({ min: 0, max: TOKENS_MAX, otherwise: 1_024 }),
  /** The most tokens of one image; null: `IMAGE_TOKENS_MAX_DEFAULT`. */
  imageTokensMax: integerOrNull({ min: 1, max: TOKENS_MAX }),
  /** What a count of text by our tokenizer is multiplied with to bound the model's own; scaled by 10^6. */
  tokenizerMarginMicros: ratio({
    min: MULTIPLIER_ONE,
    max: 100n * MULTIPLIER_ONE,
    otherwise: TOKENIZER_MARGIN_DEFAULT,
    key: "tokenizer_margin",
    column: "tokenizer_margin"
  }),
  /** How fast hidden output is assumed to be made when it cannot be seen. */
  outputTokensPerSecond: integer({ min: 1, max: 100_000, otherwise: 100 }),
  /** True: it spends output tokens that are not shown. */
  reasoning: flag({ otherwise: false }),
  hostedTools: choice(hostedToolPolicies, { otherwise: "drop" }),
  /** Calls of priced tools that one call may make, at most. */
  toolCallsMax: integer({ min: 1, max: 128, otherwise: 5 })
})
export type ModelTermName = keyof typeof modelTerms.fields

/** The terms besides the prices. */
export interface UnpricedTerms extends ValueOf<typeof modelTerms.fields> {}

export interface ModelTerms extends UnpricedTerms {
  readonly price: PriceSnapshot
}

/** What a model has where nobody has said it. */
export const defaultTerms: UnpricedTerms = defaultsOf(modelTerms.fields)
