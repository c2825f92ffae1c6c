/**
 * What a statement answers, decoded by a schema and never cast. A row of another shape than its schema is an error of ours: it dies,
 * and names the columns that are wrong. The other way, rows are given to a statement as JSON.
 */
import { Effect, Schema } from "effect"
import { SqlSchema } from "effect/sql"
import { Count, Row } from "../domain/Row.ts"

/** A page of a list, newest first: so many rows with an id below `before`; without it, the newest. */
export interface IdPage {
  readonly limit: number
  readonly before?: bigint | undefined
}

/** A time as a parameter of a statement: whole milliseconds since the epoch, or null for none. */
export const msOrNull = (ms: number | undefined): bigint | null => ms === undefined ? null : BigInt(Math.trunc(ms))

const Found = Schema.Array(Schema.Unknown)

const makeDecoder = <S extends Schema.ConstraintDecoder<unknown>>(row: S) =>
  SqlSchema.findAll({ Request: Found, Result: row, execute: (found) => Effect.succeed(found) })

/** Of each schema, made once: making one costs as much as a row. */
const decoders = new WeakMap<object, ReturnType<typeof makeDecoder>>()

const decoderOf = <S extends Schema.ConstraintDecoder<unknown>>(row: S): ReturnType<typeof makeDecoder<S>> => {
  const known = decoders.get(row)
  // What is kept under a schema was made of it.
  if (known !== undefined) return known as ReturnType<typeof makeDecoder<S>>
  const made = makeDecoder(row)
  decoders.set(row, made)
  return made
}

/** All rows that a statement answers. */
export const rowsOf = <S extends Schema.ConstraintDecoder<unknown>, E, R>(
  row: S,
  statement: Effect.Effect<ReadonlyArray<unknown>, E, R>
): Effect.Effect<ReadonlyArray<S["Type"]>, E, R> =>
  Effect.flatMap(statement, (rows) => Effect.orDie(decoderOf(row)(rows)))

/** The row of a statement that always answers one, such as an insert or a count. */
export const oneRowOf = <S extends Schema.ConstraintDecoder<unknown>, E, R>(
  row: S,
  statement: Effect.Effect<ReadonlyArray<unknown>, E, R>
): Effect.Effect<S["Type"], E, R> =>
  Effect.flatMap(
    rowsOf(row, statement),
    ([first]) => first === undefined ? Effect.die(new Error("a statement answered no row")) : Effect.succeed(first)
  )

/** The first row that a statement answers; undefined: there is none. */
export const rowOf = <S extends Schema.ConstraintDecoder<unknown>, E, R>(
  row: S,
  statement: Effect.Effect<ReadonlyArray<unknown>, E, R>
): Effect.Effect<S["Type"] | undefined, E, R> => Effect.map(rowsOf(row, statement), ([first]) => first)

const Counted = Row({ count: Count })

/** The number that a statement answers as its column `count`. */
export const countOf = <E, R>(
  statement: Effect.Effect<ReadonlyArray<unknown>, E, R>
): Effect.Effect<number, E, R> => Effect.map(oneRowOf(Counted, statement), ({ count }) => count)

/** A value of a column as JSON has it. */
export type ColumnValue = string | number | bigint | boolean | null | ReadonlyArray<string | object>

/** Rows as the JSON that PostgreSQL reads records from; a bigint travels as text, because JSON numbers lose digits. */
export const recordsetOf = (
  rows: ReadonlyArray<Readonly<Record<string, ColumnValue>>> | Readonly<Record<string, ColumnValue>>
) => JSON.stringify(rows, (_, value: unknown) => typeof value === "bigint" ? value.toString() : value)
