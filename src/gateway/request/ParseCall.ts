/**
 * Parses the body of a call: one pass over its bytes, which checks it against the admission table of its dialect and counts what
 * bounds its price. Nothing is built for the body, so its size costs time but no memory.
 */
import { isObject, parseJson } from "../JsonValue.ts"
import type { Call, Dialect, OutputLimitField, Refused } from "./Call.ts"
import { dialectTables } from "./DialectTables.ts"
import { bufferOf } from "./JsonBytes.ts"
import type { JsonField } from "./JsonFields.ts"
import { type ReadBody, readBody } from "./ReadBody.ts"
import { invalid } from "./Refusal.ts"

/** The call in `body`, or why it is refused (400). Pure and synchronous. */
export function parseCall(dialect: Dialect, body: Uint8Array): Call | Refused {
  const read = readBody(dialect, body)
  return read._tag === "Refused" ? read : callOf(dialect, body, read)
}

const fieldOf = (fields: ReadonlyArray<JsonField>, key: string): JsonField | undefined => {
  for (const field of fields) if (field.key === key) return field
  return undefined
}

/** The parsed value of a small field; undefined when it is absent or null. */
const valueOf = (body: Uint8Array, fields: ReadonlyArray<JsonField>, key: string): unknown => {
  const field = fieldOf(fields, key)
  if (field === undefined) return undefined
  return parseJson(bufferOf(body).toString("utf8", field.valueStart, field.valueEnd)) ?? undefined
}

function callOf(dialect: Dialect, body: Uint8Array, read: ReadBody): Call | Refused {
  const { reading, fields } = read
  const model = valueOf(body, fields, "model")
  if (typeof model !== "string") return invalid("model", "You must provide a model parameter.")
  const table = dialectTables[dialect]
  const input = fieldOf(fields, table.input)
  if (input === undefined || isNull(body, input)) {
    return invalid(table.input, `Missing required parameter: '${table.input}'.`)
  }
  const limit = limitOf(body, fields, table.limits)
  const { hostedFields, hostedTools, places, references, tally } = reading
  const options = dialect === "chat" ? valueOf(body, fields, "stream_options") : undefined
  const answers = dialect === "chat" ? valueOf(body, fields, "n") : undefined
  const toolCallsMax = valueOf(body, fields, "max_tool_calls")
  return {
    _tag: "Call",
    dialect,
    body,
    fields,
    model,
    stream: dialect !== "embeddings" && valueOf(body, fields, "stream") === true,
    n: typeof answers === "number" ? answers : 1,
    outputLimit: limit?.tokens,
    outputLimitField: limit?.field,
    wantsUsage: isObject(options) && options.include_usage === true,
    store: valueOf(body, fields, "store") !== false,
    input: tally,
    references,
    hostedTools: hostedTools.size === 0 ? noTools : [...hostedTools],
    ...(hostedFields.size === 0 ? {} : { hostedFields: [...hostedFields] }),
    ...(Object.keys(places).length === 0 ? {} : { places }),
    toolCallsMax: typeof toolCallsMax === "number" ? toolCallsMax : undefined,
    unknownFields: read.unknownFields
  }
}

const noTools: ReadonlyArray<string> = []

const isNull = (body: Uint8Array, field: JsonField): boolean =>
  field.valueEnd - field.valueStart === 4 && body[field.valueStart] === 0x6e

/**
 * The limit that the client set; undefined: none. Clients that cannot know which one an upstream reads set both: then the smaller one
 * counts, as the field that all of OpenAI's models know.
 */
const limitOf = (
  body: Uint8Array,
  fields: ReadonlyArray<JsonField>,
  names: ReadonlyArray<OutputLimitField>
): { readonly field: OutputLimitField; readonly tokens: number } | undefined => {
  const limits = names.flatMap((field) => {
    const tokens = valueOf(body, fields, field)
    return typeof tokens === "number" ? [{ field, tokens }] : []
  })
  const last = limits.at(-1)
  return last === undefined ? undefined : { field: last.field, tokens: Math.min(...limits.map(({ tokens }) => tokens)) }
}
