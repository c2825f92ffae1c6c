/**
 * Checks JSON text without building it: crosses values at their byte offsets, refuses exactly what `JSON.parse` refuses,
 * and bounds nesting and the number of values before anything is allocated for them.
 *
 * @internal
 */
import type { Buffer } from "node:buffer"
import { parseJson } from "../JsonValue.ts"
import {
  BACKSLASH,
  bufferOf,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  DIGIT_0,
  DIGIT_9,
  DOT,
  isSpace,
  MINUS,
  NESTING_LEVELS_MAX,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE
} from "./JsonBytes.ts"

/** Most JSON values in one body. Numbers in flat arrays of numbers are left out: the body's bytes bound them. */
export const JSON_VALUES_MAX = 200_000

const MALFORMED = "The request body is not valid JSON."
const TOO_DEEP = `The request body is nested deeper than ${NESTING_LEVELS_MAX} levels.`
const TOO_MANY = `The request body has more than ${JSON_VALUES_MAX} JSON values.`

const LOWER_U = 0x75
export const LOWER_N = 0x6e
export const LOWER_F = 0x66
/** Below it are control characters, which a JSON string may hold only as escapes. */
const PRINTABLE_MIN = 0x20

/** A string that is longer is crossed by native searches, which pays off for inline images. */
const NEAR_BYTES = 1_024

/** Letters whose escape stands for one byte, so that the backslash is saved. */
const plainEscapes = new Uint8Array(256)
for (const letter of '"\\/bfnrt') plainEscapes[letter.charCodeAt(0)] = 1

const literals: ReadonlyMap<number, readonly [text: string, bytes: number]> = new Map(
  ["true", "false", "null"].map((text) => [text.charCodeAt(0), [text, text.length] as const])
)

export const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= DIGIT_0 && byte <= DIGIT_9
const startsNumber = (byte: number | undefined): boolean => byte === MINUS || isDigit(byte)

/** The value of a hexadecimal digit; -1 for anything else. */
const hexDigit = (byte: number | undefined): number => {
  if (byte === undefined) return -1
  if (byte >= DIGIT_0 && byte <= DIGIT_9) return byte - DIGIT_0
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/** One scan of one body. Offsets are bytes; a method that gives an offset gives -1 when the body is refused. */
export class JsonScan {
  readonly view: Buffer
  /** JSON values so far. */
  values = 0
  /** Bytes that the text loses when its strings are decoded and the spaces between its tokens are left out. */
  saved = 0
  /** Why the scan ended with -1. */
  fault: string | undefined

  constructor(body: Uint8Array) {
    this.view = bufferOf(body)
  }

  readonly malformed = (): number => this.fail(MALFORMED)
  readonly tooDeep = (): number => this.fail(TOO_DEEP)

  private fail(message: string): number {
    this.fault ??= message
    return -1
  }

  /** Counts `more` values; false when there are too many. */
  count(more: number): boolean {
    this.values += more
    if (this.values <= JSON_VALUES_MAX) return true
    this.fail(TOO_MANY)
    return false
  }

  /** The offset of the next token. */
  space(from: number): number {
    let at = from
    while (isSpace(this.view[at])) at++
    this.saved += at - from
    return at
  }

  /** The offset behind the string whose opening quote is at `start`. */
  string(start: number): number {
    const { view } = this
    const savedBefore = this.saved
    let at = this.cross(start + 1, Math.min(start + NEAR_BYTES, view.length))
    if (at < 0 || view[at] === QUOTE) return at < 0 ? -1 : at + 1
    if (this.saved === savedBefore) {
      const end = this.cleanString(start, at)
      if (end !== 0) return end
    }
    at = this.cross(at, view.length)
    return at < 0 ? -1 : view[at] === QUOTE ? at + 1 : this.malformed()
  }

  /** The offset of the quote that ends the string, or at least `limit` when it does not end before. */
  private cross(from: number, limit: number): number {
    const { view } = this
    let at = from
    while (at < limit) {
      const byte = view[at] ?? 0
      if (byte === QUOTE) return at
      if (byte < PRINTABLE_MIN) return this.malformed()
      if (byte !== BACKSLASH) at++
      else if (plainEscapes[view[at + 1] ?? 0] === 1) {
        this.saved++
        at += 2
      } else {
        at = this.numberedEscape(at)
        if (at < 0) return -1
      }
    }
    return at
  }

  /** The end of a long string without escapes; 0 when it has some, which are read one by one. */
  private cleanString(start: number, from: number): number {
    const quote = this.view.indexOf(QUOTE, from)
    if (quote < 0) return this.malformed()
    const raw = this.view.toString("latin1", start, quote + 1)
    if (raw.includes("\\")) return 0
    return parseJson(raw) === undefined ? this.malformed() : quote + 1
  }

  /** The offset behind the escape by number at `at`. Half of a surrogate pair is counted as the three bytes that it has alone. */
  private numberedEscape(at: number): number {
    if (this.view[at + 1] !== LOWER_U) return this.malformed()
    let unit = 0
    for (let index = at + 2; index < at + 6; index++) {
      const digit = hexDigit(this.view[index])
      if (digit < 0) return this.malformed()
      unit = unit * 16 + digit
    }
    this.saved += unit < 0x80 ? 5 : unit < 0x800 ? 4 : 3
    return at + 6
  }

  /** The offset behind the number at `start`. */
  number(start: number): number {
    const { view } = this
    let at = view[start] === MINUS ? start + 1 : start
    const whole = at
    while (isDigit(view[at])) at++
    if (at === whole || (view[whole] === DIGIT_0 && at > whole + 1)) return this.malformed()
    if (view[at] === DOT) {
      const fraction = ++at
      while (isDigit(view[at])) at++
      if (at === fraction) return this.malformed()
    }
    if (view[at] === 0x65 || view[at] === 0x45) {
      at++
      if (view[at] === 0x2b || view[at] === MINUS) at++
      const exponent = at
      while (isDigit(view[at])) at++
      if (at === exponent) return this.malformed()
    }
    return at
  }

  private literal(at: number, first: number): number {
    const literal = literals.get(first)
    if (literal === undefined) return this.malformed()
    const [text, bytes] = literal
    return this.view.toString("latin1", at, at + bytes) === text ? at + bytes : this.malformed()
  }

  /** The offset behind the value at `at`; a container there would be at nesting level `depth`. */
  value(at: number, depth: number): number {
    const first = this.view[at]
    if (first === OPEN_BRACKET) return this.array(at, depth)
    if (!this.count(1)) return -1
    if (first === QUOTE) return this.string(at)
    if (first === OPEN_BRACE) return this.object(at, depth)
    if (first === undefined) return this.malformed()
    return startsNumber(first) ? this.number(at) : this.literal(at, first)
  }

  private object(start: number, depth: number): number {
    if (depth > NESTING_LEVELS_MAX) return this.tooDeep()
    let at = this.space(start + 1)
    if (this.view[at] === CLOSE_BRACE) return at + 1
    while (true) {
      at = this.member(at)
      if (at < 0) return -1
      at = this.value(at, depth + 1)
      if (at < 0) return -1
      at = this.next(at, CLOSE_BRACE)
      if (at < 0 || this.view[at - 1] === CLOSE_BRACE) return at
    }
  }

  /** The offset of the value of the member whose key is at `at`. */
  member(at: number): number {
    if (this.view[at] !== QUOTE) return this.malformed()
    const keyEnd = this.string(at)
    if (keyEnd < 0) return -1
    const colon = this.space(keyEnd)
    return this.view[colon] === COLON ? this.space(colon + 1) : this.malformed()
  }

  private array(start: number, depth: number): number {
    if (depth > NESTING_LEVELS_MAX) return this.tooDeep()
    if (!this.count(1)) return -1
    let at = this.space(start + 1)
    if (this.view[at] === CLOSE_BRACKET) return at + 1
    let numbers = 0
    while (startsNumber(this.view[at])) {
      at = this.number(at)
      if (at < 0) return -1
      numbers++
      at = this.next(at, CLOSE_BRACKET)
      if (at < 0 || this.view[at - 1] === CLOSE_BRACKET) return at
    }
    // It is not flat, so its numbers count as any value does.
    if (!this.count(numbers)) return -1
    while (true) {
      at = this.value(at, depth + 1)
      if (at < 0) return -1
      at = this.next(at, CLOSE_BRACKET)
      if (at < 0 || this.view[at - 1] === CLOSE_BRACKET) return at
    }
  }

  /** Behind a value of a container: the offset of what follows the comma, or behind the closing `close`. */
  next(from: number, close: number): number {
    const at = this.space(from)
    const byte = this.view[at]
    if (byte === close) return at + 1
    return byte === COMMA ? this.space(at + 1) : this.malformed()
  }
}
