/**
 * Narrowing of parsed JSON whose shape is not known. The gateway reads a few values of bodies it does not own and
 * must not reject what it does not know, so a guard fits here where a schema would not.
 */

export type JsonObject = { readonly [key: string]: unknown }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const BYTE_ORDER_MARK = 0xfeff

/** The parsed value, or undefined for what is not JSON (JSON itself has no undefined). A byte order mark before it is read over. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text)
  } catch {
    return undefined
  }
}
