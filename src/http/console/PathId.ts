/**
 * Numbers of rows as addresses name them.
 */

/** The id that a part of a path names; undefined for what no id looks like. */
export const idOf = (text: string | null | undefined): bigint | undefined =>
  text !== null && text !== undefined && /^[1-9]\d{0,17}$/.test(text) ? BigInt(text) : undefined
