/**
 * Numbers of rows as addresses name them: what does not look like one is nobody's, and nothing is asked of the database.
 */

/** The id that a part of a path names; undefined for what no id looks like. */
export const idOf = (text: string | null | undefined): bigint | undefined =>
  text !== null && text !== undefined && /^[1-9]\d{0,17}$/.test(text) ? BigInt(text) : undefined
