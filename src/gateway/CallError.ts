/**
 * How a call is refused: a code of the table in `OpenAiError`, words for people, and headers that tell a client when to
 * come back.
 */
import { Data } from "effect"
import type { InsufficientFunds } from "../accounts/AccountError.ts"
import type { ReserveError } from "../accounts/Accounts.ts"
import { formatUsd } from "../domain/Money.ts"
import type { OpenAiErrorCode } from "./OpenAiError.ts"

export class CallRefused extends Data.TaggedError("CallRefused")<{
  readonly code: OpenAiErrorCode
  readonly message: string
  readonly param?: string | null
  readonly retryAfterSeconds?: number
}> {}

/** An upstream's own refusal of the request, passed through. */
export class UpstreamRefused extends Data.TaggedError("UpstreamRefused")<{
  readonly status: number
  readonly body: string
}> {}

/** A stream's hold cannot be raised: the key's spend limit leaves no room. */
export class KeyLimitReached extends Data.TaggedError("KeyLimitReached") {}

/** Seconds after which a client may try again when the database is away. */
export const UNAVAILABLE_RETRY_SECONDS = 2

export const unavailable = (message: string): CallRefused =>
  new CallRefused({ code: "service_unavailable", message, retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS })

/** What a client is told when no hold could be made. */
export const refusalOf = (error: ReserveError, nowMs: number): CallRefused =>
  error._tag === "InsufficientFunds"
    ? fundsRefusal(error, nowMs)
    : unavailable("Billing is unavailable at this moment. Please try again shortly.")

const fundsRefusal = (error: InsufficientFunds, nowMs: number): CallRefused => {
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
    : " Top up to continue."
  return new CallRefused({
    code: "insufficient_quota",
    message: `This call needs $${formatUsd(error.neededMicros)}, available is $${
      formatUsd(error.availableMicros)
    }.${fits}${owed}`
  })
}
