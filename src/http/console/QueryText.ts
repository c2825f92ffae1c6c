/**
 * What addresses and forms say as text, taken for what it may be. What may not be is left out.
 */

/** As long as an e-mail address may be. */
const TEXT_CHARACTERS_MAX = 254

/** One of the known words. */
export const oneOf = <A extends string>(known: ReadonlyArray<A>, text: string | null | undefined): A | undefined =>
  known.find((value) => value === text)

/** What is searched for, if anything. PostgreSQL has no text with a NUL in it. Not for names of things: it may be a part of one. */
export const searchText = (query: URLSearchParams, name: string): string | undefined => {
  const text = (query.get(name) ?? "").replaceAll("\0", "").trim().slice(0, TEXT_CHARACTERS_MAX).toWellFormed()
  return text === "" ? undefined : text
}
