/**
 * Reads keys that the tables know without making a new string for each: most keys of a body are a few words, said thousands of
 * times.
 *
 * @internal
 */
import type { Buffer } from "node:buffer"
import { decodeString } from "./JsonFields.ts"

/** Longer keys are decoded. In bytes. */
const KEY_BYTES_MAX = 48

interface KnownKey {
  readonly key: string
  readonly bytes: ReadonlyArray<number>
}

/** By a hash of their bytes. Of two names with one hash, the second is decoded. */
const known = new Map<number, KnownKey>()

const hashStep = (hash: number, byte: number): number => Math.imul(hash ^ byte, 0x01000193)

/** Remembers a name of plain ASCII letters, digits and underscores. */
export function rememberKey(key: string): void {
  const bytes = [...key].map((letter) => letter.charCodeAt(0))
  const hash = bytes.reduce(hashStep, 0)
  if (!known.has(hash)) known.set(hash, { key, bytes })
}

/** The key whose quotes are at `start` and in front of `end`. */
export function keyOf(view: Buffer, start: number, end: number): string {
  const length = end - start - 2
  if (length <= KEY_BYTES_MAX) {
    let hash = 0
    for (let at = start + 1; at < end - 1; at++) hash = hashStep(hash, view[at] ?? 0)
    const found = known.get(hash)
    if (found !== undefined && isAt(found.bytes, view, start + 1, length)) return found.key
  }
  return decodeString(view, start, end) ?? ""
}

function isAt(bytes: ReadonlyArray<number>, view: Buffer, start: number, length: number): boolean {
  if (bytes.length !== length) return false
  for (let index = 0; index < length; index++) if (bytes[index] !== view[start + index]) return false
  return true
}
