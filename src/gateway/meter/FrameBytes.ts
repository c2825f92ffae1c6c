/**
 * Reads JSON as the bytes of a frame: values are compared, skipped and measured without being parsed.
 *
 * @internal
 */
import { parseJson } from "../JsonValue.ts"
import {
  BACKSLASH,
  bufferOf,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  DIGIT_0,
  DIGIT_9,
  DOT,
  endOfContainer,
  endOfString,
  isContainer,
  isSpace,
  MINUS,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipSpace
} from "../request/JsonBytes.ts"

const LETTER_U = 0x75
const LETTER_T = 0x74

/** The code of a failure is no longer. */
const CODE_BYTES_MAX = 256

/** `""` */
const EMPTY_TEXT_BYTES = 2

/** `\u0041`: six bytes. */
const UNICODE_ESCAPE_BYTES = 6
const SIMPLE_ESCAPE_BYTES = 2

/** An index in a frame has no more digits. */
const INDEX_DIGITS_MAX = 9

/** Whether the bytes at `start` are those of `other`. */
export function equalBytes(bytes: Uint8Array, start: number, other: Uint8Array): boolean {
  for (let index = 0; index < other.length; index++) {
    if (bytes[start + index] !== other[index]) return false
  }
  return true
}

/** Whether the bytes `[start, end)` are those of `other`, without the space around them. */
export function isExactly(bytes: Uint8Array, start: number, end: number, other: Uint8Array): boolean {
  let from = start
  let to = end
  while (from < to && isSpace(bytes[from])) from++
  while (to > from && isSpace(bytes[to - 1])) to--
  return to - from === other.length && equalBytes(bytes, from, other)
}

/** The offset behind the value at `start`; the end of the bytes when it is cut. A number or a literal is not skipped. */
export function skipValue(bytes: Uint8Array, start: number): number {
  const isString = bytes[start] === QUOTE
  if (!isString && !isContainer(bytes, start)) return start
  const end = isString ? endOfString(bytes, start + 1) : endOfContainer(bytes, start, bytes.length)
  return end < 0 ? bytes.length : end
}

/** Whether the value at `start` says anything: not null, false, 0, an empty string, array or object. */
export function isNonEmpty(bytes: Uint8Array, start: number): boolean {
  const first = bytes[start] ?? 0
  if (first === QUOTE) return bytes[start + 1] !== QUOTE
  if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    const next = bytes[skipSpace(bytes, start + 1)]
    return next !== CLOSE_BRACE && next !== CLOSE_BRACKET
  }
  return first === LETTER_T || first === MINUS || (first > DIGIT_0 && first <= DIGIT_9)
}

/**
 * Whether the value at `start`, or a value in it, says anything: some upstreams write an error of nulls and empty texts where there is
 * none.
 */
export function saysAnything(bytes: Uint8Array, start: number): boolean {
  if (!isContainer(bytes, start)) return isNonEmpty(bytes, start)
  const end = skipValue(bytes, start)
  for (let at = start + 1; at < end; at++) {
    if (bytes[at] === QUOTE) {
      const close = skipValue(bytes, at)
      if (close > at + EMPTY_TEXT_BYTES && bytes[skipSpace(bytes, close)] !== COLON) return true
      at = close - 1
    } else if (!isContainer(bytes, at) && isNonEmpty(bytes, at)) return true
  }
  return false
}

/** The text or number at `start`, parsed; undefined for other values and for longer ones than a code. */
export function scalarAt(bytes: Uint8Array, start: number): unknown {
  let end = start
  if (bytes[start] === QUOTE) end = skipValue(bytes, start)
  else while (isNumeric(bytes[end] ?? 0) && end < start + CODE_BYTES_MAX) end++
  return end - start > CODE_BYTES_MAX ? undefined : parseJson(bufferOf(bytes).toString("utf8", start, end))
}

const isNumeric = (byte: number): boolean => (byte >= DIGIT_0 && byte <= DIGIT_9) || byte === MINUS || byte === DOT

/** The whole number at `start`; -1 when there is no number, or one that is too long for an index. */
export function indexAt(bytes: Uint8Array, start: number): number {
  let value = 0
  let at = start
  for (; at < start + INDEX_DIGITS_MAX; at++) {
    const byte = bytes[at] ?? 0
    if (byte < DIGIT_0 || byte > DIGIT_9) break
    value = value * 10 + byte - DIGIT_0
  }
  const next = bytes[at] ?? 0
  return at === start || (next >= DIGIT_0 && next <= DIGIT_9) ? -1 : value
}

/** The code unit of the escape at the backslash `at`; -1 when JSON has no such escape. */
export function escapedUnit(bytes: Uint8Array, at: number): number {
  switch (bytes[at + 1]) {
    case LETTER_U:
      return hexUnit(bytes, at + 2)
    case 0x62:
      return 0x08
    case 0x66:
      return 0x0c
    case 0x6e:
      return 0x0a
    case 0x72:
      return 0x0d
    case LETTER_T:
      return 0x09
    default:
      return bytes[at + 1] ?? -1
  }
}

function hexUnit(bytes: Uint8Array, start: number): number {
  let unit = 0
  for (let at = start; at < start + 4; at++) {
    const byte = bytes[at] ?? 0
    const lower = byte | 0x20
    if (byte >= DIGIT_0 && byte <= DIGIT_9) unit = unit * 16 + byte - DIGIT_0
    else if (lower >= 0x61 && lower <= 0x66) unit = unit * 16 + lower - 0x57
    else return -1
  }
  return unit
}

/** Bytes of the escape at the backslash `at`. */
export const escapeBytes = (bytes: Uint8Array, at: number): number =>
  bytes[at + 1] === LETTER_U ? UNICODE_ESCAPE_BYTES : SIMPLE_ESCAPE_BYTES

/** UTF-8 bytes of the character behind the escape at the backslash `at`; a surrogate is half of one and has two of its four bytes. */
export function unescapedBytes(bytes: Uint8Array, at: number): number {
  if (bytes[at + 1] !== LETTER_U) return 1
  const unit = hexUnit(bytes, at + 2)
  if (unit < 0x80) return 1
  return unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 2 : 3
}

/** The offset in the JSON string `[start, end)` behind its first `size` bytes, escapes taken out, between two characters. */
export function offsetBehind(bytes: Uint8Array, start: number, end: number, size: number): number {
  let at = start
  let passed = 0
  while (at < end && (passed < size || ((bytes[at] ?? 0) & 0xc0) === 0x80)) {
    const escape = bytes[at] === BACKSLASH
    passed += escape ? unescapedBytes(bytes, at) : 1
    at += escape ? escapeBytes(bytes, at) : 1
  }
  return Math.min(at, end)
}
