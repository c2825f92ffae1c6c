/**
 * Applies what was decided to the state of an account. Pure.
 *
 * @internal
 */
import { HashMap } from "effect"
import type { AccountState, Reservation, SubscriptionState } from "./AccountState.ts"
import { usesAfterChange, usesAfterHold } from "./CallUses.ts"
import type { Event } from "./Decision.ts"
import { add } from "./SubscriptionWindows.ts"

/** Applies what was decided. */
export const evolve = (state: AccountState, event: Event): AccountState => {
  switch (event._tag) {
    case "Reserved":
      return {
        ...taken(state, event.reservation, event.reservation.reservedMicros),
        openHolds: state.openHolds + 1,
        countedOpen: state.countedOpen || event.reservation.counted === true,
        uses: usesAfterHold(state.uses, event.reservation, {
          taken: event.taken,
          known: () => openOf(state, event.reservation.keyId)
        })
      }
    case "Extended":
      return {
        ...taken(state, event.reservation, event.moreMicros),
        uses: usesAfterChange(state.uses, event.reservation, { micros: event.moreMicros, ended: 0, rates: [] })
      }
    case "Settled":
      return afterSettlement(state, event)
  }
}

/** Open reservations of a key that are known here. */
const openOf = (state: AccountState, keyId: Reservation["keyId"]): number =>
  HashMap.reduce(state.open, 0, (count, open) => open.keyId === keyId ? count + 1 : count)

const taken = (state: AccountState, reservation: Reservation, micros: bigint): AccountState => {
  const fromBalance = reservation.funding === "balance" ? micros : 0n
  return {
    usdMicros: state.usdMicros - fromBalance,
    owedMicros: state.owedMicros,
    heldMicros: state.heldMicros + fromBalance,
    openHolds: state.openHolds,
    countedOpen: state.countedOpen,
    groups: state.groups,
    subscriptions: reservation.funding === "subscription"
      ? withUsage(state.subscriptions, reservation, { used: micros, held: micros })
      : state.subscriptions,
    open: HashMap.set(state.open, reservation.id, reservation),
    ownLimits: state.ownLimits,
    uses: state.uses
  }
}

const afterSettlement = (state: AccountState, event: Extract<Event, { _tag: "Settled" }>): AccountState => {
  const { late, reservation } = event
  const wasOpen = reservation !== null && !late
  const released = wasOpen ? reservation.reservedMicros : 0n
  return {
    usdMicros: state.usdMicros + event.usdDelta,
    owedMicros: state.owedMicros + event.owedDelta,
    heldMicros: reservation?.funding === "balance" ? state.heldMicros - released : state.heldMicros,
    openHolds: wasOpen ? state.openHolds - 1 : state.openHolds,
    countedOpen: state.countedOpen && !(wasOpen && reservation.counted === true),
    groups: state.groups,
    subscriptions: reservation === null
      ? state.subscriptions
      : withUsage(state.subscriptions, reservation, { used: event.windowDelta, held: -released }),
    open: HashMap.remove(state.open, event.id),
    ownLimits: state.ownLimits,
    uses: reservation === null
      ? state.uses
      : usesAfterChange(state.uses, reservation, {
        micros: event.spentDelta,
        ended: wasOpen ? 1 : 0,
        rates: event.rates
      })
  }
}

const withUsage = (
  subscriptions: ReadonlyArray<SubscriptionState>,
  { reservedAtMs, subscriptionId }: Reservation,
  delta: { readonly used: bigint; readonly held: bigint }
): ReadonlyArray<SubscriptionState> =>
  subscriptionId === null || (delta.used === 0n && delta.held === 0n)
    ? subscriptions
    : subscriptions.map((subscription) =>
      subscription.id === subscriptionId
        ? {
          ...subscription,
          windows: add(subscription.windows, reservedAtMs, delta.used),
          held: add(subscription.held, reservedAtMs, delta.held)
        }
        : subscription
    )
