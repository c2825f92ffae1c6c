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

/** What a form sends of a field: a text, whether it is ticked, or the options that are chosen. */
type Typed = string | boolean | null | ReadonlyArray<string>

/** What values a field takes, for those who show an input or say a range. Both ends of a range belong to it. */
export type Kind =
  | { readonly is: "integer"; readonly min: number; readonly max: number; readonly isOptional: boolean }
  /** Scaled by 10^6. */
  | { readonly is: "decimal"; readonly min: bigint; readonly max: bigint }
  /** Amounts from zero to `max` fen, or micros. */
  | { readonly is: "cny" | "usd"; readonly max: bigint; readonly isOptional: boolean }
  /** On one line, unless it has `lines`: so many are shown of it at once. */
  | { readonly is: "text"; readonly charactersMax: number; readonly isOptional: boolean; readonly lines?: number }
  /** A day of the calendar, `YYYY-MM-DD`; empty where there is none. */
  | { readonly is: "day"; readonly isOptional: boolean }
  | { readonly is: "flag" }
  | { readonly is: "choice"; readonly options: ReadonlyArray<string> }
  /** Any of the options, in their order. */
  | { readonly is: "choices"; readonly options: ReadonlyArray<string> }

/** A field whose value is an `A`, in every form that it takes. */
export interface Field<A> {
  readonly kind: Kind
  /** The value within its bounds. */
  readonly value: Schema.Codec<A>
  /** In a row, in bounds or not: another version of the server may have written it. */
  readonly row: Schema.Codec<A, Value>
  /** In the JSON of the API, in bounds or not. */
  readonly json: Schema.Codec<A, JsonValue>
  /** As people write it in files, within its bounds. */
  readonly text: Schema.Codec<A, unknown>
  /** As people type or choose it in a form, in bounds or not. What means nothing is a value that is out of bounds. */
  readonly typed: Schema.Codec<A, Typed>
  /** What it means to leave it out of a file; none: it has to be there. */
  readonly otherwise: Option.Option<A>
  /** An input of a form that is left empty means the same; else it is wrong. */
  readonly mayBeEmpty: boolean
  /** Its key in files, where that does not follow from its name. */
  readonly key?: string
  /** Its column, where that does not follow from its name. */
  readonly column?: string
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
    /** The entries of a form, as somebody would send it: each option that is chosen, and a tick, is an entry of its own. */
    toForm: (value: ValueOf<F>): Array<[input: string, text: string]> =>
      entries.flatMap(([name, field]) =>
        textsOf(field, value[name]).map((text): [string, string] => [inputOf(name), text])
      ),
    /**
     * What somebody sent, in bounds or not, so that everything that is wrong can be said at once; what was not sent is `base`'s.
     * Fails with the fields whose values are something else, such as options that there are not.
     */
    readForm: (form: URLSearchParams, base?: ValueOf<F>) =>
      readEach((name, field) => {
        const sent = sentOf(field, form, inputOf(name))
        if (sent === undefined && base !== undefined) return Option.some(base[name])
        const isEmpty = sent === undefined || sent === ""
        return isEmpty && field.mayBeEmpty ? field.otherwise : decoded(field.typed, sent ?? "")
      })
  }
}
export type Model<F extends Fields> = ReturnType<typeof model<F>>

const decoded = <A>(form: Schema.Codec<A, unknown>, value: unknown): Option.Option<A> =>
  Schema.decodeUnknownOption(form)(value)

/** What a row has of a value: the same, or its text. */
const rowValueOf = <A>({ row }: Field<Value>, value: A): A | string =>
  Schema.encodeUnknownSync(row)(value) as A | string

/** A value as the texts that a form has of it. */
export const textsOf = ({ typed }: Field<Value>, value: unknown): ReadonlyArray<string> => {
  const sent = Schema.encodeUnknownSync(typed)(value)
  if (typeof sent === "boolean") return sent ? ["1"] : []
  return typeof sent === "object" ? sent ?? [""] : [sent]
}

/** Undefined: the field was not sent. A tick or a choice that is not sent is one that is not set. */
const sentOf = ({ kind: { is } }: Field<Value>, form: URLSearchParams, input: string): Typed | undefined =>
  is === "flag"
    ? form.has(input)
    : is === "choices"
    ? form.getAll(input)
    : form.get(input)?.trim().replaceAll("\r\n", "\n")
