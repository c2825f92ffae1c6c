/**
 * The largest values that several places ask for: what is beyond them was typed by mistake. Other bounds are beside their fields.
 */

/** A higher price, in USD per 1M tokens, has its units mixed up. */
export const PRICE_USD_PER_1M_MAX = 100_000n

/** Of a model's longest output, and of other counts of tokens. */
export const TOKENS_MAX = 100_000_000

/** Tiers of a model's price, at most. */
export const PRICE_TIERS_MAX = 8

/** What one call of a tool costs, at most, in USD. */
export const TOOL_USD_PER_CALL_MAX = 1_000n

/** Keys of one channel, at most. */
export const CHANNEL_KEYS_MAX = 50

/** What calls are multiplied with. */
export const MULTIPLIER_MAX = 1_000n

/** The terms of use of a site, in characters. */
export const SITE_TERMS_CHARACTERS_MAX = 20_000
