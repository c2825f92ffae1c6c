/**
 * The fields of a posted form, bounded before they are looked at. A form that is too large, of another type or not text that
 * the database can hold is refused as a whole.
 */
import { ByteSize, Effect } from "effect"
import { HttpIncomingMessage, HttpServerRequest } from "effect/http"
import { FormUnreadable } from "./FormUnreadable.ts"

/** The longest form is a few short texts and a list of models. */
const FORM_BYTES_MAX = 65_536
const FORM_FIELDS_MAX = 200

/** The body has to be here within this, in milliseconds. */
const FORM_MS_MAX = 10_000

const formType = "application/x-www-form-urlencoded"

/** Lone surrogates and NUL are no text that the database takes. */
const isText = (value: string): boolean => value.isWellFormed() && !value.includes("\0")

/** Reads the form of the request at hand. */
export const readForm = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  const type = (request.headers["content-type"] ?? "").split(";")[0]?.trim().toLowerCase()
  if (type !== formType) return yield* new FormUnreadable({ why: "type" })
  const text = yield* request.text.pipe(
    Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.bytes(FORM_BYTES_MAX)),
    Effect.mapError(() => new FormUnreadable({ why: "large" })),
    Effect.timeoutOrElse({ duration: FORM_MS_MAX, orElse: () => Effect.fail(new FormUnreadable({ why: "slow" })) })
  )
  const fields = new URLSearchParams(text)
  const entries = Array.from(fields)
  if (entries.length > FORM_FIELDS_MAX || !entries.every(([name, value]) => isText(name) && isText(value))) {
    return yield* new FormUnreadable({ why: "malformed" })
  }
  return fields
})
