/**
 * JSON as bytes: its signs, and how its strings and values are crossed without being parsed. A value's inside is not checked.
 * @internal
 */
import { Buffer } from "node:buffer"

/** Deepest nesting accepted, the top-level object included. */
export const NESTING_LEVELS_MAX = 128

export const QUOTE = 0x22
export const COMMA = 0x2c
export const COLON = 0x3a
export const OPEN_BRACKET = 0x5b
export const BACKSLASH = 0x5c
export const CLOSE_BRACKET = 0x5d
export const OPEN_BRACE = 0x7b
export const CLOSE_BRACE = 0x7d
export const MINUS = 0x2d
export const DOT = 0x2e
export const DIGIT_0 = 0x30
export const DIGIT_9 = 0x39

/** Strings longer than this are crossed by a native search, which pays off for inline images. */
const STRING_STEP_BYTES = 64

/** What {@link endOfValue} gives for a value that is nested too deep. */
export const TOO_DEEP = -2

export const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09

export const skipSpace = (bytes: Uint8Array, from: number): number => {
  let at = from
  while (isSpace(bytes[at])) at++
  return at
}

/** The offset behind the closing quote of the string whose first character is at `from`; -1 when it does not end. */
export const endOfString = (bytes: Uint8Array, from: number): number => {
  let at = from
  while (at < bytes.length) {
    const near = Math.min(at + STRING_STEP_BYTES, bytes.length)
    while (at < near) {
      const byte = bytes[at]
      if (byte === QUOTE) return at + 1
      at += byte === BACKSLASH ? 2 : 1
    }
    const quote = bytes.indexOf(QUOTE, at)
    if (quote < 0) return -1
    let slash = quote
    while (slash > at && bytes[slash - 1] === BACKSLASH) slash--
    if ((quote - slash) % 2 === 0) return quote + 1
    at = quote + 1
  }
  return -1
}

/** The same bytes, not copied, as a buffer: what is one already is not wrapped again. */
export const bufferOf = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

export const isContainer = (bytes: Uint8Array, at: number): boolean =>
  bytes[at] === OPEN_BRACE || bytes[at] === OPEN_BRACKET

/** The offset behind the object or array at `start`; -1 when it does not end, {@link TOO_DEEP} when it has more levels. */
export function endOfContainer(bytes: Uint8Array, start: number, levelsMax: number): number {
  let depth = 0
  let at = start
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === QUOTE) {
      at = endOfString(bytes, at + 1)
      if (at < 0) return -1
      continue
    }
    at++
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (++depth > levelsMax) return TOO_DEEP
    } else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && --depth === 0) return at
  }
  return -1
}

/** The offset behind the value at `start` in an object; -1 when it does not end, {@link TOO_DEEP} when it is nested too deep. */
export function endOfValue(bytes: Uint8Array, start: number): number {
  if (bytes[start] === QUOTE) return endOfString(bytes, start + 1)
  return isContainer(bytes, start) ? endOfContainer(bytes, start, NESTING_LEVELS_MAX - 1) : endOfScalar(bytes, start)
}

function endOfScalar(bytes: Uint8Array, start: number): number {
  let at = start
  while (at < bytes.length) {
    const byte = bytes[at]
    if (byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte)) break
    if (byte === QUOTE || byte === COLON || byte === OPEN_BRACE || byte === OPEN_BRACKET) return -1
    at++
  }
  return at === start ? -1 : at
}
