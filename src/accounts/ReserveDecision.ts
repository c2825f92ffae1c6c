/**
 * Whether a call is held, and what pays for it: limits first, then the subscriptions that run, then the balance. Pure.
 *
 * @internal
 */
import { HashMap, Option } from "effect"
import { noRateLimits } from "../domain/CallLimits.ts"
import { ReservationLost, TooManyHolds } from "./AccountError.ts"
import type { AccountState, Reservation, ReservationRow, Reserve } from "./AccountState.ts"
import { affordable, isRunning, leastMicros, refusalOf, withinSpend } from "./Affordability.ts"
import { judge, type Judged, openHoldsMaxOf, spendRefusal, spendRoom, userLimits } from "./CallUses.ts"
import type { Decision } from "./Decision.ts"
import { balanceMultipliers, boundMicros, type FundingMultipliers, planMultipliers } from "./HoldBound.ts"
import { rolled, room } from "./SubscriptionWindows.ts"

export const decideReserve = (
  state: AccountState,
  command: Reserve,
  row: ReservationRow | null | undefined
): Decision => {
  const open = HashMap.get(state.open, command.id)
  if (Option.isSome(open)) return { _tag: "Repeat", answer: { _tag: "Reservation", reservation: open.value } }
  if (row !== undefined && row !== null) {
    return row.state === "reserved"
      ? { _tag: "Repeat", answer: { _tag: "Reservation", reservation: row } }
      : { _tag: "Refuse", error: new ReservationLost({ id: command.id }) }
  }
  const user = command.limits === undefined ? noRateLimits : userLimits(state, command.limits.user, command.atMs)
  const openHoldsMax = openHoldsMaxOf(command, user)
  if (openHoldsMax !== undefined && state.openHolds >= openHoldsMax) {
    return { _tag: "Refuse", error: new TooManyHolds({ openHolds: state.openHolds, openHoldsMax }) }
  }
  const judged = judge(state, command, user)
  if (judged !== undefined && "_tag" in judged) return { _tag: "Refuse", error: judged }
  const limited = { openHoldsMax, judged }
  if (!command.billingEnabled) {
    return reserved(command, limited, {
      funding: "free",
      subscriptionId: null,
      ...balanceMultipliers(state),
      outputTokens: command.tokensMax
    })
  }
  if (command.counted === true && state.countedOpen) return { _tag: "Refuse", error: refusalOf(state, command, true) }
  const spend = judged?.taken.spend ?? []
  const keyRoom = spendRoom(state.uses, command.keyId, spend)
  // What the call needs of a funding that would have covered it, where the key's limit does not.
  let unspendable: bigint | undefined
  for (const subscription of state.subscriptions) {
    if (!isRunning(subscription, command.atMs)) continue
    const availableMicros = room(rolled(subscription.windows, command.atMs), subscription.limits)
    const multipliers = planMultipliers(state, subscription)
    const outputTokens = outputOf(command, { availableMicros, keyRoom, multipliers })
    if (outputTokens === "unspendable") unspendable ??= leastMicros(command, multipliers)
    else if (outputTokens !== undefined) {
      const { id } = subscription
      return reserved(command, limited, { funding: "subscription", subscriptionId: id, ...multipliers, outputTokens })
    }
  }
  if (command.payAsYouGo) {
    const availableMicros = state.owedMicros > 0n ? 0n : state.usdMicros
    const multipliers = balanceMultipliers(state)
    const outputTokens = outputOf(command, { availableMicros, keyRoom, multipliers })
    if (outputTokens === "unspendable") unspendable ??= leastMicros(command, multipliers)
    else if (outputTokens !== undefined) {
      return reserved(command, limited, { funding: "balance", subscriptionId: null, ...multipliers, outputTokens })
    }
  }
  if (unspendable !== undefined) {
    const needed = { spend, neededMicros: unspendable, atMs: command.atMs }
    return { _tag: "Refuse", error: spendRefusal(state.uses, command.keyId, needed) }
  }
  return { _tag: "Refuse", error: refusalOf(state, command, false) }
}

/**
 * The output that a funding pays for, in tokens; undefined: it does not cover the call. `unspendable`: it would, and the key's spend limit
 * does not.
 */
const outputOf = (
  command: Reserve,
  { availableMicros, keyRoom, multipliers }: {
    /** Undefined: not limited. */
    readonly availableMicros: bigint | undefined
    readonly keyRoom: bigint | undefined
    readonly multipliers: FundingMultipliers
  }
): number | "unspendable" | undefined => {
  const tokensOf = (asked: Reserve) =>
    availableMicros === undefined ? asked.tokensMax : affordable(asked, { availableMicros, ...multipliers })
  const within = withinSpend(command, keyRoom, multipliers)
  if (within !== undefined) return tokensOf(within)
  return tokensOf(command) === undefined ? undefined : "unspendable"
}

/** What was judged of a call before its funds. */
interface Limited {
  readonly openHoldsMax: number | undefined
  readonly judged: Judged | undefined
}

const reserved = (
  command: Reserve,
  { judged, openHoldsMax }: Limited,
  pays: Pick<Reservation, "funding" | "subscriptionId" | "planMultiplier" | "groupMultiplier" | "outputTokens">
): Decision => {
  const isFree = pays.funding === "free"
  const reservation: Reservation = {
    id: command.id,
    ...pays,
    price: command.price,
    billingMultiplier: command.billingMultiplier,
    reservedMicros: isFree ? 0n : boundMicros(command, pays.outputTokens, pays),
    reservedAtMs: command.atMs,
    // Nothing is held of a call that is free.
    ...(command.counted === true && !isFree ? { counted: true } : {}),
    ...(command.keyId === null ? {} : { keyId: command.keyId }),
    ...(judged === undefined ? {} : { report: judged.report }),
    ...(judged?.counted === undefined ? {} : { tokens: judged.counted })
  }
  return {
    _tag: "Accept",
    event: { _tag: "Reserved", reservation, command, openHoldsMax, taken: judged?.taken },
    answer: { _tag: "Reservation", reservation },
    fresh: false
  }
}
