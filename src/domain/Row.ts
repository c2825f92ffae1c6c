/**
 * Rows as schemas: the fields of a thing, read from the columns of a statement. A field is declared once; its type, its column and
 * the check of what PostgreSQL answered come from there.
 */
import { DateTime, Schema, SchemaTransformation, String as Str } from "effect"

/** The column of a field: `createdAt` is read from `created_at`, `limit5hMicros` from `limit_5h_micros`. */
export const columnOf = (field: string): string => Str.camelToSnake(field.replace(/([a-zA-Z])(\d)/g, "$1_$2"))

/**
 * A row with these fields, each read from the column of its name in snake case. `columns` names those of other names.
 */
export const Row = <const Fields extends Schema.Struct.Fields>(
  fields: Fields,
  columns: { readonly [K in keyof Fields]?: string } = {}
) => {
  const names: { [K in keyof Fields]?: string } = {}
  for (const field of Object.keys(fields) as ReadonlyArray<keyof Fields & string>) {
    names[field] = columns[field] ?? columnOf(field)
  }
  return Object.assign(Schema.Struct(fields).pipe(Schema.encodeKeys(names)), { fields, columns: names })
}

/** What the API says of something: its keys are those of rows. */
export const Json = Row

/** A row with the fields of another one and some more. */
export const RowWith = <const Fields extends Schema.Struct.Fields, const More extends Schema.Struct.Fields>(
  row: { readonly fields: Fields; readonly columns: { readonly [K in keyof Fields]?: string } },
  more: More,
  columns: { readonly [K in keyof More]?: string } = {}
) => Row({ ...row.fields, ...more }, { ...row.columns, ...columns })

/** A column that may be null, for a field that is undefined then. */
export const orUndefined = <T, E>(schema: Schema.Codec<T, E>): Schema.Codec<T | undefined, E | null> =>
  Schema.NullOr(schema).pipe(
    Schema.decodeTo(
      Schema.UndefinedOr(Schema.toType(schema)),
      SchemaTransformation.transform<T | undefined, T | null>({
        decode: (value) => value ?? undefined,
        encode: (value) => value ?? null
      })
    )
  )

/** A column that may be null, for a field that is `otherwise` then. */
export const orElse = <T, E>(schema: Schema.Codec<T, E>, otherwise: T): Schema.Codec<T, E | null> =>
  Schema.NullOr(schema).pipe(
    Schema.decodeTo(
      Schema.toType(schema),
      SchemaTransformation.transform<T, T | null>({ decode: (value) => value ?? otherwise, encode: (value) => value })
    )
  )

/** A count: `bigint` in its column, and a number here, which it fits into. */
export const Count = Schema.BigInt.pipe(
  Schema.decodeTo(Schema.Number, SchemaTransformation.transform({ decode: Number, encode: BigInt }))
)

/** A timestamp, in milliseconds since the epoch. */
export const Millis = Schema.Date.pipe(
  Schema.decodeTo(
    Schema.Number,
    SchemaTransformation.transform({
      decode: (date) => date.getTime(),
      encode: (ms) => DateTime.toDateUtc(DateTime.makeUnsafe(ms))
    })
  )
)
