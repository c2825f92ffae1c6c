/**
 * What commands print. Standard output carries the result alone: a text for people, or with `--json` one JSON value in
 * which ids and amounts are decimal strings. Everything else goes to standard error.
 */
import { Console, Effect } from "effect"
import { Flag, GlobalFlag } from "effect/cli"
import { formatCny, formatUsd } from "../domain/Money.ts"
import type { ConfirmationPending } from "../platform/SecondPerson.ts"

/** `--json`, before or after the name of any command. */
export const Json = GlobalFlag.Setting("json")({
  flag: Flag.Boolean("json").pipe(
    Flag.withoutNegation,
    Flag.withDefault(false),
    Flag.withDescription("Print one JSON value: snake_case, ids and micros as decimal strings")
  )
})

/** What can be printed as JSON. A `bigint` becomes a decimal string, a `Date` its ISO 8601 text in UTC. */
export type Printable =
  | string
  | number
  | boolean
  | null
  | bigint
  | Date
  | ReadonlyArray<Printable>
  | { readonly [key: string]: Printable }

/** One line of JSON. */
export const toJson = (value: Printable): string =>
  JSON.stringify(value, (_key, field: unknown) => typeof field === "bigint" ? field.toString() : field)

/** Prints the result of a command. */
export const print = Effect.fnUntraced(function*(value: Printable, text: string) {
  yield* Console.log((yield* Json) ? toJson(value) : text)
})

/** Thousands apart: `1,234,567.50`. */
const withSeparators = (decimal: string): string => decimal.replace(/\B(?=(?:\d{3})+(?!\d))(?<!\.\d*)/g, ",")

/** An amount for people: `-$5,000.00`. */
export const dollars = (micros: bigint): string =>
  `${micros < 0n ? "-" : ""}$${withSeparators(formatUsd(micros < 0n ? -micros : micros))}`

/** An amount in CNY for people: `¥5,000.00`. */
export const yuan = (fen: bigint): string =>
  `${fen < 0n ? "-" : ""}¥${withSeparators(formatCny(fen < 0n ? -fen : fen))}`

/** How many there are, for people: `1 user`, `2,000 users`. */
export const counted = (count: number | bigint, one: string, many = `${one}s`): string =>
  `${withSeparators(String(count))} ${Number(count) === 1 ? one : many}`

const COLUMN_GAP = "  "

/** Rows under their headings, columns aligned, no spaces at the ends of lines. */
export const table = (headings: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const lines = [headings, ...rows]
  const widths = headings.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(COLUMN_GAP).trimEnd())
    .join("\n")
}

/** What was asked for waits for a second person: nothing has been done yet. */
export const printPending = ({ expiresAt, id }: ConfirmationPending) =>
  print(
    { confirmation: { id, state: "pending", expires_at: expiresAt } },
    `nothing has been done yet: this is above the limit of one person. Somebody else confirms it in the console, at ` +
      `/admin/confirmations/${id}, before ${expiresAt.toISOString()}`
  )
