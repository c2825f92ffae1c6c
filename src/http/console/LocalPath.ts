/**
 * Addresses to go on to that come from outside, such as `?next=`: only those on this very site are followed.
 */

const PATH_LENGTH_MAX = 2_000

const here = "http://here.invalid"

/** Nothing that browsers read as something else than they show: `\` counts as `/`, control characters are dropped. */
const plainPath = /^\/(?![/\\])[\x21-\x5b\x5d-\x7e]*$/

/** The path with its query when it leads to a page of this site, else undefined. */
export const localPath = (text: string | null | undefined): string | undefined => {
  if (text === null || text === undefined || text.length > PATH_LENGTH_MAX || !plainPath.test(text)) return undefined
  if (!URL.canParse(text, here)) return undefined
  const url = new URL(text, here)
  // `/.//host` is plain to look at, and becomes `//host`.
  return url.origin === here && !url.pathname.startsWith("//") ? `${url.pathname}${url.search}` : undefined
}
