/**
 * One model for one thing: each field is described once, with its bounds, and everything that carries the thing is derived from it -
 * the row in PostgreSQL, the JSON of the API, the keys of config.yaml, the fields of forms, and the facts of the audit log.
 */
import { Effect, Option, Record, Result, Schema } from "effect"
import { columnOf } from "./Row.ts"
import { fileKeyOf } from "./Scalars.ts"

/** What a field may hold. */
export type Value = string | number | bigint | boolean | null | ReadonlyArray<string>

/** A value as JSON has it. */
export type JsonValue = Exclude<Value, bigint>

/** A field whose value is an `A`, in every form that it takes. */
export interface Field<A> {
  /** The value within its bounds. */
  readonly value: Schema.Codec<A>
  /** In a row, in bounds or not: another version of the server may have written it. */
  readonly row: Schema.Codec<A, Value>
  /** In the JSON of the API, in bounds or not. */
  readonly json: Schema.Codec<A, JsonValue>
  /** As people write it in files and forms, within its bounds. */
  readonly text: Schema.Codec<A, unknown>
  /** What it means to leave it out of a file; none: it has to be there. */
  readonly otherwise: Option.Option<A>
  /** An input of a form that is left empty means the same; else it is wrong. */
  readonly mayBeEmpty: boolean
  /** Its key in files, where that does not follow from its name. */
  readonly key?: string
  /** Its column, where that does not follow from its name. */
  readonly column?: string
  /** The most that people may write: characters of a text, else a number. */
  readonly max: string
}

export type Fields = Readonly<Record<string, Field<Value>>>

/** What a thing with these fields is. */
export type ValueOf<F> = { readonly [K in keyof F]: F[K] extends Field<infer A extends Value> ? A : never }

type Forms<F, V extends "row" | "json" | "text"> = {
  readonly [K in keyof F]: F[K] extends Readonly<Record<V, infer S>> ? S : never
}

const formsOf = <F extends Fields, V extends "row" | "json" | "text">(fields: F, form: V): Forms<F, V> =>
  // The types of a mapped record are more than TypeScript follows through `Record.map`.
  Record.map(fields, (field) => field[form]) as Forms<F, V>

/** Another name of each field. */
type Names<F> = { readonly [K in keyof F]: string }

/** What things with these fields are where nobody has said it; each field says what it means to leave it out. */
export const defaultsOf = <F extends Fields>(fields: F): ValueOf<F> =>
  Record.map(fields, ({ otherwise }) => Option.getOrThrow(otherwise)) as ValueOf<F>

/** With what it means to leave the field out. */
const withOtherwise = ({ otherwise, text }: Fields[string]) =>
  Option.isNone(otherwise) ? text : Schema.withDecodingDefaultTypeKey(Effect.succeed(otherwise.value))(text)

/** The model of things with these fields. */
export const model = <const F extends Fields>(fields: F) => {
  type Name = keyof F & string
  const names: ReadonlyArray<Name> = Record.keys(fields)
  const entries = names.map((name): readonly [name: Name, field: F[Name]] => [name, fields[name]])
  const columns = Record.map(fields, ({ column }, name) => column ?? columnOf(name)) as Names<F>
  const keys = Record.map(fields, ({ key }, name) => key ?? fileKeyOf(name)) as Names<F>
  const inputOf = (name: Name): string => keys[name].replace(/_(?:cny|usd)$/, "")

  const wrong = (value: ValueOf<F>): ReadonlyArray<Name> =>
    entries.flatMap(([name, field]) => Schema.is(field.value)(value[name]) ? [] : [name])

  /** Reads a value for each field. Fails with the names of the fields that have no value. */
  const readEach = (
    read: (name: Name, field: Field<Value>) => Option.Option<unknown>
  ): Result.Result<ValueOf<F>, ReadonlyArray<Name>> => {
    const found = entries.map(([name, field]) => [name, read(name, field)] as const)
    const unread = found.flatMap(([name, value]) => Option.isNone(value) ? [name] : [])
    return unread.length > 0
      ? Result.fail(unread)
      : Result.succeed(
        Object.fromEntries(found.map(([name, value]) => [name, Option.getOrUndefined(value)])) as ValueOf<F>
      )
  }

  return {
    fields,
    entries,
    names,
    /** Fields of a `Row`. */
    row: formsOf(fields, "row"),
    /** Fields of a `Json`. */
    json: formsOf(fields, "json"),
    /** Fields of a section of config.yaml, where those that mean something when they are left out may be. */
    text: Record.map(fields, withOtherwise) as Forms<F, "text">,
    /** The keys of fields in files. */
    keys,
    /** The columns of fields, which are their keys in JSON, too. */
    columns,
    columnNames: Object.values<string>(columns),
    /** The name of a field's input in forms, which show the unit beside it. */
    inputOf,
    /** The fields that are out of bounds. */
    wrong,
    /** By column: what is written to a row, and what the audit log keeps. */
    toRow: (value: ValueOf<F>): Readonly<Record<string, ValueOf<F>[Name] | string>> =>
      Object.fromEntries(entries.map(([name, field]) => [columns[name], rowValueOf(field, value[name])])),
    /** A row as it is stored. Fails with the columns of values that are something else, or out of bounds. */
    readRow: (row: Readonly<Record<string, unknown>>): Result.Result<ValueOf<F>, ReadonlyArray<string>> =>
      readEach((name, { row: form, value }) => Option.filter(decoded(form, row[name]), Schema.is(value))).pipe(
        Result.mapError((unread) => unread.map((name) => columns[name]))
      ),
    /** Values as JSON has them, in bounds or not; those that are not there are `base`'s. Fails with what is something else. */
    readJson: (json: Readonly<Record<string, unknown>>, base: ValueOf<F>) =>
      readEach((name, field) => json[name] === undefined ? Option.some(base[name]) : decoded(field.json, json[name])),
    /** By input of a form: as somebody would type it. */
    texts: (value: ValueOf<F>): Readonly<Record<string, string>> =>
      Object.fromEntries(entries.map(([name, field]) => [inputOf(name), textOf(field, value[name])])),
    /** What somebody typed; fails with the fields that are wrong. */
    read: (typed: (input: string) => string) => readEach((name, field) => readField(field, typed(inputOf(name)).trim()))
  }
}
export type Model<F extends Fields> = ReturnType<typeof model<F>>

const decoded = <A>(form: Schema.Codec<A, unknown>, value: unknown): Option.Option<A> =>
  Schema.decodeUnknownOption(form)(value)

/** What a row has of a value: the same, or its text. */
const rowValueOf = <A>({ row }: Field<Value>, value: A): A | string =>
  Schema.encodeUnknownSync(row)(value) as A | string

/** The text of a value, as somebody would type it. */
const textOf = ({ text }: Field<Value>, value: unknown): string =>
  value === null ? "" : String(Schema.encodeUnknownSync(text)(value))

/** The value that a text means; none if the text is wrong. */
const readField = ({ mayBeEmpty, otherwise, text: form }: Field<Value>, text: string): Option.Option<Value> =>
  text === "" && mayBeEmpty && Option.isSome(otherwise) ? otherwise : decoded(form, text)
