/**
 * The rules of an account: `decide` says what a command does to a state, and `evolve` in `Evolution` applies what was decided. Pure -
 * no Effect, no SQL, no clock - so that every rule about money can be tested as a table. The journal repeats the same conditions as
 * guards in SQL; this file is the fast, exact first answer.
 */
import { HashMap, Option } from "effect"
import { periodStartMs } from "../domain/LimitPeriod.ts"
import { costMicros, costNumerator } from "../domain/Price.ts"
import { InsufficientFunds, ReservationLost } from "./AccountError.ts"
import type {
  AccountState,
  Command,
  Commit,
  Expire,
  Extend,
  Reservation,
  ReservationRow,
  Settlement,
  Void
} from "./AccountState.ts"
import { correctionsOf, type RateTake, spendRefusal, spendRoom } from "./CallUses.ts"
import type { Decision, SettleKind } from "./Decision.ts"
import { decideReserve } from "./ReserveDecision.ts"
import { type SettlementChange, settlementOf } from "./SettlementRules.ts"
import { rolled, room } from "./SubscriptionWindows.ts"

/**
 * Decides a command. `row` is the stored reservation of the command's id when the state does not hold it open: null when
 * there is none, undefined when it was not looked up.
 */
export const decide = (state: AccountState, command: Command, row?: ReservationRow | null): Decision => {
  switch (command._tag) {
    case "Reserve":
      return decideReserve(state, command, row)
    case "Extend":
      return decideExtend(state, command, row)
    case "Commit":
    case "Void":
    case "Expire":
      return decideSettle(state, command, row)
  }
}

const decideExtend = (state: AccountState, command: Extend, row: ReservationRow | null | undefined): Decision => {
  const reservation = openReservation(state, command.id, row)
  if (reservation === undefined) {
    return row === undefined
      ? { _tag: "NeedRow", id: command.id }
      : { _tag: "Refuse", error: new ReservationLost({ id: command.id }) }
  }
  const target = reservation.funding === "free"
    ? 0n
    : costMicros(command.numerator, reservation)
  const more = target - reservation.reservedMicros
  if (more <= 0n) {
    // What is held covers it already, as always when a token costs nothing.
    const outputTokens = Math.max(reservation.outputTokens, command.outputTokens)
    return { _tag: "Repeat", answer: { _tag: "Reservation", reservation: { ...reservation, outputTokens } } }
  }
  const { keyId = null, reservedAtMs } = reservation
  const spend = command.spend === undefined || reservation.funding === "free"
    ? []
    : command.spend.map((limit) => ({ ...limit, startMs: periodStartMs(limit.period, reservedAtMs) }))
  const keyRoom = spendRoom(state.uses, keyId, spend)
  if (keyRoom !== undefined && keyRoom < more) {
    const needed = { spend, neededMicros: more, atMs: reservedAtMs }
    return { _tag: "Refuse", error: spendRefusal(state.uses, keyId, needed) }
  }
  const available = reservation.funding === "balance"
    ? (state.owedMicros > 0n ? 0n : state.usdMicros)
    : subscriptionRoom(state, reservation, command.atMs)
  if (available !== undefined && available < more) {
    return {
      _tag: "Refuse",
      error: new InsufficientFunds({
        neededMicros: more,
        wantedMicros: more,
        availableMicros: available,
        roomMicros: available,
        owedMicros: state.owedMicros,
        outputTokensFit: 0,
        payAsYouGo: reservation.funding === "balance",
        subscribed: reservation.funding === "subscription",
        roomAtMs: null
      })
    }
  }
  const raised = { ...reservation, reservedMicros: target, outputTokens: command.outputTokens }
  return {
    _tag: "Accept",
    event: { _tag: "Extended", reservation: raised, moreMicros: more, spend },
    answer: { _tag: "Reservation", reservation: raised },
    fresh: false
  }
}

const openReservation = (
  state: AccountState,
  id: string,
  row: ReservationRow | null | undefined
): Reservation | undefined => {
  const open = HashMap.get(state.open, id)
  if (Option.isSome(open)) return open.value
  return row !== undefined && row !== null && row.state === "reserved" ? row : undefined
}

/** What the reservation's subscription has room for; undefined: no limit; 0 when it is gone. */
const subscriptionRoom = (state: AccountState, reservation: Reservation, atMs: number): bigint | undefined => {
  const subscription = state.subscriptions.find((candidate) => candidate.id === reservation.subscriptionId)
  return subscription === undefined ? 0n : room(rolled(subscription.windows, atMs), subscription.limits)
}

const decideSettle = (
  state: AccountState,
  command: Commit | Void | Expire,
  row: ReservationRow | null | undefined
): Decision => {
  const reservation = openReservation(state, command.id, row)
  if (reservation !== undefined) {
    return settle(state, command, { reservation, heldMicros: reservation.reservedMicros, late: false })
  }
  if (row === undefined) return { _tag: "NeedRow", id: command.id }
  if (row === null) {
    return command._tag === "Void"
      ? settled(command, { reservation: null, costMicros: 0n, change: nothing, heldMicros: 0n, late: false })
      : { _tag: "Refuse", error: new ReservationLost({ id: command.id }) }
  }
  if (row.state === "expired" && command._tag === "Commit") {
    return settle(state, command, { reservation: row, heldMicros: row.chargedMicros, late: true })
  }
  return { _tag: "Repeat", answer: { _tag: "Settlement", settlement: row } }
}

const nothing: SettlementChange = { chargedMicros: 0n, usdDelta: 0n, owedDelta: 0n, windowDelta: 0n }

/** Settles a reservation of which `heldMicros` are held (or, after expiry, were charged). */
const settle = (
  state: AccountState,
  command: Commit | Void | Expire,
  { heldMicros, late, reservation }: {
    readonly reservation: Reservation
    readonly heldMicros: bigint
    readonly late: boolean
  }
): Decision => {
  const cost = command._tag === "Commit"
    ? costMicros(costNumerator(reservation.price, command.outcome.usage), reservation)
    : command._tag === "Expire" && command.mode === "charge"
    ? heldMicros
    : 0n
  const change = settlementOf({
    funding: reservation.funding,
    heldMicros,
    dueMicros: cost,
    usdMicros: state.usdMicros,
    owedMicros: state.owedMicros,
    roomMicros: command._tag === "Commit" && cost > heldMicros ? subscriptionRoom(state, reservation, command.atMs) : 0n
  })
  return settled(command, { reservation, costMicros: cost, change, heldMicros, late })
}

const settled = (
  command: Commit | Void | Expire,
  { change, costMicros: cost, heldMicros, late, reservation }: {
    readonly reservation: Reservation | null
    readonly costMicros: bigint
    readonly change: SettlementChange
    readonly heldMicros: bigint
    readonly late: boolean
  }
): Decision => {
  const settlement: Settlement = {
    state: command._tag === "Commit" ? "committed" : command._tag === "Void" ? "voided" : "expired",
    costMicros: cost,
    chargedMicros: change.chargedMicros,
    late
  }
  return {
    _tag: "Accept",
    event: {
      _tag: "Settled",
      id: command.id,
      kind: settleKind(command),
      reservation,
      late,
      outcome: command._tag === "Expire" ? null : command.outcome,
      costMicros: cost,
      spentDelta: change.chargedMicros - heldMicros,
      rates: correctedRates(command, reservation),
      ...change
    },
    answer: { _tag: "Settlement", settlement },
    // What cannot be collected is decided on the account as it is now.
    fresh: reservation !== null && reservation.funding !== "free" && change.chargedMicros < cost
  }
}

/** What is lost counts as it was estimated. */
const correctedRates = (command: Commit | Void | Expire, reservation: Reservation | null): ReadonlyArray<RateTake> => {
  if (command._tag === "Expire" || reservation === null) return noCorrections
  const counted = reservation.tokens ?? command.tokens
  if (counted === undefined) return noCorrections
  const { inputTokens, outputTokens } = command.outcome.usage
  return correctionsOf(reservation.keyId, counted, command._tag === "Commit" ? inputTokens + outputTokens : 0)
}

const noCorrections: ReadonlyArray<RateTake> = []

const settleKind = (command: Commit | Void | Expire): SettleKind => {
  if (command._tag === "Commit") return "c"
  if (command._tag === "Void") return "v"
  return command.mode === "charge" ? "x" : "e"
}
