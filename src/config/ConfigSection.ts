/**
 * A section of config.yaml as a schema: fields with our names and units, read from the keys that the file has. What is wrong is said
 * under the file's keys, every problem at once.
 * @internal
 */
import { Schema, SchemaTransformation } from "effect"
import { fileKeyOf } from "../domain/Scalars.ts"

type Fields = Readonly<Record<string, Schema.ConstraintCodec<unknown, unknown>>>

/** A mapping with these fields. `keys` names the keys that do not follow from the names of their fields. */
export const section = <const F extends Fields>(
  fields: F,
  keys: { readonly [K in keyof F]?: string } = {}
): Schema.Codec<Schema.Struct.Type<F>, unknown> => {
  const names = Object.entries(fields).map(([field, schema]) => ({
    field,
    schema,
    key: keys[field] ?? fileKeyOf(field)
  }))
  return Schema.Struct(Object.fromEntries(names.map(({ key, schema }) => [key, schema]))).pipe(
    Schema.decodeTo(
      Schema.declare((value): value is Schema.Struct.Type<F> => typeof value === "object" && value !== null),
      SchemaTransformation.transform<Schema.Struct.Type<F>, { readonly [key: string]: unknown }>({
        // The fields' own schemas made the values; TypeScript cannot follow their new names.
        decode: (values) =>
          Object.fromEntries(
            names.flatMap(({ field, key }) => Object.hasOwn(values, key) ? [[field, values[key]]] : [])
          ) as Schema.Struct.Type<F>,
        encode: (decoded) => {
          const values = new Map(Object.entries(decoded))
          return Object.fromEntries(
            names.flatMap(({ field, key }) => values.has(field) ? [[key, values.get(field)]] : [])
          )
        }
      })
    )
  )
}
