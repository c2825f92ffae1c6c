/**
 * The value of `x-realms-dropped-fields`: names come from clients, so they are made fit for a header and bounded.
 */

/** Most names that are listed. */
export const DROPPED_NAMES_MAX = 32
/** A longer name is cut. */
const NAME_CHARS_MAX = 64

/** Anything but visible ASCII without the comma, which parts the names. */
const unfit = /[^\x21-\x2b\x2d-\x7e]/g

/** Undefined when nothing was dropped. */
export const droppedFieldsHeader = (names: ReadonlyArray<string>): string | undefined => {
  if (names.length === 0) return undefined
  const listed = names.slice(0, DROPPED_NAMES_MAX).map((name) => name.replaceAll(unfit, "?").slice(0, NAME_CHARS_MAX))
  const more = names.length - listed.length
  return [...listed, ...(more > 0 ? [`and ${more} more`] : [])].join(", ")
}
