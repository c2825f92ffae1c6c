/**
 * The texts of a request to the administration's API: what no row can hold - NUL, a lone surrogate - is refused before anything
 * else looks at it, in the address and in the body alike.
 */
import { Effect } from "effect"
import { HttpServerRequest } from "effect/http"
import { isDatabaseJson } from "../../postgres/DatabaseText.ts"
import { ApiBadRequest } from "./ApiError.ts"

const unfit = (where: "address" | "body") =>
  new ApiBadRequest({
    message: "The request has a text with a character that cannot be stored.",
    problems: { [where]: "has NUL or a lone surrogate in one of its texts" }
  })

/** Whether the request at hand may be read. A body that cannot be had is for its reader to refuse. */
export const checkRequestTexts = Effect.gen(function*() {
  const request = yield* HttpServerRequest.HttpServerRequest
  if (request.url.includes("%00")) return yield* unfit("address")
  if (request.method === "GET" || request.method === "HEAD") return
  // A file is read in pieces by who takes it, and what no row can hold is refused there.
  if (request.headers["content-type"]?.startsWith("text/csv") === true) return
  const body = yield* request.text.pipe(Effect.orElseSucceed(() => ""))
  if (!isDatabaseJson(body)) return yield* unfit("body")
})
