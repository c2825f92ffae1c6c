/**
 * Rows as lines of comma-separated values (RFC 4180). A text that a spreadsheet would take for a formula is made a text by an
 * apostrophe before it; a plain number, which may be negative, stays a number.
 */
import { Stream } from "effect"

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

/** The names of the columns, then the rows. */
export const csvText = <Row>(columns: CsvColumns<Row>, rows: ReadonlyArray<Row>): string =>
  [csvLine(columns.map(([name]) => name)), ...rows.map((row) => csvLine(columns.map(([, value]) => value(row))))].join(
    ""
  )

/** The same of rows that come one after the other, in pieces of several lines. */
export const csvPieces = <Row, E, R>(
  columns: CsvColumns<Row>,
  rows: Stream.Stream<Row, E, R>
): Stream.Stream<string, E, R> =>
  Stream.concat(
    Stream.succeed(csvLine(columns.map(([name]) => name))),
    rows.pipe(
      Stream.chunks,
      Stream.map((some) => some.map((row) => csvLine(columns.map(([, value]) => value(row)))).join(""))
    )
  )
