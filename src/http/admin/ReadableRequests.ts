/**
 * What is refused of a request to the administration's API before a handler sees it: a text that no row can hold - NUL, a lone
 * surrogate - in the address and in the body alike, and what does not fit its endpoint.
 */
import { Effect, SchemaIssue } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiMiddleware } from "effect/http-api"
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

/** Turns a request that does not fit its endpoint into a {@link ApiBadRequest} that says where. */
export class ReadableRequests extends HttpApiMiddleware.Service<ReadableRequests>()(
  "realms/http/admin/ReadableRequests",
  { error: ApiBadRequest }
) {
  /** Says what is expected and where, and never what was sent: it may be a secret. */
  static readonly layer = HttpApiMiddleware.layerSchemaErrorTransform(ReadableRequests, (error) => {
    const problems: { [path: string]: string } = {}
    for (const issue of formatIssues(error.cause.issue).issues) {
      const path = (issue.path ?? []).map(keyOf).join(".")
      problems[path === "" ? error.kind.toLowerCase() : path] = "is not what is expected here; see /api/docs"
    }
    return Effect.fail(new ApiBadRequest({ message: "The request cannot be read.", problems }))
  })
}

const formatIssues = SchemaIssue.makeFormatterStandardSchemaV1()

const keyOf = (part: unknown): string =>
  typeof part === "object" && part !== null && "key" in part ? String(part.key) : String(part)
