/**
 * The elements of a JSON array as bytes, and an array made of some of them: each keeps its bytes.
 *
 * @internal
 */
import { Buffer } from "node:buffer"
import { CLOSE_BRACKET, COMMA, endOfValue, skipSpace } from "./JsonBytes.ts"
import { bytesOf, type RawJson } from "./JsonFields.ts"

/** The elements of the valid JSON array `raw`, in order. */
export function elementsOf(raw: Uint8Array): ReadonlyArray<Uint8Array> {
  const elements: Array<Uint8Array> = []
  let at = skipSpace(raw, skipSpace(raw, 0) + 1)
  while (at < raw.length && raw[at] !== CLOSE_BRACKET) {
    const end = endOfValue(raw, at)
    if (end < 0) break
    elements.push(raw.subarray(at, end))
    at = skipSpace(raw, end)
    if (raw[at] === COMMA) at = skipSpace(raw, at + 1)
  }
  return elements
}

export function arrayOf(elements: ReadonlyArray<RawJson>): Uint8Array {
  const parts = elements.flatMap((element, index) => [Buffer.from(index === 0 ? "[" : ","), bytesOf(element)])
  return Buffer.concat([...(parts.length === 0 ? [Buffer.from("[")] : parts), Buffer.from("]")])
}
