/**
 * Reads a value as its shape: checks its type, counts what reaches the model, and goes into what the tables know.
 *
 * @internal
 */
import type { Shape } from "./Admission.ts"
import { STORED_ID_CHARS_MAX } from "./ItemTable.ts"
import { CLOSE_BRACKET, COMMA, MINUS, NESTING_LEVELS_MAX, OPEN_BRACE, OPEN_BRACKET, QUOTE } from "./JsonBytes.ts"
import { decodeString } from "./JsonFields.ts"
import { isDigit, LOWER_F, LOWER_N } from "./JsonScan.ts"
import type { Reading } from "./Reading.ts"
import { checkFileKind, countPictures, readFileData, readImageData, readImageUrl } from "./ReadMedia.ts"
import { readFields } from "./ReadMembers.ts"
import { readTool } from "./ReadTool.ts"
import { readVariant } from "./ReadVariant.ts"
import { shapeWords } from "./ShapeWords.ts"

const LOWER_T = 0x74
/** A number's text is read no further. */
const NUMBER_BYTES_MAX = 64

const startsNumber = (byte: number | undefined): boolean => byte === MINUS || isDigit(byte)

/** Whether the value at `at` may be of the shape, by its first byte. */
function accepts(reading: Reading, shape: Shape, at: number): boolean {
  const first = reading.scan.view[at]
  switch (shape.kind) {
    case "text":
    case "imageUrl":
    case "imageData":
    case "fileData":
    case "fileKind":
    case "cacheTtl":
    case "responseId":
      return first === QUOTE
    case "boolean":
      return first === LOWER_T || first === LOWER_F
    case "number":
    case "integer":
      return startsNumber(first)
    case "scalar":
      return first !== OPEN_BRACE && first !== OPEN_BRACKET
    case "object":
    case "variant":
    case "tool":
      return first === OPEN_BRACE
    case "texts":
    case "list":
      return first === OPEN_BRACKET
    case "client":
      return shape.only === undefined || first === (shape.only === "object" ? OPEN_BRACE : OPEN_BRACKET)
    case "tokens":
      return first === OPEN_BRACKET && startsNumber(reading.scan.view[afterSpace(reading, at + 1)])
    case "hosted":
      return true
    case "either":
      return shape.of.some((option) => accepts(reading, option, at))
  }
}

function afterSpace(reading: Reading, from: number): number {
  const { saved } = reading.scan
  const at = reading.scan.space(from)
  reading.scan.saved = saved
  return at
}

/** The offset behind the value at `at`; -1 when it is refused. `null` is absent, whatever the shape. */
export function readValue(reading: Reading, shape: Shape, at: number, depth: number): number {
  const { scan } = reading
  if (scan.view[at] === LOWER_N) return scan.value(at, depth)
  return accepts(reading, shape, at)
    ? readAccepted(reading, shape, at, depth)
    : reading.invalid(`Invalid type for %: expected ${shapeWords(shape)}.`)
}

function readAccepted(reading: Reading, shape: Shape, at: number, depth: number): number {
  switch (shape.kind) {
    case "text":
      return readText(reading, shape, at, depth)
    case "integer":
      return readInteger(reading, shape, at, depth)
    case "boolean":
    case "number":
    case "scalar":
      return readClient(reading, at, depth)
    case "client":
      return shape.pictures === true ? readWithPictures(reading, at, depth) : readClient(reading, at, depth)
    case "object":
      return readFields(reading, shape.fields, at, depth)
    case "list":
      return readList(reading, shape, at, depth)
    case "texts":
      return readTexts(reading, shape.of, at, depth)
    case "either": {
      const option = shape.of.find((candidate) => accepts(reading, candidate, at))
      return option === undefined ? -1 : readAccepted(reading, option, at, depth)
    }
    case "variant":
      return readVariant(reading, shape.of(), at, depth)
    case "tool":
      return readTool(reading, at, depth)
    case "imageUrl":
      return readImageUrl(reading, at, depth)
    case "imageData":
      return readImageData(reading, at, depth)
    case "fileData":
      return readFileData(reading, at, depth)
    case "fileKind":
      return readFileKind(reading, at, depth)
    case "tokens":
      return readTokens(reading, at, depth)
    case "hosted":
      reading.hosted(String(reading.path.at(-1)), reading.param())
      return readClient(reading, at, depth)
    case "cacheTtl":
      return readCacheTtl(reading, shape.usual, at, depth)
    case "responseId":
      return readResponseId(reading, at, depth)
  }
}

/** A value whose inside is not looked at. */
function readClient(reading: Reading, at: number, depth: number): number {
  const { scan } = reading
  const { saved } = scan
  const end = scan.value(at, depth)
  if (end < 0) return -1
  if (scan.view[at] === QUOTE) reading.addString(at, end, saved)
  else reading.addJson(at, end, saved)
  return end
}

/** The same; images that an upstream may find in it are counted. */
function readWithPictures(reading: Reading, at: number, depth: number): number {
  const end = readClient(reading, at, depth)
  if (end >= 0) countPictures(reading, at, end)
  return end
}

/** The name or media type of a file. */
function readFileKind(reading: Reading, at: number, depth: number): number {
  const end = readClient(reading, at, depth)
  return end < 0 || checkFileKind(reading, decodeString(reading.scan.view, at, end) ?? "") ? end : -1
}

function readText(reading: Reading, shape: Extract<Shape, { kind: "text" }>, at: number, depth: number): number {
  const end = readClient(reading, at, depth)
  if (end < 0 || (shape.charsMax === undefined && shape.of === undefined)) return end
  const value = decodeString(reading.scan.view, at, end) ?? ""
  if (shape.charsMax !== undefined && (value === "" || value.length > shape.charsMax)) {
    return reading.invalid(`Invalid value for %: expected 1 to ${shape.charsMax} characters.`)
  }
  return isOneOf(reading, value, shape.of) ? end : -1
}

function isOneOf(reading: Reading, value: string, of: ReadonlyArray<string> | undefined): boolean {
  if (of === undefined || of.includes(value)) return true
  reading.unsupported(`Unsupported value: % must be ${of.map((word) => `'${word}'`).join(" or ")} here.`)
  return false
}

function readInteger(
  reading: Reading,
  shape: Extract<Shape, { kind: "integer" }>,
  at: number,
  depth: number
): number {
  const end = readClient(reading, at, depth)
  if (end < 0) return -1
  const value = Number(reading.scan.view.toString("latin1", at, Math.min(end, at + NUMBER_BYTES_MAX)))
  const fits = end - at <= NUMBER_BYTES_MAX && Number.isInteger(value) && value >= shape.least && value <= shape.most
  return fits
    ? end
    : reading.invalid(`Invalid value for %: expected an integer from ${shape.least} to ${shape.most}.`)
}

/** Visits the elements of the array at `at`; gives the offset behind it, or -1. */
function readElements(
  reading: Reading,
  at: number,
  depth: number,
  visit: (at: number, index: number) => number
): number {
  const { scan } = reading
  if (depth > NESTING_LEVELS_MAX) return scan.tooDeep()
  if (!scan.count(1)) return -1
  let cursor = scan.space(at + 1)
  if (scan.view[cursor] === CLOSE_BRACKET) return cursor + 1
  for (let index = 0;; index++) {
    const end = visit(cursor, index)
    if (end < 0) return -1
    cursor = scan.next(end, CLOSE_BRACKET)
    if (cursor < 0 || scan.view[cursor - 1] === CLOSE_BRACKET) return cursor
  }
}

function readList(reading: Reading, shape: Extract<Shape, { kind: "list" }>, at: number, depth: number): number {
  let elements = 0
  const { of, unit, least } = shape
  const end = readElements(reading, at, depth, (element, index) => {
    elements++
    reading.path.push(index)
    if (!accepts(reading, of, element)) return reading.invalid(`Invalid type for %: expected ${shapeWords(of)}.`)
    if (unit !== undefined) reading.unit(unit)
    const elementEnd = readAccepted(reading, of, element, depth + 1)
    if (elementEnd >= 0) reading.path.pop()
    return elementEnd
  })
  if (end < 0 || least === undefined || elements >= least) return end
  return reading.invalid(`Invalid value for %: expected at least ${least} of its elements.`)
}

function readTexts(reading: Reading, of: ReadonlyArray<string> | undefined, at: number, depth: number): number {
  const { view } = reading.scan
  return readElements(reading, at, depth, (element) => {
    if (view[element] !== QUOTE) return reading.invalid("Invalid type for %: expected an array of strings.")
    const end = readClient(reading, element, depth + 1)
    if (end < 0 || of === undefined) return end
    return isOneOf(reading, decodeString(view, element, end) ?? "", of) ? end : -1
  })
}

/** A token array: natural numbers, each a token, bounded by their bytes. */
function readTokens(reading: Reading, start: number, depth: number): number {
  const { scan } = reading
  const { view } = scan
  if (depth > NESTING_LEVELS_MAX) return scan.tooDeep()
  if (!scan.count(1)) return -1
  const { saved } = scan
  let tokens = 0
  let at = scan.space(start + 1)
  while (true) {
    const first = at
    while (isDigit(view[at])) at++
    if (at === first || (at > first + 1 && view[first] === 0x30)) return notTokens(reading)
    tokens++
    if (view[at] === COMMA && isDigit(view[at + 1])) {
      at++
      continue
    }
    at = scan.next(at, CLOSE_BRACKET)
    if (at < 0) return notTokens(reading)
    if (view[at - 1] === CLOSE_BRACKET) {
      reading.tally.integers += tokens
      scan.saved = saved
      return at
    }
  }
}

const notTokens = (reading: Reading): number =>
  reading.invalid("Invalid value for %: a token array holds natural numbers only.")

function readCacheTtl(reading: Reading, usual: ReadonlyArray<string>, at: number, depth: number): number {
  const end = readClient(reading, at, depth)
  if (end >= 0 && !usual.includes(decodeString(reading.scan.view, at, end) ?? "")) {
    reading.places.longCacheTtl ??= reading.param()
  }
  return end
}

function readResponseId(reading: Reading, at: number, depth: number): number {
  const end = readText(reading, { kind: "text", charsMax: STORED_ID_CHARS_MAX }, at, depth)
  if (end < 0) return -1
  const id = decodeString(reading.scan.view, at, end) ?? ""
  return reading.refer("response", id, reading.param()) ? end : -1
}
