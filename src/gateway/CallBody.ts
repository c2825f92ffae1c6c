/**
 * Reads the body of a call as one unambiguous JSON object. What two parsers could understand differently - repeated
 * keys, keys that differ in case only - is refused where the gateway prices by it, so that what was priced is what
 * the upstream reads.
 */
import {
  applyRules,
  type Call,
  commonRules,
  type Dialect,
  invalid,
  limitFieldsOf,
  modelRefusal,
  type Refused,
  type Rule
} from "./CallRequest.ts"
import { countMembers, duplicateKeys } from "./JsonDuplicates.ts"
import { bufferOf, type JsonField, scanObject } from "./JsonFields.ts"
import { isObject, type JsonObject, parseJson } from "./JsonValue.ts"

/** What the input of a call amounts to. */
export interface CallInput {
  readonly messages: number
  readonly images: number
  readonly imageBytes: number
}

/** How one dialect reads a body. */
export interface CallReader {
  readonly dialect: Dialect
  readonly rules: ReadonlyArray<readonly [param: string, rule: Rule]>
  readonly input: (json: JsonObject) => CallInput | Refused
}

/** Keys below the top level that decide about price or refusal; repeated in one object they are ambiguous. */
const nestedKeys: ReadonlyArray<string> = [
  "type",
  "role",
  "id",
  "content",
  "text",
  "output",
  "image_url",
  "url",
  "file",
  "file_id",
  "file_url",
  "file_data",
  "audio",
  "tools",
  "include_usage"
]

/** Top-level keys that a dialect gives a meaning here. */
const knownKeys = (reader: CallReader): ReadonlySet<string> => {
  let known = knownByDialect.get(reader.dialect)
  if (known === undefined) {
    const rules = [...commonRules, ...reader.rules].map(([param]) => param)
    known = new Set([...rules, "model", reader.dialect === "chat" ? "messages" : "input"])
    knownByDialect.set(reader.dialect, known)
  }
  return known
}
const knownByDialect = new Map<Dialect, ReadonlySet<string>>()

/** Go servers match keys without regard to case, by Unicode folding: `ſtream` is `stream` to them. */
const fold = (key: string): string => key.toUpperCase().toLowerCase()

/** Parses `body` as a call of the reader's dialect. */
export function readCall(body: Uint8Array, reader: CallReader): Call | Refused {
  const scanned = scanObject(body)
  if (!scanned.ok) return invalid(null, scanned.message)
  const json = parseJson(bufferOf(body).toString("utf8"))
  if (!isObject(json)) return invalid(null, "The request body is not valid JSON.")
  const refused = modelRefusal(json.model) ?? applyRules(json, commonRules) ?? applyRules(json, reader.rules) ??
    ambiguity(body, scanned.fields, reader, json, scanned.memberCount)
  if (refused !== undefined) return refused
  const input = reader.input(json)
  if ("_tag" in input) return input
  const limitField = limitFieldsOf(reader.dialect).find((field) => typeof json[field] === "number")
  const options = json.stream_options
  return {
    _tag: "Call",
    dialect: reader.dialect,
    body,
    fields: scanned.fields,
    model: String(json.model),
    stream: json.stream === true,
    n: reader.dialect === "chat" && typeof json.n === "number" ? json.n : 1,
    outputLimit: limitField === undefined ? undefined : Number(json[limitField]),
    outputLimitField: limitField,
    wantsUsage: reader.dialect === "chat" && isObject(options) && options.include_usage === true,
    inputBytes: body.length - input.imageBytes,
    messages: input.messages,
    images: input.images
  }
}

function ambiguity(
  body: Uint8Array,
  fields: ReadonlyArray<JsonField>,
  reader: CallReader,
  json: JsonObject,
  memberCount: number
): Refused | undefined {
  const read = knownKeys(reader)
  for (const { key } of fields) {
    const folded = fold(key)
    if (key !== folded && read.has(folded)) {
      return invalid(key.slice(0, 64), `Unrecognized request argument supplied: did you mean '${folded}'?`)
    }
  }
  if (countMembers(json) === memberCount) return undefined
  const repeated = duplicateKeys(body)
  const key = nestedKeys.find((candidate) => repeated.has(candidate))
  return key === undefined ? undefined : invalid(null, `The request body repeats the key "${key}" in one object.`)
}
