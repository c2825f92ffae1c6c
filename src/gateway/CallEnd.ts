/**
 * What follows from how a call ended and what was seen of it: whether it is charged, at which numbers, and what its client gets.
 * Pure; the table of its tests is the rule book.
 */
import { type OpenAiErrorCode, openAiErrors } from "./OpenAiError.ts"
import type { StopReason } from "./StopSignal.ts"

/**
 * How an upstream attempt that may not be followed by another one ended. `complete`: whole. `cut`: the connection ended, or
 * nothing came for too long. `failed`: the upstream said so, or its answer is none. `limit_ignored`: it went far above its
 * output limit. `too_large`: the answer is above the gateway's bound, so it was not read to its end. `no_room`: it was not, since
 * too many answers were in memory, or the thread that reads them failed. `insufficient_quota`, `key_limit_exceeded`,
 * `extension_unavailable`: the hold could not be raised.
 */
export type HowEnded =
  | "complete"
  | "cut"
  | "failed"
  | "limit_ignored"
  | "too_large"
  | "no_room"
  | "insufficient_quota"
  | "key_limit_exceeded"
  | "extension_unavailable"
  | StopReason

export interface Seen {
  /** The request had begun to go to the upstream of the last attempt. */
  readonly sent: boolean
  /** Output had come. */
  readonly output: boolean
  /** The client left, and the upstream was read on. */
  readonly clientLeft: boolean
}

/**
 * The numbers that are charged. `reported`: the upstream's, where it said them. `expected`: the estimate, never more than what is
 * held. `limit`: the output limit.
 */
export type Basis = "reported" | "expected" | "limit"

export type Reply =
  /** What is left of the answer, and its end. */
  | "rest"
  /** An error: a frame where the answer has begun, a status where it has not. */
  | { readonly code: OpenAiErrorCode }
  /** There is nobody to answer. */
  | "none"

export interface CallEnd {
  /** Null: nothing is charged, the hold is returned. */
  readonly basis: Basis | null
  /** The HTTP status in the call's record. */
  readonly status: number
  /** The reason in the call's record; null: it ended as it should. */
  readonly reason: string | null
  readonly reply: Reply
}

/** Status of a call whose client left, after nginx. */
const CLIENT_GONE_STATUS = 499

const returned = (status: number, reason: string, reply: Reply): CallEnd => ({ basis: null, status, reason, reply })

const charged = (basis: Basis, reason: string, reply: Reply, status = 200): CallEnd => ({
  basis,
  status,
  reason,
  reply
})

/** A call whose client left. What it asked for is being made: that is charged, but nothing before it was sent. */
const clientGone = (seen: Seen): CallEnd =>
  seen.sent
    ? charged("reported", "client_gone", "none", CLIENT_GONE_STATUS)
    : returned(CLIENT_GONE_STATUS, "client_gone", "none")

export const decideEnd = (how: HowEnded, seen: Seen): CallEnd => {
  if (how !== "lease_lost" && seen.clientLeft) return clientGone(seen)
  switch (how) {
    case "complete":
      return { basis: "reported", status: 200, reason: null, reply: "rest" }
    case "client_gone":
      return clientGone(seen)
    case "cut":
    case "failed":
      return seen.output
        ? charged("reported", "truncated", { code: "server_is_overloaded" })
        : returned(502, "upstream_error", { code: "upstream_error" })
    case "limit_ignored":
      return charged("limit", "limit_ignored", { code: "server_is_overloaded" })
    case "too_large":
      return charged("expected", "answer_too_large", { code: "answer_too_large" }, openAiErrors.answer_too_large.status)
    case "no_room":
      return returned(503, "answers_full", { code: "service_unavailable" })
    case "insufficient_quota":
      return seen.output
        ? charged("expected", "insufficient_quota", { code: "insufficient_quota" })
        : returned(402, "insufficient_quota", { code: "insufficient_quota" })
    case "key_limit_exceeded":
      return seen.output
        ? charged("expected", "key_limit_exceeded", { code: "key_limit_exceeded" })
        : returned(403, "key_limit_exceeded", { code: "key_limit_exceeded" })
    case "extension_unavailable":
    case "service_unavailable":
    case "lease_lost":
      return seen.output
        ? charged("expected", how === "extension_unavailable" ? "service_unavailable" : how, {
          code: "service_unavailable"
        })
        : returned(503, how === "extension_unavailable" ? "service_unavailable" : how, { code: "service_unavailable" })
  }
}
