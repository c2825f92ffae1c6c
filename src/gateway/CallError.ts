/**
 * How a call is refused: a code of the table in `OpenAiError`, words for people, and headers that tell a client when to
 * come back.
 */
import { Data, DateTime } from "effect"
import type { FundsHeld, InsufficientFunds, RateLimited, SpendLimitReached } from "../accounts/AccountError.ts"
import type { ReserveError } from "../accounts/Accounts.ts"
import type { RateReport } from "../domain/RateReport.ts"
import type { LimitPeriod } from "../domain/LimitPeriod.ts"
import { formatUsd } from "../domain/Money.ts"
import type { OpenAiError, OpenAiErrorCode } from "./OpenAiError.ts"

export class CallRefused extends Data.TaggedError("CallRefused")<{
  readonly code: OpenAiErrorCode
  readonly message: string
  readonly param?: string | null
  readonly retryAfterSeconds?: number
  /** Where limits of the call stand. */
  readonly report?: RateReport
}> {}

/** An upstream's own refusal of the request, passed through. */
export class UpstreamRefused extends Data.TaggedError("UpstreamRefused")<{
  readonly status: number
  readonly error: OpenAiError
  readonly body: string
}> {}

/** Seconds after which a client may try again when the database is away. */
export const UNAVAILABLE_RETRY_SECONDS = 2

/** Bounds of `Retry-After` where open calls hold the money, in seconds. */
const FUNDS_HELD_RETRY_SECONDS_MAX = 10
const HOLDS_PER_RETRY_SECOND = 8

export const unavailable = (message: string): CallRefused =>
  new CallRefused({ code: "service_unavailable", message, retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS })

export interface RefusalContext {
  readonly nowMs: number
  /** Where users top up. */
  readonly topUpUrl: string
}

/** What a client reads when no hold could be made. */
export const refusalOf = (error: ReserveError, context: RefusalContext): CallRefused => {
  switch (error._tag) {
    case "InsufficientFunds":
      return fundsRefusal(error, context)
    case "FundsHeld":
      return heldRefusal(error)
    case "TooManyHolds":
      return new CallRefused({
        code: "rate_limit_exceeded",
        message:
          `You have ${error.openHolds} calls open, which is as many as you may have. Wait until some have ended.`,
        retryAfterSeconds: 1
      })
    case "RateLimited":
      return rateRefusal(error)
    case "SpendLimitReached":
      return spendRefusal(error)
    case "ClaimTaken":
      return claimTaken
    default:
      return unavailable("Billing is unavailable at this moment. Please try again shortly.")
  }
}

/** Another call has the idempotency key. Where the key is minded, it is waited for instead. */
export const claimTaken = new CallRefused({
  code: "idempotency_unknown",
  message: "Another call with this idempotency key is being made. Please try again shortly.",
  retryAfterSeconds: 1
})

const whose = { key: "This key", user: "Your account" } as const

const rateRefusal = ({ limit, max, of, report, retryMs }: RateLimited): CallRefused => {
  const seconds = Math.max(1, Math.ceil(retryMs / 1_000))
  return new CallRefused({
    code: "rate_limit_exceeded",
    message: limit === "calls"
      ? `${whose[of]} may have ${max} ${max === 1 ? "call" : "calls"} open at once. Wait until ${
        max === 1 ? "it has" : "some have"
      } ended.`
      : `${whose[of]} is limited to ${max} ${limit} a minute. Please try again in ${seconds} seconds.`,
    retryAfterSeconds: seconds,
    report
  })
}

/** Said behind a limit. */
const periodWords: Readonly<Record<LimitPeriod, string>> = {
  day: " a day",
  week: " a week",
  month: " a month",
  total: ""
}

const spendRefusal = (
  { limitMicros, neededMicros, period, resetsAtMs, spentMicros }: SpendLimitReached
): CallRefused =>
  new CallRefused({
    code: "key_limit_exceeded",
    message: `This key's spend limit is $${formatUsd(limitMicros)}${periodWords[period]}; ` +
      `$${formatUsd(spentMicros)} of it is spent or held, and this call needs $${formatUsd(neededMicros)}.` +
      (resetsAtMs === null
        ? ""
        : ` The next ${period} begins at ${DateTime.formatIso(DateTime.makeUnsafe(resetsAtMs))}.`)
  })

const heldRefusal = ({ availableMicros, counted, neededMicros, openHolds }: FundsHeld): CallRefused => {
  const calls = openHolds === 1 ? "1 open call" : `${openHolds} open calls`
  return new CallRefused({
    code: "funds_held",
    message: counted
      ? `Your funds cover a call of this size only one at a time, and one is open. Wait until it has ended.`
      : `This call would hold at least $${formatUsd(neededMicros)}, available is $${formatUsd(availableMicros)}: ` +
        `${calls} hold the rest. Wait until some have ended.`,
    retryAfterSeconds: counted
      ? 1
      : Math.min(1 + Math.floor(openHolds / HOLDS_PER_RETRY_SECOND), FUNDS_HELD_RETRY_SECONDS_MAX)
  })
}

const fundsRefusal = (error: InsufficientFunds, { nowMs, topUpUrl }: RefusalContext): CallRefused => {
  if (error.subscribed && !error.payAsYouGo) {
    const waitSeconds = error.roomAtMs === null ? undefined : Math.max(1, Math.ceil((error.roomAtMs - nowMs) / 1_000))
    return new CallRefused({
      code: "subscription_quota_exceeded",
      message: waitSeconds === undefined
        ? "Your subscription's limits leave no room for this call."
        : `Your subscription's limit is reached. Room returns in ${waitSeconds} seconds.`,
      ...(waitSeconds === undefined ? {} : { retryAfterSeconds: waitSeconds })
    })
  }
  const owed = error.owedMicros > 0n ? ` You owe $${formatUsd(error.owedMicros)}; a top-up settles it first.` : ""
  const fits = error.outputTokensFit > 0
    ? ` An output limit of ${error.outputTokensFit} tokens would fit.`
    : ""
  const least = error.wantedMicros > error.neededMicros ? ` (at least $${formatUsd(error.neededMicros)})` : ""
  return new CallRefused({
    code: "insufficient_quota",
    message:
      `This call would hold $${formatUsd(error.wantedMicros)} at most${least}, available is $${
        formatUsd(error.availableMicros)
      }.` +
      `${fits}${owed} Top up at ${topUpUrl} to continue.`
  })
}
