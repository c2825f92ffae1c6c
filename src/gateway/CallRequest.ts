/**
 * One parsed call to `/v1/*`, in the terms both dialects share: what is needed to price it, to hold for it and to
 * forward it. Only what the gateway must know is read; a refusal says which parameter and why, in OpenAI's words.
 */
import { Buffer } from "node:buffer"
import { type JsonField, rewriteObject, scanObject } from "./JsonFields.ts"
import { isObject, type JsonObject } from "./JsonValue.ts"

/** Which of OpenAI's two APIs a call, and so its answer, speaks. */
export type Dialect = "chat" | "responses"

export type OutputLimitField = "max_tokens" | "max_completion_tokens" | "max_output_tokens"

export interface Call {
  readonly _tag: "Call"
  readonly dialect: Dialect
  /** The body as the client sent it, and its top-level members. */
  readonly body: Uint8Array
  readonly fields: ReadonlyArray<JsonField>
  readonly model: string
  readonly stream: boolean
  /** Answers asked for; each may be as long as `outputLimit`. */
  readonly n: number
  /** The client's own limit in tokens per answer, and the field it used. */
  readonly outputLimit: number | undefined
  readonly outputLimitField: OutputLimitField | undefined
  /** The client asked for the usage frame (`stream_options.include_usage`). */
  readonly wantsUsage: boolean
  /** Bytes of the body without its image URLs: an upper bound of the text that is priced. */
  readonly inputBytes: number
  readonly messages: number
  readonly images: number
}

export interface Refused {
  readonly _tag: "Refused"
  readonly status: 400
  readonly code: "invalid_request_error" | "unsupported_parameter"
  readonly param: string | null
  readonly message: string
}

/** Longest model name accepted, in UTF-16 units. */
export const MODEL_CHARS_MAX = 256
/** Most answers one call may ask for. */
export const ANSWERS_MAX = 128
/** Largest token limit accepted. */
export const OUTPUT_LIMIT_TOKENS_MAX = 2 ** 31 - 1
/** A token of text is estimated at this many UTF-8 bytes; ordinary text has four or more. */
export const BYTES_PER_TOKEN = 3
/** Estimate of what a message costs beyond its text: role, delimiters, name. */
export const TOKENS_PER_MESSAGE = 8
/** Estimate of one image, a full-detail picture of common size; providers differ. */
export const TOKENS_PER_IMAGE = 1600

export const invalid = (param: string | null, message: string): Refused => ({
  _tag: "Refused",
  status: 400,
  code: "invalid_request_error",
  param,
  message
})

export const unsupported = (param: string, message: string): Refused => ({
  _tag: "Refused",
  status: 400,
  code: "unsupported_parameter",
  param,
  message
})

/** A rule over one top-level parameter that is present and not null. */
export type Rule = (value: unknown, param: string) => Refused | undefined

export const refuseAlways = (why: string): Rule => (_, param) =>
  unsupported(param, `Unsupported parameter: '${param}' ${why}.`)

export const boolean: Rule = (value, param) =>
  typeof value === "boolean" ? undefined : invalid(param, `Invalid type for '${param}': expected a boolean.`)

export const integerBetween = (least: number, most: number): Rule => (value, param) =>
  typeof value === "number" && Number.isInteger(value) && value >= least && value <= most
    ? undefined
    : invalid(param, `Invalid value for '${param}': expected an integer from ${least} to ${most}.`)

export const outputLimitRule: Rule = integerBetween(1, OUTPUT_LIMIT_TOKENS_MAX)

/** Other tiers have other prices, and `auto` leaves the choice to the upstream. */
const serviceTier: Rule = (value, param) => {
  if (typeof value !== "string") return invalid(param, `Invalid type for '${param}': expected a string.`)
  if (value === "default") return undefined
  return unsupported(param, `Unsupported value: '${param}' must be 'default' here, got '${value.slice(0, 32)}'.`)
}

const streamOptions: Rule = (value, param) => {
  if (!isObject(value)) return invalid(param, `Invalid type for '${param}': expected an object.`)
  const wanted = value.include_usage
  return wanted === undefined || wanted === null ? undefined : boolean(wanted, `${param}.include_usage`)
}

const unmetered = refuseAlways("is not metered by this gateway")

/** Rules both dialects share. A parameter that holds null counts as absent. */
export const commonRules: ReadonlyArray<readonly [param: string, rule: Rule]> = [
  ["stream", boolean],
  ["stream_options", streamOptions],
  ["service_tier", serviceTier],
  ["background", (value, param) => boolean(value, param) ?? (value === true ? unmetered(value, param) : undefined)],
  ["previous_response_id", refuseAlways("refers to stored input that the gateway cannot see")],
  ["conversation", refuseAlways("refers to stored input that the gateway cannot see")]
]

/** The first refusal of `rules`, in order. */
export function applyRules(
  json: JsonObject,
  rules: ReadonlyArray<readonly [param: string, rule: Rule]>
): Refused | undefined {
  for (const [param, rule] of rules) {
    const value = json[param]
    const refused = value === undefined || value === null ? undefined : rule(value, param)
    if (refused !== undefined) return refused
  }
  return undefined
}

export function modelRefusal(value: unknown): Refused | undefined {
  if (value === undefined || value === null) return invalid("model", "You must provide a model parameter.")
  if (typeof value !== "string") return invalid("model", "Invalid type for 'model': expected a string.")
  if (value === "" || value.length > MODEL_CHARS_MAX) {
    return invalid("model", `Invalid value for 'model': expected 1 to ${MODEL_CHARS_MAX} characters.`)
  }
  return undefined
}

/** Tokens the input is held for: text by its bytes, a fixed cost per message and per image. An estimate from above. */
export const holdInputTokens = (call: Pick<Call, "inputBytes" | "messages" | "images">): number =>
  Math.ceil(call.inputBytes / BYTES_PER_TOKEN) + TOKENS_PER_MESSAGE * call.messages + TOKENS_PER_IMAGE * call.images

export interface Forwarding {
  readonly upstreamModel: string
  /** The limit that was held; takes the place of the client's. */
  readonly outputLimit?: { readonly field: OutputLimitField; readonly value: number }
  /** Ask a chat stream for its usage frame; false for a channel that does not know the option. */
  readonly includeUsage: boolean
}

/** The token limits a dialect knows; the client may set one of them. */
export const limitFieldsOf = (dialect: Dialect): ReadonlyArray<OutputLimitField> =>
  dialect === "chat" ? ["max_tokens", "max_completion_tokens"] : ["max_output_tokens"]

/** The body to send upstream: what the gateway read or changes is written by it, all other values keep their bytes. */
export function forwardBody(call: Call, forwarding: Forwarding): Uint8Array {
  const present = new Set(call.fields.map((field) => field.key))
  const changes = new Map<string, string | undefined>([["model", JSON.stringify(forwarding.upstreamModel)]])
  if (present.has("stream")) changes.set("stream", String(call.stream))
  if (present.has("n")) changes.set("n", String(call.n))
  const limit = forwarding.outputLimit
  const limited = limit?.field ?? call.outputLimitField
  // What is left of the limits is null in the client's body: two of them, even so, and some upstreams object.
  for (const field of limitFieldsOf(call.dialect)) {
    if (field !== limited && present.has(field)) changes.set(field, undefined)
  }
  if (limited !== undefined) changes.set(limited, String(limit?.value ?? call.outputLimit))
  if (call.dialect === "chat" && call.stream) {
    changes.set("stream_options", streamOptionsOf(call, forwarding.includeUsage))
  }
  return rewriteObject(call.body, call.fields, changes)
}

/** The client's stream options with `include_usage` set, or taken out; undefined when nothing is left. */
function streamOptionsOf(call: Call, includeUsage: boolean): string | undefined {
  const field = call.fields.find((candidate) => candidate.key === "stream_options")
  const own = field === undefined ? undefined : call.body.subarray(field.valueStart, field.valueEnd)
  const scanned = own === undefined ? undefined : scanObject(own)
  if (own === undefined || !scanned?.ok) return includeUsage ? '{"include_usage":true}' : undefined
  const others = scanned.fields.some((member) => member.key !== "include_usage")
  if (!includeUsage && !others) return undefined
  const changes = new Map([["include_usage", includeUsage ? "true" : undefined]])
  return Buffer.from(rewriteObject(own, scanned.fields, changes)).toString()
}
