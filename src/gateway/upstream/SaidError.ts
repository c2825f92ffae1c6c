/**
 * Reads the error body of an upstream. OpenAI's shape is one of many: the message may be in `error.message`, `error`, `message`,
 * `detail` or an array of them, or it may be the whole text.
 */
import { isObject, type JsonObject, parseJson } from "../JsonValue.ts"
import { FAILURE_MESSAGE_CHARS_MAX, FAILURE_NAME_CHARS_MAX, providersMessage } from "../meter/FrameFailure.ts"
import type { SaidError } from "./UpstreamProblem.ts"

/** Text other than JSON is read up to here, in UTF-16 units: an HTML page is no message. */
const PLAIN_CHARACTERS_MAX = 500

/** Messages of an array that are read, at most. */
const MESSAGES_MAX = 5

/** Objects and arrays are followed so deep. */
const NESTING_MAX = 6

/** What Python proxies write for what is not there. */
const isAbsent = (text: string): boolean => text === "" || text === "None" || text === "null"

const scalarText = (value: unknown): string => {
  const text = typeof value === "string" ? value : typeof value === "number" ? String(value) : ""
  return isAbsent(text) ? "" : text.slice(0, FAILURE_NAME_CHARS_MAX)
}

/** Where upstreams say what is wrong, the likeliest key first. */
const messageKeys = ["message", "msg", "detail", "error", "error_msg", "errors", "error_message", "Message", "title"]

/** The first message found, at most `depth` levels down. */
const messageOf = (value: unknown, depth = NESTING_MAX): string => {
  if (typeof value === "string") return value
  if (depth === 0) return ""
  if (Array.isArray(value)) {
    return value.slice(0, MESSAGES_MAX).map((item) => messageOf(item, depth - 1)).filter((text) => text !== "").join(
      "; "
    )
  }
  if (!isObject(value)) return ""
  for (const key of messageKeys) {
    const found = messageOf(value[key], depth - 1)
    if (found !== "") return found
  }
  return ""
}

const errorObjectOf = (json: unknown): JsonObject | undefined => {
  const whole = Array.isArray(json) ? json.find(isObject) : json
  if (!isObject(whole)) return undefined
  return isObject(whole.error) ? whole.error : whole
}

/** A page, or the one line of Cloudflare. */
const page = /^\s*<|^error code: \d+\s*$/

/** The error that a body says, whatever its shape. */
export const saidErrorOf = (status: number | undefined, body: string): SaidError => {
  const json = parseJson(body)
  if (json === undefined) {
    const isPage = page.test(body)
    return {
      status,
      code: "",
      type: "",
      message: isPage ? "" : body.slice(0, PLAIN_CHARACTERS_MAX),
      param: null,
      isPage
    }
  }
  const error = errorObjectOf(json)
  const code = scalarText(error?.code)
  const param = scalarText(error?.param)
  const provided = error === undefined ? undefined : providersMessage(error)
  return {
    status,
    // A code that only repeats the status says nothing.
    code: /^\d{3}$/.test(code) ? scalarText(error?.status) : code,
    type: scalarText(error?.type ?? error?.__type),
    // Some upstreams repeat the whole request in it; telling errors apart takes time in proportion.
    message: (provided ?? messageOf(json)).slice(0, FAILURE_MESSAGE_CHARS_MAX),
    param: param === "" ? null : param
  }
}

/** `Retry-After` as seconds, date or `retry-after-ms`, in whole seconds from 0 to an hour. Undefined: not said. */
export const retryAfterOf = (header: (name: string) => string | undefined, nowMs: number): number | undefined => {
  const text = header("retry-after")
  const exact = numberIn(header("retry-after-ms") ?? "")
  const seconds = exact === undefined ? text && secondsOf(text, nowMs) : exact / 1_000
  if (typeof seconds !== "number") return undefined
  return Math.min(Math.max(Math.ceil(seconds), 0), RETRY_AFTER_SECONDS_MAX)
}

const RETRY_AFTER_SECONDS_MAX = 3_600

/** A number, with its unit or the same header's second value behind it. */
const numberIn = (text: string): number | undefined => {
  const found = /^\s*(\d+(?:\.\d+)?)\s*(?:m?s|sec(?:ond)?s?)?\s*(?:,.*)?$/i.exec(text)?.[1]
  return found === undefined ? undefined : Number(found)
}

const secondsOf = (text: string, nowMs: number): number | undefined => {
  const seconds = numberIn(text)
  if (seconds !== undefined) return seconds
  // HTTP's older forms of a date name no zone; it is GMT in all of them.
  const dateMs = Date.parse(/(?:[a-z]|[+-]\d\d:?\d\d)\s*$/i.test(text) ? text : `${text} GMT`)
  return Number.isNaN(dateMs) ? undefined : (dateMs - nowMs) / 1_000
}
