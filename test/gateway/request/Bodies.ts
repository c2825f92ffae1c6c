/**
 * Bodies for the tests of the request side, and what became of them.
 */
import { Buffer } from "node:buffer"
import type { Admitted, Call, Dialect, Refused } from "../../../src/gateway/request/Call.ts"
import { parseCall } from "../../../src/gateway/request/ParseCall.ts"

export const encode = (value: unknown): Buffer => Buffer.from(typeof value === "string" ? value : JSON.stringify(value))

export const messages = [{ role: "user", content: "hi" }]

/** A chat call with `extra` fields, or with a body that is given as text. */
export const chat = (extra: object | string): Call | Refused =>
  parseCall("chat", encode(typeof extra === "string" ? extra : { model: "m", messages, ...extra }))

export const responses = (extra: object | string): Call | Refused =>
  parseCall("responses", encode(typeof extra === "string" ? extra : { model: "m", input: "hi", ...extra }))

export const embeddings = (extra: object | string): Call | Refused =>
  parseCall("embeddings", encode(typeof extra === "string" ? extra : { model: "m", input: "hi", ...extra }))

export const parseAs: Readonly<Record<Dialect, (extra: object | string) => Call | Refused>> = {
  chat,
  responses,
  embeddings
}

/** A chat call whose only message has this content part. */
export const part = (content: object) => ({ messages: [{ role: "user", content: [content] }] })

/** A call to `/v1/responses` whose only input item is this. */
export const item = (value: object) => ({ input: [value] })

export const callOf = (parsed: Call | Refused): Call => {
  if (parsed._tag === "Refused") throw new Error(`${parsed.param}: ${parsed.message}`)
  return parsed
}

export const admittedOf = (result: Admitted | Refused): Admitted => {
  if (result._tag === "Refused") throw new Error(`${result.param}: ${result.message}`)
  return result
}

export const refusalOf = (parsed: Call | Admitted | Refused): ReadonlyArray<unknown> =>
  parsed._tag === "Refused" ? [parsed.status, parsed.code, parsed.param] : ["accepted"]
