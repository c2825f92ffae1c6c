/**
 * The form in the body of an EPay notify, as the text of an urlencoded form: most gateways send it so, some as
 * `multipart/form-data`. Both are verified alike.
 */
import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { NotVerified } from "../../payments/PaymentError.ts"

const unreadable = (why: string) => new NotVerified({ reason: "unreadable", why })

/** A gateway sends texts only: a file is refused. */
const textsOf = async (body: ArrayBuffer, type: string): Promise<ReadonlyArray<[string, string]> | undefined> => {
  const form = await new Response(body, { headers: { "content-type": type } }).formData()
  const texts = Array.from(form).flatMap(([name, value]): ReadonlyArray<[string, string]> =>
    typeof value === "string" ? [[name, value]] : []
  )
  return texts.length === Array.from(form).length ? texts : undefined
}

/** Reads the form of the request at hand; fails with what reading a body fails with, or because it is no form. */
export const readNotifyForm = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  const type = request.headers["content-type"] ?? ""
  if (type.split(";")[0]?.trim().toLowerCase() !== "multipart/form-data") return yield* request.text
  const body = yield* request.arrayBuffer
  const texts = yield* Effect.tryPromise({
    try: () => textsOf(body, type),
    catch: () => unreadable("the multipart form cannot be read")
  })
  if (texts === undefined) return yield* unreadable("the multipart form has a file")
  return String(new URLSearchParams([...texts]))
})
