/**
 * The largest values that people may give to prices, models and plans, whether in config.yaml, in the console or by the API:
 * what is beyond them was typed by mistake.
 */

/** A higher price, in USD per 1M tokens, has its units mixed up. */
export const PRICE_USD_PER_1M_MAX = 100_000n

/** Of a model's longest output, and of other counts of tokens. */
export const TOKENS_MAX = 100_000_000

/** A model's longest output where nobody has said it. */
export const OUTPUT_TOKENS_DEFAULT = 16_384

/** Tokens that an upstream may add to a call where nobody has said it. */
export const INPUT_OVERHEAD_TOKENS_DEFAULT = 1_024

/** Tiers of a model's price, at most. */
export const PRICE_TIERS_MAX = 8

/** What a token count is multiplied with, at most. */
export const TOKENIZER_MARGIN_MAX = 100n

/** Tokens a second that a model makes, at most. */
export const OUTPUT_TOKENS_PER_SECOND_MAX = 100_000

/** Calls of priced tools in one call, at most. */
export const TOOL_CALLS_MAX = 128

/** What one call of a tool costs, at most, in USD. */
export const TOOL_USD_PER_CALL_MAX = 1_000n

/** Connections to one upstream, at most. */
export const CHANNEL_CONNECTIONS_MAX = 65_536

/** How long an upstream may be waited for, at most. */
export const UPSTREAM_TIMEOUT_SECONDS_MAX = 86_400

/** What calls are multiplied with. */
export const MULTIPLIER_MAX = 1_000n

/** A hundred years. */
export const DURATION_DAYS_MAX = 36_500

/** A plan's name, at most. */
export const PLAN_NAME_CHARACTERS_MAX = 100

/** No plan costs so much, in CNY. */
export const PLAN_PRICE_CNY_MAX = 1_000_000n
