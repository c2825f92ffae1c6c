/**
 * What an upstream says about a failure inside an answer: read from every place and shape in which upstreams say it. The words
 * are the upstream's own, for logs and for telling kinds of failures apart; clients get the gateway's.
 */
import { isObject, type JsonObject, parseJson } from "../JsonValue.ts"
import { codeKeys } from "./FrameKeys.ts"

export interface FrameFailure {
  /** The HTTP status that the upstream names for it, 400 to 599. */
  readonly status: number | undefined
  readonly code: string | undefined
  readonly type: string | undefined
  readonly message: string | undefined
}

export const unknownFailure: FrameFailure = { status: undefined, code: undefined, type: undefined, message: undefined }

/** A message is cut behind so many UTF-16 units. */
export const FAILURE_MESSAGE_CHARS_MAX = 4096

/** A code, a type or the name of a parameter behind so many. */
export const FAILURE_NAME_CHARS_MAX = 256

/** Errors in errors are followed so deep. */
const NESTING_MAX = 4

const messageKeys = ["message", "msg", "detail", "error_msg", "error_message", "status_msg", "reason"]
const typeKeys = ["type", "status"]
const statusKeys = ["status", "status_code", "statusCode", "http_status", "code"]

const first = <A>(object: JsonObject, keys: ReadonlyArray<string>, read: (value: unknown) => A | undefined) => {
  for (const key of keys) {
    const found = read(object[key])
    if (found !== undefined) return found
  }
  return undefined
}

function httpStatus(value: unknown): number | undefined {
  const number = typeof value === "string" && /^[45]\d\d$/.test(value) ? Number(value) : value
  return typeof number === "number" && Number.isInteger(number) && number >= 400 && number <= 599 ? number : undefined
}

/** A code that only repeats the HTTP status is left out. */
function codeText(value: unknown): string | undefined {
  if (httpStatus(value) !== undefined || value === "" || value === 0) return undefined
  return typeof value === "string" || typeof value === "number"
    ? String(value).slice(0, FAILURE_NAME_CHARS_MAX)
    : undefined
}

const typeText = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" && value !== "error" && httpStatus(value) === undefined
    ? value.slice(0, FAILURE_NAME_CHARS_MAX)
    : undefined

/** Text, or the texts of a list such as FastAPI's `detail`. */
function messageText(value: unknown): string | undefined {
  if (typeof value === "string") return value === "" ? undefined : value.slice(0, FAILURE_MESSAGE_CHARS_MAX)
  if (Array.isArray(value)) {
    const texts = value.slice(0, NESTING_MAX).map((item) => isObject(item) ? messageText(item.msg) : messageText(item))
    return messageText(texts.filter((text) => text !== undefined).join("; "))
  }
  return undefined
}

const objectsOf = (value: unknown): ReadonlyArray<JsonObject> => Array.isArray(value) ? value.filter(isObject) : []

/** The innermost error that says something, whatever it is wrapped in. */
function innermost(error: JsonObject): JsonObject {
  let found = error
  for (let depth = 0; depth < NESTING_MAX; depth++) {
    const next = [found.error, found.detail, found.message, ...objectsOf(found.errors)].find(isObject)
    if (next === undefined) break
    found = next
  }
  return found
}

/** A provider's words that are no JSON are read up to here, in UTF-16 units: a page is no message. */
const RAW_CHARS_MAX = 500

/** The words of the provider behind an OpenRouter, whose own are the same for every error. */
export function providersMessage({ metadata }: JsonObject): string | undefined {
  const raw = isObject(metadata) ? metadata.raw : undefined
  if (isObject(raw)) return failureAround(raw).message
  if (typeof raw !== "string" || raw === "") return undefined
  const json = parseJson(raw)
  return json === undefined ? raw.slice(0, RAW_CHARS_MAX) : failureAround(json).message
}

const failureFrom = (error: JsonObject, around: JsonObject): FrameFailure => {
  const inner = innermost(error)
  return {
    status: first(inner, statusKeys, httpStatus) ?? first(around, statusKeys, httpStatus),
    code: first(inner, codeKeys, codeText) ?? first(around, codeKeys, codeText),
    type: first(inner, typeKeys, typeText),
    message: providersMessage(inner) ?? first(inner, messageKeys, messageText) ??
      first(around, messageKeys, messageText)
  }
}

/** It says anything: nulls and empty texts alone are no error. */
const isReported = (value: unknown, depth = NESTING_MAX): boolean => {
  if (typeof value !== "object" || value === null) return Boolean(value)
  return depth === 0 || Object.values(value).some((member) => isReported(member, depth - 1))
}

/** Values under `error`, outermost first, each with the object that has it. */
function errorsOf(json: JsonObject): ReadonlyArray<readonly [error: unknown, around: JsonObject]> {
  const choices = objectsOf(json.choices)
  const holders = [json, ...choices, ...choices.flatMap((choice) => [choice.delta, choice.message])]
  return [...holders, json.response, json.message, json.data, json.result].filter(isObject)
    .filter((holder) => isReported(holder.error))
    .map((holder) => [holder.error, holder] as const)
}

/** Codes of success, in words. */
const wellCodes: ReadonlySet<unknown> = new Set(["ok", "success", "succeeded"])

/** A `code` beside a message in words: the code of a failure, unless it is one of success. */
export function isFailureCode(code: unknown): boolean {
  if (typeof code === "string") {
    const number = Number(code)
    return code.trim() !== "" && (Number.isNaN(number) ? !wellCodes.has(code.toLowerCase()) : isFailureCode(number))
  }
  return typeof code === "number" && code !== 0 && !(code >= 200 && code < 300)
}

const failedStatuses: ReadonlySet<unknown> = new Set(["error", "fail", "failed", "failure"])

/** A `status` beside a message in words that says it failed, by its HTTP number or in a word. */
export const isFailureStatus = (status: unknown): boolean =>
  failedStatuses.has(status) || httpStatus(status) !== undefined

/** A frame in the shape `{"code": 50505, "message": "…"}`, or with a `status` or a `success` that says that it failed. */
const isCodedMessage = (json: JsonObject): boolean =>
  typeof json.message === "string" && json.message !== "" && (json.choices === undefined || json.choices === null) &&
  (isFailureStatus(json.status) || json.success === false || codeKeys.some((key) => isFailureCode(json[key])))

/** The failure that a frame or a body reports; undefined when it reports none. A `finish_reason` of `error` is one. */
export function failureOf(value: unknown): FrameFailure | undefined {
  const json: unknown = Array.isArray(value) ? value[0] : value
  if (!isObject(json)) return undefined
  for (const [error, around] of errorsOf(json)) {
    if (isObject(error)) return failureFrom(error, around)
    const message = messageText(error)
    const outer = failureFrom(around, around)
    return { ...outer, type: message === undefined ? outer.type : undefined, message: message ?? outer.message }
  }
  if (json.object === "error" || json.type === "error" || isCodedMessage(json)) return failureFrom(json, json)
  if (isObject(json.response) && json.response.status === "failed") return unknownFailure
  if (json.status === "failed") return unknownFailure
  if (objectsOf(json.choices).some((choice) => choice.finish_reason === "error")) return unknownFailure
  return undefined
}

/** What an answer with neither output nor an end says of itself, such as `{"detail":"…"}` with status 200. */
export function failureAround(value: unknown): FrameFailure {
  const json: unknown = Array.isArray(value) ? value[0] : value
  if (!isObject(json)) return unknownFailure
  return failureFrom(isObject(json.base_resp) ? json.base_resp : json, json)
}
