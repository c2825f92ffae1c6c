/**
 * The largest values that people may give to prices, models and plans, whether in config.yaml, in the console or by the API:
 * what is beyond them was typed by mistake.
 */

/** No model costs so much, in USD per 1M tokens; whoever writes it has mixed up units. */
export const PRICE_USD_PER_1M_MAX = 100_000n

/** Of a model's longest output, and of other counts of tokens. */
export const TOKENS_MAX = 100_000_000

/** A model's longest output where nobody has said it. */
export const OUTPUT_TOKENS_DEFAULT = 16_384

/** What calls are multiplied with. */
export const MULTIPLIER_MAX = 1_000n

/** A hundred years. */
export const DURATION_DAYS_MAX = 36_500
