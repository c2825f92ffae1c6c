/**
 * What is known of a model besides its id: prices, lengths, and the bounds that holds are computed from. The catalog stores
 * it, config.yaml and the administration write it, the data plane reads it.
 */
import { INPUT_OVERHEAD_TOKENS_DEFAULT, OUTPUT_TOKENS_DEFAULT } from "./Bounds.ts"
import type { PriceSnapshot } from "./Price.ts"

/** What happens to tools that the upstream would run itself: taken out, refused with 400, or priced and forwarded. */
export const hostedToolPolicies = ["drop", "refuse", "price"] as const
export type HostedToolPolicy = typeof hostedToolPolicies[number]

export interface ModelTerms {
  readonly price: PriceSnapshot
  /** Input and output together, in tokens; null: unknown, so it caps nothing. */
  readonly contextTokens: number | null
  readonly maxOutputTokens: number
  /** Held for a call that names no limit; null: `billing.default_max_output_tokens`. */
  readonly defaultOutputTokens: number | null
  /** Tokens that the upstream may add to every call, such as a prompt of its own. */
  readonly inputOverheadTokens: number
  /** The most tokens of one image; null: `IMAGE_TOKENS_MAX_DEFAULT`. */
  readonly imageTokensMax: number | null
  /** What a count of text by our tokenizer is multiplied with to bound the model's own; scaled by 10^6. */
  readonly tokenizerMarginMicros: number
  /** How fast hidden output is assumed to be made when it cannot be seen. */
  readonly outputTokensPerSecond: number
  /** True: it spends output tokens that are not shown. */
  readonly reasoning: boolean
  readonly hostedTools: HostedToolPolicy
  /** Calls of priced tools that one call may make, at most. */
  readonly toolCallsMax: number
}

/** The most tokens of one image where the model does not say. */
export const IMAGE_TOKENS_MAX_DEFAULT = 16_384

/** The margin 1.5, scaled by 10^6. */
export const TOKENIZER_MARGIN_DEFAULT = 1_500_000

/** What a model has where nobody has said it. */
export const defaultTerms: Omit<ModelTerms, "price"> = {
  contextTokens: null,
  maxOutputTokens: OUTPUT_TOKENS_DEFAULT,
  defaultOutputTokens: null,
  inputOverheadTokens: INPUT_OVERHEAD_TOKENS_DEFAULT,
  imageTokensMax: null,
  tokenizerMarginMicros: TOKENIZER_MARGIN_DEFAULT,
  outputTokensPerSecond: 100,
  reasoning: false,
  hostedTools: "drop",
  toolCallsMax: 5
}
