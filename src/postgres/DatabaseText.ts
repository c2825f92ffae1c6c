/**
 * Texts as PostgreSQL takes them: well-formed Unicode without NUL. JSON and forms may carry others; what comes in is refused or
 * cleaned where it enters, so that no statement fails for a character. JSON is looked at as text, because a walk through its
 * values could be made to run as deep as its sender likes.
 */

/** True for a text that a row can hold as it is. */
export const isDatabaseText = (text: string): boolean => text.isWellFormed() && !text.includes("\0")

/** The text without NUL; a lone surrogate becomes the replacement character, also one that only NUL kept from its other half. */
export const databaseText = (text: string): string => text.toWellFormed().replaceAll("\0", "")

/** Every escape of a JSON document, in order: a pair of surrogates, one alone or NUL, and all others. */
const escapes = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|\\u([dD][89a-fA-F][\da-fA-F]{2}|0000)|\\[^]/g

/** A JSON document with its texts and names as {@link databaseText} makes them. */
export const databaseJson = (json: string): string =>
  json.includes("\\u")
    ? json.replace(
      escapes,
      (escape, bad: string | undefined) => bad === undefined ? escape : bad === "0000" ? "" : "\\ufffd"
    )
    : json

/** True for a JSON document whose texts and names rows can hold as they are. */
export const isDatabaseJson = (json: string): boolean => databaseJson(json) === json
