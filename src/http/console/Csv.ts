/**
 * Rows as lines of comma-separated values (RFC 4180). A text that a spreadsheet would take for a formula is made a text by an
 * apostrophe before it; a plain number, which may be negative, stays a number.
 */
import { Stream } from "effect"
import { HttpServerResponse } from "effect/http"
import { type Answer, raw } from "./Answer.ts"

export type CsvColumns<Row> = ReadonlyArray<readonly [name: string, value: (row: Row) => string]>

/** Spreadsheets begin a formula with these, in full width too, and some skip a tab or a line break before them. */
const formulaStart = /^[=+\-@\t\r\n＝＋－＠]/

const plainNumber = /^-?\d+(?:\.\d+)?$/

const textOf = (value: string): string => formulaStart.test(value) && !plainNumber.test(value) ? `'${value}` : value

const cell = (value: string): string => {
  const text = textOf(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const csvLine = (cells: ReadonlyArray<string>): string => `${cells.map(cell).join(",")}\r\n`

/** The file begins before the rows are read; what goes wrong after that breaks it off, so that nobody takes it for whole. */
export const csvAnswer = <Row, E>(
  fileName: string,
  columns: CsvColumns<Row>,
  rows: Stream.Stream<Row, E>
): Answer => {
  const encoder = new TextEncoder()
  const lines = rows.pipe(
    Stream.chunks,
    Stream.map((some) => encoder.encode(some.map((row) => csvLine(columns.map(([, value]) => value(row)))).join("")))
  )
  const body = Stream.concat(Stream.succeed(encoder.encode(csvLine(columns.map(([name]) => name)))), lines)
  return raw(HttpServerResponse.stream(body, {
    contentType: "text/csv; charset=utf-8",
    headers: {
      "content-disposition": `attachment; filename="${fileName}"`,
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff"
    }
  }))
}
