/**
 * A provider's file of comma-separated values, from its bytes to its records: UTF-8 or GB18030, in pieces. What cannot be read is
 * refused with its line and column.
 *
 * @internal
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import { parse } from "csv-parse"
import { Effect, Stream } from "effect"
import { type BillProblem, billProblem } from "./BillProblem.ts"
import { BillRefused } from "./FinanceError.ts"

export const billEncodings = ["utf-8", "gb18030"] as const
export type BillEncoding = typeof billEncodings[number]

/** One record with the line that it ends in, from 1. */
export interface BillRecord {
  readonly line: number
  readonly fields: ReadonlyArray<string>
}

/** A bill has no longer line or record, in bytes. */
const LINE_BYTES_MAX = 1_048_576

const LINE_FEED = 0x0a

/** Bytes as lines, each with its end. Neither encoding has a line feed within a character. */
class Lines {
  private rest: ReadonlyArray<Uint8Array> = []
  private restBytes = 0

  take(chunk: Uint8Array): ReadonlyArray<Uint8Array> {
    const lines: Array<Uint8Array> = []
    let from = 0
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, from)) {
      lines.push(Buffer.concat([...this.rest, chunk.subarray(from, at + 1)]))
      this.rest = []
      this.restBytes = 0
      from = at + 1
    }
    if (from < chunk.length) {
      this.rest = [...this.rest, chunk.subarray(from)]
      this.restBytes += chunk.length - from
    }
    return lines
  }

  get waitingBytes(): number {
    return this.restBytes
  }

  end(): ReadonlyArray<Uint8Array> {
    return this.rest.length === 0 ? [] : [Buffer.concat([...this.rest])]
  }
}

const isAscii = (line: Uint8Array): boolean => line.every((byte) => byte < 0x80)

const textIn = (encoding: BillEncoding, line: Uint8Array): string | undefined => {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true }).decode(line)
  } catch {
    return undefined
  }
}

/** How many characters of a line can be read before what cannot. */
const readable = (encoding: BillEncoding, line: Uint8Array): number => {
  let [good, bad] = [0, line.length]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    const decoder = new TextDecoder(encoding, { fatal: true, ignoreBOM: true })
    try {
      decoder.decode(line.subarray(0, middle), { stream: true })
      good = middle
    } catch {
      bad = middle
    }
  }
  return textIn(encoding, line.subarray(0, good))?.length ?? good
}

/** Lines as text. An encoding that is not given is that of the first line that is not ASCII: UTF-8 where it can be. */
class Decoder {
  private encoding: BillEncoding | undefined
  private line = 0

  constructor(encoding: BillEncoding | undefined) {
    this.encoding = encoding
  }

  decode(bytes: Uint8Array): string | BillRefused {
    this.line++
    if (this.encoding === undefined && !isAscii(bytes)) {
      this.encoding = billEncodings.find((encoding) => textIn(encoding, bytes) !== undefined)
    }
    const encoding = this.encoding ?? "utf-8"
    const text = textIn(encoding, bytes)
    if (text !== undefined) return text
    return new BillRefused({
      line: this.line,
      column: readable(encoding, bytes) + 1,
      problem: billProblem("encoding", { encoding })
    })
  }
}

const longLine = billProblem("long_line", { bytes: String(LINE_BYTES_MAX) })

const decoded = (encoding: BillEncoding | undefined) => {
  const lines = new Lines()
  const decoder = new Decoder(encoding)
  const texts = (found: ReadonlyArray<Uint8Array>) =>
    Effect.forEach(found, (line) => {
      const text = decoder.decode(line)
      return typeof text === "string" ? Effect.succeed(text) : Effect.fail(text)
    })
  return <E>(bytes: Stream.Stream<Uint8Array, E>): Stream.Stream<string, E | BillRefused> =>
    bytes.pipe(
      Stream.mapEffect((chunk) =>
        Effect.gen(function*() {
          const found = yield* texts(lines.take(chunk))
          return lines.waitingBytes > LINE_BYTES_MAX
            ? yield* new BillRefused({ line: null, column: null, problem: longLine })
            : found.join("")
        })
      ),
      Stream.concat(Stream.fromEffect(Effect.suspend(() => Effect.map(texts(lines.end()), (found) => found.join("")))))
    )
}

/** The problem for an error of the CSV parser. An error with another code is shown with the parser's own message. */
const problemOf = (error: object): BillProblem => {
  switch ("code" in error ? error.code : undefined) {
    case "CSV_QUOTE_NOT_CLOSED":
      return billProblem("quote_open")
    case "CSV_INVALID_CLOSING_QUOTE":
    case "CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE":
      return billProblem("quote_end")
    case "INVALID_OPENING_QUOTE":
      return billProblem("quote_begin")
    case "CSV_MAX_RECORD_SIZE":
      return longLine
    case "CSV_RECORD_INCONSISTENT_FIELDS_LENGTH": {
      const found = "record" in error && Array.isArray(error.record) ? error.record.length : 0
      return billProblem("fields", { found: String(found) })
    }
    default:
      return billProblem("unreadable", { text: error instanceof Error ? error.message : "" })
  }
}

const refusedBy = (error: unknown): BillRefused => {
  if (error instanceof BillRefused) return error
  const told = typeof error === "object" && error !== null ? error : new Error(String(error))
  const line = "lines" in told && typeof told.lines === "number" ? told.lines : null
  const column = "index" in told && typeof told.index === "number" ? told.index + 1 : null
  return new BillRefused({ line, column, problem: problemOf(told) })
}

const isRecord = (
  value: unknown
): value is { readonly info: { readonly lines: number }; readonly record: ReadonlyArray<string> } =>
  typeof value === "object" && value !== null && "record" in value && "info" in value

/** The records of a file, its head the first of them. */
export const billRecords = <E>(
  bytes: Stream.Stream<Uint8Array, E>,
  encoding: BillEncoding | undefined
): Stream.Stream<BillRecord, E | BillRefused> =>
  decoded(encoding)(bytes).pipe(
    Stream.filter((text) => text !== ""),
    NodeStream.pipeThroughDuplex<unknown, BillRefused>({
      evaluate: () =>
        parse({ bom: true, info: true, skip_empty_lines: true, trim: true, max_record_size: LINE_BYTES_MAX }),
      onError: refusedBy
    }),
    Stream.filter(isRecord),
    Stream.map(({ info, record }) => ({ line: info.lines, fields: record }))
  )
