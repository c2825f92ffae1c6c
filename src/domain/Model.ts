/**
 * One model for one thing: each field is described once, with its bounds, and everything that carries the thing is derived from it -
 * the row in PostgreSQL, the JSON of the API, the keys of config.yaml, the fields of forms, and the facts of the audit log.
 */
import { Effect, Option, Record, Result, Schema } from "effect"
import { columnOf } from "./Row.ts"
import { fileKeyOf } from "./Scalars.ts"

/** What a field may hold. */
type Value = string | number | bigint

/** A field whose value is an `A`, in every form that it takes. */
export interface Field<A> {
  /** The value within its bounds. */
  readonly value: Schema.Codec<A>
  /** In a row, in bounds or not: another version of the server may have written it. */
  readonly row: Schema.Codec<A, unknown>
  /** In the JSON of the API, in bounds or not. */
  readonly json: Schema.Codec<A, string | number>
  /** As people write it in files and forms, within its bounds. */
  readonly text: Schema.Codec<A, unknown>
  /** What it means to leave it out of a file; none: it has to be there. */
  readonly otherwise: Option.Option<A>
  /** An input of a form that is left empty means the same; else it is wrong. */
  readonly mayBeEmpty: boolean
  /** Its key in files, where that does not follow from its name. */
  readonly key?: string
  /** The most that people may write: characters of a text, else a number. */
  readonly max: string
}

export type Fields = Readonly<Record<string, Field<string> | Field<number> | Field<bigint>>>

/** What a thing with these fields is. */
export type ValueOf<F> = { readonly [K in keyof F]: F[K] extends Field<infer A extends Value> ? A : never }

type Forms<F, V extends "row" | "json" | "text"> = {
  readonly [K in keyof F]: F[K] extends Readonly<Record<V, infer S>> ? S : never
}

const formsOf = <F extends Fields, V extends "row" | "json" | "text">(fields: F, form: V): Forms<F, V> =>
  // The types of a mapped record are more than TypeScript follows through `Record.map`.
  Record.map(fields, (field) => field[form]) as Forms<F, V>

/** With what it means to leave the field out. */
const withOtherwise = ({ otherwise, text }: Fields[string]) => {
  const value: Option.Option<Value> = otherwise
  if (Option.isNone(value)) return text
  const written = Schema.encodeUnknownSync(text)(value.value)
  return Schema.withDecodingDefaultKey(Effect.succeed(written))(text)
}

/** The model of things with these fields. */
export const model = <const F extends Fields>(fields: F) => {
  const names: ReadonlyArray<keyof F & string> = Record.keys(fields)
  const keyOf = (name: keyof F & string): string => fields[name]?.key ?? fileKeyOf(name)
  const inputOf = (name: keyof F & string): string => keyOf(name).replace(/_(?:cny|usd)$/, "")
  return {
    fields,
    names,
    /** Fields of a `Row`. */
    row: formsOf(fields, "row"),
    /** Fields of a `Json`. */
    json: formsOf(fields, "json"),
    /** Fields of a section of config.yaml, where those that mean something when they are left out may be. */
    text: Record.map(fields, withOtherwise) as Forms<F, "text">,
    /** The key of a field in files. */
    keyOf,
    /** The name of its input in forms, which show the unit beside it. */
    inputOf,
    /** The fields that are out of bounds. */
    wrong: (value: ValueOf<F>): ReadonlyArray<keyof F & string> =>
      names.filter((name) => {
        const field = fields[name]
        return field === undefined || !Schema.is(field.value)(value[name])
      }),
    /** The columns of a row. */
    columnNames: names.map(columnOf),
    /** By column: what is written to a row, and what the audit log keeps. */
    columns: (value: ValueOf<F>): Readonly<Record<string, Value>> =>
      Object.fromEntries(names.map((name) => [columnOf(name), valueAt(value, name)])),
    /** By input of a form: as somebody would type it. */
    texts: (value: ValueOf<F>): Readonly<Record<string, string>> =>
      Object.fromEntries(names.map((name) => [inputOf(name), textOf(fields[name], valueAt(value, name))])),
    /** What somebody typed; fails with the fields that are wrong. */
    read: (typed: (input: string) => string): Result.Result<ValueOf<F>, ReadonlyArray<keyof F & string>> => {
      const values: Record<string, Value> = {}
      const wrong: Array<keyof F & string> = []
      for (const name of names) {
        const value = readField(fields[name], typed(inputOf(name)).trim())
        if (value === undefined) wrong.push(name)
        else values[name] = value
      }
      return wrong.length === 0 ? Result.succeed(values as ValueOf<F>) : Result.fail(wrong)
    }
  }
}

const isValue = (value: unknown): value is Value =>
  typeof value === "string" || typeof value === "number" || typeof value === "bigint"

const valueAt = (values: object, name: string): Value => {
  const value: unknown = Reflect.get(values, name)
  if (isValue(value)) return value
  throw new TypeError(`${name} has no value`)
}

/** The text of a value, as somebody would type it. */
const textOf = (field: Fields[string] | undefined, value: Value): string => {
  const encoded = Schema.encodeUnknownResult(field?.text ?? Schema.Never)(value)
  return Result.isSuccess(encoded) ? String(encoded.success) : ""
}

/** The value that a text means; undefined if the text is wrong. */
const readField = (field: Fields[string] | undefined, text: string): Value | undefined => {
  if (field === undefined) return undefined
  const otherwise: Option.Option<Value> = field.otherwise
  if (text === "" && field.mayBeEmpty && Option.isSome(otherwise)) return otherwise.value
  return Option.getOrUndefined(Result.getSuccess(Schema.decodeUnknownResult(field.text)(text)))
}
