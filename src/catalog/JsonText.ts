/**
 * JSON whose numbers stay the texts that they are written as, so that prices are read by their digits.
 * @internal
 */
export type Json = { readonly [key: string]: unknown }

export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** A number becomes its text. Undefined: no JSON. */
export const parseWithTexts = (text: string): unknown => {
  const asWritten = (_key: string, value: unknown, context?: { readonly source?: string }) =>
    typeof value === "number" ? context?.source ?? String(value) : value
  try {
    return JSON.parse(text, asWritten)
  } catch {
    return undefined
  }
}
