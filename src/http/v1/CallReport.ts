/**
 * The report of a call that has ended: its metrics, its line of the log, and its trace. It has ids, names, numbers and words of
 * ours; nothing of what the client or the upstream wrote is in it.
 *
 * @internal
 */
import { Effect } from "effect"
import { AppConfig } from "../../config/Config.ts"
import type { CallRefused, UpstreamRefused } from "../../gateway/CallError.ts"
import { CallMetrics } from "../../gateway/CallMetrics.ts"
import type { CallNotes, Stage } from "../../gateway/CallNotes.ts"
import { openAiErrors } from "../../gateway/OpenAiError.ts"
import type { ApiKeyIdentity } from "../../identity/ApiKeys.ts"
import { makeBoundedLog } from "../../platform/SparingLog.ts"

export type Refusal = CallRefused | UpstreamRefused

/** How a request ended at the edge: with an answer, with a refusal, or by a defect of ours. */
export type RequestEnd = "answered" | "failed" | Refusal

/** Lines of calls that went well, and of others, in one second, at most: each is a write that the whole process waits for. */
const GOOD_LINES_PER_SECOND_MAX = 20
const OTHER_LINES_PER_SECOND_MAX = 50

export const statusOf = (error: Refusal): number =>
  error._tag === "CallRefused" ? openAiErrors[error.code].status : error.status

/** The code of a refusal, as its user reads it. */
export const codeOf = (error: Refusal): string =>
  error._tag === "CallRefused" ? error.code : error.error.code ?? UPSTREAM_REFUSED

const UPSTREAM_REFUSED = "upstream_refused"

const OK = "ok"

/**
 * One word of a bounded set: `ok`, the reason that the call's record has, or the code of its refusal. What an upstream calls its
 * refusals is not in it.
 */
const outcomeOf = (notes: CallNotes, end: RequestEnd): string => {
  if (end === "failed") return "failed"
  if (notes.isReplay) return "replayed"
  if (notes.outcome !== undefined) return notes.outcome.reason ?? OK
  if (end !== "answered") return end._tag === "CallRefused" ? end.code : UPSTREAM_REFUSED
  return "client_gone"
}

/** Status of a call that ended by a defect of ours. */
const FAILED_STATUS = 503

/** Status of a call whose client left before anything was sent, after nginx. */
const CLIENT_GONE_STATUS = 499

/** The status that the client saw, or would have seen. */
const statusAtEnd = (notes: CallNotes, end: RequestEnd): number => {
  if (end === "failed") return FAILED_STATUS
  if (end !== "answered") return statusOf(end)
  return notes.outcome?.status ?? (notes.isReplay ? 200 : CLIENT_GONE_STATUS)
}

const MS_DECIMALS = 1_000

const rounded = (ms: number): number => Math.round(ms * MS_DECIMALS) / MS_DECIMALS

/** In milliseconds with three decimals; only the stages that it came to. */
const timesOf = (notes: CallNotes): Readonly<Record<string, number>> => {
  const times: Record<string, number> = { ms: rounded(notes.totalMs) }
  if (notes.ttftMs !== undefined && notes.stream) times["first_token_ms"] = rounded(notes.ttftMs)
  for (const stage of loggedStages) if (notes.msIn(stage) > 0) times[`${stage}_ms`] = rounded(notes.msIn(stage))
  return times
}

const loggedStages: ReadonlyArray<Stage> = ["body", "hold", "queue", "upstream", "commit", "gateway"]

/** Who made it, and what it came to. */
const factsOf = (notes: CallNotes, key: ApiKeyIdentity | undefined, end: RequestEnd) => ({
  ...key === undefined ? {} : { user: String(key.userId), key: String(key.keyId) },
  ...notes.model === undefined ? {} : { model: notes.model },
  ...notes.channel === undefined ? {} : { channel: notes.channel, attempts: notes.attempts },
  stream: notes.stream,
  status: statusAtEnd(notes, end),
  outcome: outcomeOf(notes, end)
})

const moneyOf = ({ outcome, reservation, settlement }: CallNotes) => ({
  ...reservation === undefined
    ? {}
    : { funding: reservation.funding, held_micros: String(reservation.reservedMicros) },
  ...outcome === undefined || outcome.usageSource === null ? {} : {
    input_tokens: outcome.usage.inputTokens,
    cached_input_tokens: outcome.usage.cachedInputTokens,
    cache_write_tokens: outcome.usage.cacheWriteTokens,
    output_tokens: outcome.usage.outputTokens,
    usage: outcome.usageSource
  },
  ...settlement === undefined
    ? {}
    : { cost_micros: String(settlement.costMicros), charged_micros: String(settlement.chargedMicros) }
})

/** Under the names that OpenTelemetry has for them, where it has some. */
const spanFactsOf = (notes: CallNotes, key: ApiKeyIdentity | undefined, end: RequestEnd) => {
  const { attempts, channel, model, outcome, status, stream, ...who } = { ...factsOf(notes, key, end) }
  const { cost_micros, input_tokens, output_tokens, ...money } = moneyOf(notes)
  const ours = {
    id: notes.id,
    ...who,
    ...channel === undefined ? {} : { channel, attempts },
    stream,
    outcome,
    ...money
  }
  return {
    "http.request.method": "POST",
    "http.response.status_code": status,
    ...model === undefined ? {} : { "gen_ai.request.model": model },
    ...input_tokens === undefined ? {} : { "gen_ai.usage.input_tokens": input_tokens },
    ...output_tokens === undefined ? {} : { "gen_ai.usage.output_tokens": output_tokens },
    ...cost_micros === undefined ? {} : { "realms.cost_micros": cost_micros },
    ...Object.fromEntries(
      Object.entries(ours).flatMap(([name, value]) => value === undefined ? [] : [[`realms.${name}`, value]])
    )
  }
}

/** A failure of the server or of its upstreams; undefined: it went well, or it was its client's doing. */
const failureOf = (notes: CallNotes, end: RequestEnd): string | undefined => {
  const outcome = outcomeOf(notes, end)
  if (statusAtEnd(notes, end) >= 500) return outcome
  return outcome === "truncated" || outcome === "limit_ignored" || outcome === "lease_lost" ? outcome : undefined
}

/** Takes a call that has ended, and who made it. */
export type ReportCall = (notes: CallNotes, key: ApiKeyIdentity | undefined, end: RequestEnd) => void

export const makeCallReport = Effect.gen(function*() {
  const { log } = yield* AppConfig
  const metrics = yield* CallMetrics
  const noteUpTo = (linesPerSecondMax: number) =>
    makeBoundedLog((message, facts) => Effect.logInfo(message, facts), { linesPerSecondMax })
  const noteGood = yield* noteUpTo(GOOD_LINES_PER_SECOND_MAX)
  const noteOther = yield* noteUpTo(OTHER_LINES_PER_SECOND_MAX)
  const report: ReportCall = (notes, key, end) => {
    notes.enter("gateway")
    const outcome = outcomeOf(notes, end)
    metrics.count(notes, outcome)
    const { trace } = notes
    if (trace?.isRecorded === true) trace.end(spanFactsOf(notes, key, end), failureOf(notes, end))
    if (!log.calls) return
    const note = outcome === OK || notes.isReplay ? noteGood : noteOther
    note("call", () => ({
      id: notes.id,
      route: notes.route,
      ...factsOf(notes, key, end),
      ...moneyOf(notes),
      ...timesOf(notes),
      ...trace === undefined ? {} : { trace: trace.traceId }
    }))
  }
  return report
})
