/**
 * The texts of a call that reach its model, for a tokenizer. They are read again when they are wanted, since most calls never
 * need them.
 */
import type { Call } from "./Call.ts"
import { readBody } from "./ReadBody.ts"

/** What `InputTally.textBytes` counts, whole and in order: strings decoded, tools and schemas as JSON, no image data. */
export function textOf(call: Call): ReadonlyArray<string> {
  if (call.texts !== undefined) return call.texts
  const texts: Array<string> = []
  readBody(call.dialect, call.body, texts)
  return texts
}
