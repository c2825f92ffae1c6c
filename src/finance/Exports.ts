/**
 * Orders, payments, refunds, disputes, the ledger and movements of cash as files of comma-separated values, in pieces, by the dates on
 * which they were booked, with totals at the end. Read in bounded steps.
 */
import { Context, DateTime, Effect, Layer, Option, Stream } from "effect"
import { SqlClient } from "effect/sql"
import { minorText } from "../domain/Currency.ts"
import { formatCny, formatUsd } from "../domain/Money.ts"
import { csvLine } from "../platform/Csv.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { Settings } from "../settings/Settings.ts"
import { type Cell, type ExportKind, exportKinds, type ExportName, ExportRow } from "./ExportKinds.ts"
import { FilterRefused } from "./FinanceError.ts"
import type { DayRange } from "./RangeAsked.ts"

export type { ExportName }

/** Every kind of export, in the order in which they are shown. */
export const exportNames: ReadonlyArray<ExportName> = ["orders", "payments", "refunds", "disputes", "ledger", "cash"]

/** What of it is wanted. `state` is a ledger entry's or a movement's kind. */
export interface ExportFilter extends DayRange {
  readonly provider?: string | undefined
  readonly currency?: string | undefined
  readonly state?: string | undefined
}

export class Exports extends Context.Service<Exports, {
  /** The lines of the file, its head first and its totals last, in pieces of several lines. */
  csv(
    name: ExportName,
    filter: ExportFilter
  ): Effect.Effect<Stream.Stream<string, DatabaseUnavailable>, FilterRefused | DatabaseUnavailable>
}>()("realms/finance/Exports") {
  static readonly layer = Layer.effect(Exports)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings

    const page = Effect.fnUntraced(
      function*(kind: ExportKind, filter: ExportFilter, timeZone: string, after: bigint) {
        const narrowed = filterNames.filter((name) => filter[name] !== undefined)
        const statement = sql.unsafe(
          `SELECT x.* FROM (${kind.sql}) x
        WHERE x.id > $1 AND x.booked_at >= realms_day_starts_v1($2::date, $4) AND x.booked_at < realms_day_starts_v1($3::date + 1, $4)
          ${narrowed.map((name, index) => `AND x.${name} = $${index + 5}`).join(" ")}
        ORDER BY x.id LIMIT ${PAGE_ROWS}`,
          [after, filter.from, filter.to, timeZone, ...narrowed.map((name) => filter[name] ?? null)]
        )
        return yield* rowsOf(ExportRow, statement)
      },
      orUnavailable
    )

    const lines = (kind: ExportKind, filter: ExportFilter, timeZone: string, first: ReadonlyArray<ExportRow>) => {
      const { columns } = kind
      const totals = new Map<string, Total>()
      const rows = Stream.paginate<bigint, string, DatabaseUnavailable>(
        0n,
        (after) =>
          Effect.map(after === 0n ? Effect.succeed(first) : page(kind, filter, timeZone, after), (read) => {
            for (const row of read) adding(kind, totals, row)
            const text = read.map((row) =>
              csvLine(["id", "booked_at", ...columns].map((column) => cellOf(row, column)))
            )
            const last = read.length < PAGE_ROWS ? Option.none<bigint>() : Option.fromUndefinedOr(read.at(-1)?.id)
            return [[text.join("")], last] as const
          })
      )
      const end = Stream.suspend(() =>
        Stream.succeed([...totals.values()].map((total) => totalLine(kind, total)).join(""))
      )
      return Stream.succeed(csvLine(["id", "booked_at", ...columns.map(nameOf)])).pipe(
        Stream.concat(rows),
        Stream.concat(end)
      )
    }

    const csv = Effect.fn("Exports.csv")(function*(name: ExportName, filter: ExportFilter) {
      const kind: ExportKind = exportKinds[name]
      const unknown = filterNames.find((column) => filter[column] !== undefined && !kind.filters.includes(column))
      if (unknown !== undefined) return yield* new FilterRefused({ field: unknown, kind: name })
      const { finance } = yield* settings.fresh
      // If the first rows cannot be read, the caller gets the error and no file.
      const first = yield* page(kind, filter, finance.timeZone, 0n)
      return lines(kind, filter, finance.timeZone, first)
    })

    return Exports.of({ csv })
  }))
}

/** What rows of a kind may be narrowed by. */
export const exportFilters = (name: ExportName): ReadonlyArray<typeof filterNames[number]> => exportKinds[name].filters

const filterNames = ["provider", "currency", "state"] as const

/** Rows read in one statement. */
const PAGE_ROWS = 1_000

const textOf = (cell: Cell): string => {
  if (cell === null) return ""
  return cell instanceof Date ? DateTime.formatIso(DateTime.fromDateUnsafe(cell)) : String(cell)
}

/** An amount in the unit that its column is named after: `_fen`, `_minor` of the row's currency, or micros. */
const amountText = (column: string, amount: bigint, row: ExportRow): string => {
  if (column.endsWith("_fen")) return formatCny(amount)
  if (column.endsWith("_minor")) return minorText(amount, textOf(row["currency"] ?? null))
  return formatUsd(amount)
}

const isAmount = (column: string): boolean => /_(?:micros|fen|minor|after)$/.test(column)

/** In the file `amount_fen` is `amount_cny`, `amount_micros` is `amount_usd`, and `amount_minor` is `amount`. */
const nameOf = (column: string): string =>
  column.replace(/_micros$/, "_usd").replace(/_fen$/, "_cny").replace(/_minor$/, "")

const cellOf = (row: ExportRow, column: string): string => {
  const value = row[column] ?? null
  return typeof value === "bigint" && isAmount(column) ? amountText(column, value, row) : textOf(value)
}

/** What is summed so far of one provider and currency. */
interface Total {
  readonly of: ExportRow
  count: number
  readonly sums: Map<string, bigint>
}

const adding = (kind: ExportKind, totals: Map<string, Total>, row: ExportRow): void => {
  const key = kind.by.map((column) => textOf(row[column] ?? null)).join(" ")
  const total = totals.get(key) ?? { of: row, count: 0, sums: new Map<string, bigint>() }
  totals.set(key, total)
  total.count++
  for (const column of kind.summed) {
    const value = row[column]
    if (typeof value === "bigint") total.sums.set(column, (total.sums.get(column) ?? 0n) + value)
  }
}

/** A line as long as the others: `total` and how many rows, then the sums in their columns. */
const totalLine = (kind: ExportKind, { count, of, sums }: Total): string => {
  const by: ReadonlyArray<string> = kind.by
  return csvLine([
    "total",
    `${count} rows`,
    ...kind.columns.map((column) => {
      const sum = sums.get(column)
      if (by.includes(column)) return textOf(of[column] ?? null)
      return sum === undefined ? "" : amountText(column, sum, of)
    })
  ])
}
