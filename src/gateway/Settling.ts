/**
 * Settles a call, once. The answer waits until the settlement is durable, or for `billing.commit_wait_ms` from when it was
 * given; it lands all the same.
 *
 * @internal
 */
import { Effect } from "effect"
import { type AccountUnavailable, type ReservationLost, stillSettling } from "../accounts/AccountError.ts"
import type { CallOutcome, Settlement } from "../accounts/AccountState.ts"
import type { Channel } from "../channels/Channels.ts"
import type { CallEnd } from "./CallEnd.ts"
import { voidedOutcome } from "./CallRecord.ts"
import type { GatewayServices } from "./GatewayServices.ts"
import type { OpenCall } from "./OpenCall.ts"

const landed = (
  open: OpenCall,
  settlement: Effect.Effect<Settlement, AccountUnavailable | ReservationLost>
): Effect.Effect<void> => {
  const settled = () => open.advance({ _tag: "WasSettled" })
  return Effect.matchEffect(settlement, {
    onSuccess: (written) => {
      open.basics.context.notes.settlement = written
      settled()
      return Effect.void
    },
    onFailure: (error) =>
      error === stillSettling
        ? Effect.sync(settled)
        : Effect.logError("a call could not be settled", error).pipe(
          Effect.annotateLogs({ requestId: open.basics.context.requestId }),
          Effect.andThen(Effect.sync(settled))
        )
  })
}

/** The outcome stands: whose call it is, and what settles it. */
const decided = (open: OpenCall, outcome: CallOutcome) => {
  open.advance({ _tag: "WasDecided" })
  const { key, notes } = open.basics.context
  notes.outcome = outcome
  const { id, tokens } = open.reservation
  return { userId: key.userId, settled: { id, outcome, ...tokens === undefined ? {} : { tokens } } }
}

/** Charges the call. */
export const settleCharged = (services: GatewayServices, open: OpenCall, outcome: CallOutcome): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { settled, userId } = decided(open, outcome)
    const command = { _tag: "Commit", ...settled, atMs: services.now() } as const
    return landed(open, services.accounts.commit(userId, command, services.billing().commitWaitMs))
  })

/** Returns the hold. */
export const settleReturned = (
  services: GatewayServices,
  open: OpenCall,
  channel: Channel | undefined,
  end: Pick<CallEnd, "status" | "reason">
): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { settled, userId } = decided(open, voidedOutcome(open, channel, end, services.now()))
    return landed(open, services.accounts.void(userId, { _tag: "Void", ...settled }, services.billing().commitWaitMs))
  })
