/**
 * What is told of a call when it has ended: its metrics.
 *
 * @internal
 */
import { Effect } from "effect"
import type { CallRefused, UpstreamRefused } from "../../gateway/CallError.ts"
import { CallMetrics } from "../../gateway/CallMetrics.ts"
import type { CallNotes } from "../../gateway/CallNotes.ts"
import { openAiErrors } from "../../gateway/OpenAiError.ts"
import type { ApiKeyIdentity } from "../../identity/ApiKeys.ts"

export type Refusal = CallRefused | UpstreamRefused

/** How a request ended at the edge: with an answer, with a refusal, or by a defect of ours. */
export type RequestEnd = "answered" | "failed" | Refusal

export const statusOf = (error: Refusal): number =>
  error._tag === "CallRefused" ? openAiErrors[error.code].status : error.status

/** The code of a refusal, as its user reads it. */
export const codeOf = (error: Refusal): string =>
  error._tag === "CallRefused" ? error.code : error.error.code ?? UPSTREAM_REFUSED

const UPSTREAM_REFUSED = "upstream_refused"

/**
 * One word of a bounded set: `ok`, the reason that the call's record has, or the code of its refusal. What an upstream calls its
 * refusals is not in it.
 */
const outcomeOf = (notes: CallNotes, end: RequestEnd): string => {
  if (end === "failed") return "failed"
  if (notes.outcome !== undefined) return notes.outcome.reason ?? "ok"
  if (end !== "answered") return end._tag === "CallRefused" ? end.code : UPSTREAM_REFUSED
  return "client_gone"
}

/** Takes a call that has ended, and who made it. */
export type ReportCall = (notes: CallNotes, key: ApiKeyIdentity | undefined, end: RequestEnd) => void

export const makeCallReport: Effect.Effect<ReportCall, never, CallMetrics> = Effect.map(
  CallMetrics,
  (metrics) => (notes, _key, end) => {
    notes.enter("gateway")
    metrics.count(notes, outcomeOf(notes, end))
  }
)
