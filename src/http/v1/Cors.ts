/**
 * Lets pages of any site call `/v1/*` with a key of their user: every answer allows it, and the question that a browser asks
 * before a call needs no key. No cookie counts there, so nothing can be asked in a visitor's name.
 *
 * @internal
 */
import type { IncomingMessage, ServerResponse } from "node:http"
import { isBodyPending } from "./DiscardBody.ts"

/** The headers of answers that a page may read. */
const exposed = [
  "x-request-id",
  "x-realms-cost-micros",
  "x-realms-dropped-fields",
  "x-realms-output-limit",
  "x-should-retry",
  "retry-after",
  "x-realms-idempotent-replay",
  "x-ratelimit-limit-requests",
  "x-ratelimit-limit-tokens",
  "x-ratelimit-remaining-requests",
  "x-ratelimit-remaining-tokens",
  "x-ratelimit-reset-requests",
  "x-ratelimit-reset-tokens"
].join(", ")

/** A longer list of asked headers is not repeated. */
const ASKED_CHARACTERS_MAX = 4_096

/** A list of header names, and nothing else. */
const headerNames = /^[\w!#$%&'*+.^`|~, \t-]+$/

/** What every answer of `/v1/*` carries. */
export const corsHeaders = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": exposed
} as const

/** Answers `OPTIONS`, by which a browser asks what it may send. */
export const answerPreflight = (request: IncomingMessage, response: ServerResponse): void => {
  response.setHeaders(new Map(Object.entries(corsHeaders)))
  response.setHeader("access-control-allow-methods", "GET, POST, DELETE, OPTIONS")
  response.setHeader("access-control-max-age", "86400")
  response.setHeader("vary", "access-control-request-headers")
  const asked = request.headers["access-control-request-headers"]
  if (asked !== undefined && asked.length <= ASKED_CHARACTERS_MAX && headerNames.test(asked)) {
    response.setHeader("access-control-allow-headers", asked)
  }
  // Asked where a page of the internet calls a server in a private network: it needs a key there as everywhere.
  if (request.headers["access-control-request-private-network"] === "true") {
    response.setHeader("access-control-allow-private-network", "true")
  }
  if (isBodyPending(request)) response.setHeader("connection", "close")
  response.writeHead(204)
  response.end()
}
