/**
 * Narrowing of parsed JSON whose shape is not known. The gateway reads a few values of bodies it does not own and
 * must not reject what it does not know, so a guard fits here where a schema would not.
 */

export type JsonObject = { readonly [key: string]: unknown }

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The parsed value, or undefined for what is not JSON (JSON itself has no undefined). */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
