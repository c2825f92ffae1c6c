/**
 * Raises the hold of a stream by another first part, or by what the funds and the key's own limit still allow.
 *
 * @internal
 */
import { Effect } from "effect"
import type { ReserveError } from "../accounts/Accounts.ts"
import { multiplierProduct } from "../domain/Price.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import { tokensWithin } from "./HoldPlan.ts"
import type { OpenCall } from "./OpenCall.ts"
import type { StreamRelay } from "./upstream/StreamRelay.ts"

/** Why an extension is refused for good, by the error it met. */
const refusals: Readonly<Record<string, "insufficient_quota" | "key_limit_exceeded">> = {
  InsufficientFunds: "insufficient_quota",
  FundsHeld: "insufficient_quota",
  SpendLimitReached: "key_limit_exceeded"
}

export const extend = Effect.fnUntraced(function*(services: GatewayServices, open: OpenCall, relay: StreamRelay) {
  if (open.isSettling) return
  const { context: { call, key }, model } = open.basics
  const { id, outputTokens: heldTokens, reservedMicros } = open.reservation
  const spend = key.limits === null || key.limits.spend.length === 0 ? undefined : key.limits.spend
  const step = Math.max(services.billing().defaultMaxOutputTokens, Math.ceil(relay.budget.tokens / call.n) - heldTokens)
  const wanted = Math.min(heldTokens + step, Math.max(model.maxOutputTokens, heldTokens))
  const attempt = (outputTokens: number) =>
    services.accounts.extend(key.userId, {
      _tag: "Extend",
      id,
      numerator: open.plan.baseNumerator + BigInt(outputTokens) * open.plan.tokenNumerator,
      outputTokens,
      ...spend === undefined ? {} : { spend },
      atMs: services.now()
    })
  const tokensFor = (moreMicros: bigint) =>
    tokensWithin(open.plan, {
      micros: reservedMicros + moreMicros,
      multiplier: multiplierProduct(open.reservation)
    })
  const less = <E extends ReserveError>(error: E, leftMicros: bigint) => {
    const fits = tokensFor(leftMicros)
    return fits > heldTokens ? attempt(Math.min(fits, wanted)) : Effect.fail(error)
  }
  const extended = yield* attempt(wanted).pipe(
    Effect.catchTags({
      InsufficientFunds: (error) => less(error, error.availableMicros),
      SpendLimitReached: (error) => less(error, error.roomMicros)
    }),
    Effect.result
  )
  if (extended._tag === "Success") {
    if (open.isSettling) return
    open.advance({ _tag: "WasExtended", reservation: extended.success })
    return relay.extended(extended.success.outputTokens * call.n)
  }
  if (extended.failure._tag === "ReservationLost") return open.basics.signal.stop("lease_lost")
  relay.refused(refusals[extended.failure._tag] ?? "service_unavailable")
})
