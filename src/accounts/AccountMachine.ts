/**
 * The rules of an account: `decide` says what a command does to a state, `evolve` applies what was decided. Pure - no
 * Effect, no SQL, no clock - so that every rule about money can be tested as a table. The journal repeats the same
 * conditions as guards in SQL; this file is the fast, exact first answer.
 */
import { HashMap, Option } from "effect"
import { minimum } from "../domain/Money.ts"
import { costMicros, costNumerator, MULTIPLIER_ONE } from "../domain/Price.ts"
import { type AccountError, DebitRefused, InsufficientFunds, ReservationLost } from "./AccountError.ts"
import type {
  AccountState,
  Answer,
  CallOutcome,
  Command,
  Commit,
  Expire,
  Extend,
  Post,
  Reservation,
  ReservationRow,
  Reserve,
  Settlement,
  SubscriptionState,
  Void
} from "./AccountState.ts"
import { affordable, boundMicros, insufficient, isRunning } from "./Affordability.ts"
import { add, rolled, room } from "./SubscriptionWindows.ts"

/** How a settlement is written: commit, void, expire with refund, expire with charge. */
export type SettleKind = "c" | "v" | "e" | "x"

/** What was decided and is to be written. Deltas are to the spendable balance and to what is owed, in micros. */
export type Event =
  | { readonly _tag: "Reserved"; readonly reservation: Reservation; readonly command: Reserve }
  | { readonly _tag: "Extended"; readonly reservation: Reservation; readonly moreMicros: bigint }
  | {
    readonly _tag: "Settled"
    readonly id: string
    readonly kind: SettleKind
    readonly reservation: Reservation | null
    readonly outcome: CallOutcome | null
    readonly costMicros: bigint
    readonly chargedMicros: bigint
    readonly usdDelta: bigint
    readonly owedDelta: bigint
    readonly windowDelta: bigint
  }
  | { readonly _tag: "EntryPosted"; readonly entry: Post; readonly usdDelta: bigint; readonly owedDelta: bigint }

export type Decision =
  /** Write the event, then answer. `fresh`: may only be decided on a state read after the command arrived. */
  | { readonly _tag: "Accept"; readonly event: Event; readonly answer: Answer; readonly fresh: boolean }
  /** Answer as the first time; nothing to write. */
  | { readonly _tag: "Repeat"; readonly answer: Answer }
  /** Only on a state read after the command arrived. */
  | { readonly _tag: "Refuse"; readonly error: AccountError }
  /** The stored row of the command's reservation is needed to decide. */
  | { readonly _tag: "NeedRow"; readonly id: string }

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
    case "Post":
      return decidePost(state, command)
  }
}

const decideReserve = (state: AccountState, command: Reserve, row: ReservationRow | null | undefined): Decision => {
  const open = HashMap.get(state.open, command.id)
  if (Option.isSome(open)) return { _tag: "Repeat", answer: { _tag: "Reservation", reservation: open.value } }
  if (row !== undefined && row !== null) {
    return row.state === "reserved"
      ? { _tag: "Repeat", answer: { _tag: "Reservation", reservation: row } }
      : { _tag: "Refuse", error: new ReservationLost({ id: command.id }) }
  }
  if (!command.billingEnabled) return reserved(command, "free", null, MULTIPLIER_ONE, command.tokensMax)
  for (const subscription of state.subscriptions) {
    if (!isRunning(subscription, command.atMs)) continue
    const left = room(rolled(subscription.windows, command.atMs), subscription.limits)
    const tokens = left === undefined ? command.tokensMax : affordable(command, left, subscription.multiplier)
    if (tokens !== undefined) {
      return reserved(command, "subscription", subscription.id, subscription.multiplier, tokens)
    }
  }
  if (command.payAsYouGo) {
    const tokens = affordable(command, state.owedMicros > 0n ? 0n : state.usdMicros, MULTIPLIER_ONE)
    if (tokens !== undefined) return reserved(command, "balance", null, MULTIPLIER_ONE, tokens)
  }
  return { _tag: "Refuse", error: insufficient(state, command) }
}

const reserved = (
  command: Reserve,
  funding: Reservation["funding"],
  subscriptionId: bigint | null,
  planMultiplier: bigint,
  tokens: number
): Decision => {
  const reservation: Reservation = {
    id: command.id,
    funding,
    subscriptionId,
    price: command.price,
    billingMultiplier: command.billingMultiplier,
    planMultiplier,
    reservedMicros: funding === "free" ? 0n : boundMicros(command, tokens, planMultiplier),
    outputTokens: tokens,
    reservedAtMs: command.atMs
  }
  return {
    _tag: "Accept",
    event: { _tag: "Reserved", reservation, command },
    answer: { _tag: "Reservation", reservation },
    fresh: false
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
    : costMicros(command.numerator, reservation.billingMultiplier, reservation.planMultiplier)
  const more = target - reservation.reservedMicros
  if (more <= 0n) {
    // What is held covers it already, as always when a token costs nothing.
    const outputTokens = Math.max(reservation.outputTokens, command.outputTokens)
    return { _tag: "Repeat", answer: { _tag: "Reservation", reservation: { ...reservation, outputTokens } } }
  }
  const available = reservation.funding === "balance"
    ? (state.owedMicros > 0n ? 0n : state.usdMicros)
    : subscriptionRoom(state, reservation, command.atMs)
  if (available !== undefined && available < more) {
    return {
      _tag: "Refuse",
      error: new InsufficientFunds({
        neededMicros: more,
        availableMicros: available,
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
    event: { _tag: "Extended", reservation: raised, moreMicros: more },
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
  if (reservation !== undefined) return settle(state, command, reservation, reservation.reservedMicros, false)
  if (row === undefined) return { _tag: "NeedRow", id: command.id }
  if (row === null) {
    return command._tag === "Void"
      ? settled(command, null, 0n, 0n, 0n, 0n, 0n, false, false)
      : { _tag: "Refuse", error: new ReservationLost({ id: command.id }) }
  }
  if (row.state === "expired" && command._tag === "Commit") return settle(state, command, row, row.chargedMicros, true)
  return { _tag: "Repeat", answer: { _tag: "Settlement", settlement: row } }
}

/** Settles a reservation of which `heldMicros` are held (or, after expiry, were charged). */
const settle = (
  state: AccountState,
  command: Commit | Void | Expire,
  reservation: Reservation,
  heldMicros: bigint,
  late: boolean
): Decision => {
  const cost = command._tag === "Commit"
    ? costMicros(
      costNumerator(reservation.price, command.outcome.usage),
      reservation.billingMultiplier,
      reservation.planMultiplier
    )
    : command._tag === "Expire" && command.mode === "charge"
    ? heldMicros
    : 0n
  if (reservation.funding === "free") return settled(command, reservation, cost, 0n, 0n, 0n, 0n, late, false)
  if (cost <= heldMicros) {
    const back = heldMicros - cost
    if (reservation.funding === "subscription") {
      return settled(command, reservation, cost, cost, 0n, 0n, -back, late, false)
    }
    const recovered = minimum(state.owedMicros, back)
    return settled(command, reservation, cost, cost, back - recovered, -recovered, 0n, late, false)
  }
  const extra = cost - heldMicros
  if (reservation.funding === "balance") {
    const collected = minimum(state.usdMicros, extra)
    const short = extra - collected
    return settled(command, reservation, cost, heldMicros + collected, -collected, short, 0n, late, short > 0n)
  }
  const left = command._tag === "Commit" ? subscriptionRoom(state, reservation, command.atMs) : 0n
  const collected = left === undefined ? extra : minimum(left, extra)
  const short = extra - collected
  const paid = minimum(state.usdMicros, short)
  return settled(command, reservation, cost, heldMicros + collected, -paid, short - paid, collected, late, short > 0n)
}

const settled = (
  command: Commit | Void | Expire,
  reservation: Reservation | null,
  cost: bigint,
  charged: bigint,
  usdDelta: bigint,
  owedDelta: bigint,
  windowDelta: bigint,
  late: boolean,
  fresh: boolean
): Decision => {
  const settlement: Settlement = {
    state: command._tag === "Commit" ? "committed" : command._tag === "Void" ? "voided" : "expired",
    costMicros: cost,
    chargedMicros: charged,
    late
  }
  return {
    _tag: "Accept",
    event: {
      _tag: "Settled",
      id: command.id,
      kind: settleKind(command),
      reservation,
      outcome: command._tag === "Expire" ? null : command.outcome,
      costMicros: cost,
      chargedMicros: charged,
      usdDelta,
      owedDelta,
      windowDelta
    },
    answer: { _tag: "Settlement", settlement },
    fresh
  }
}

const settleKind = (command: Commit | Void | Expire): SettleKind => {
  if (command._tag === "Commit") return "c"
  if (command._tag === "Void") return "v"
  return command.mode === "charge" ? "x" : "e"
}

const decidePost = (state: AccountState, entry: Post): Decision => {
  const amount = entry.amountMicros
  let usdDelta: bigint
  let owedDelta: bigint
  if (amount >= 0n) {
    const recovered = minimum(state.owedMicros, amount)
    usdDelta = amount - recovered
    owedDelta = -recovered
  } else {
    if (entry.mode === "strict" && state.usdMicros < -amount) {
      return {
        _tag: "Refuse",
        error: new DebitRefused({ neededMicros: -amount, availableMicros: state.usdMicros })
      }
    }
    const taken = minimum(state.usdMicros, -amount)
    usdDelta = -taken
    owedDelta = -amount - taken
  }
  const posted = {
    usdMicros: state.usdMicros + usdDelta,
    owedMicros: state.owedMicros + owedDelta,
    repeated: false
  }
  return {
    _tag: "Accept",
    event: { _tag: "EntryPosted", entry, usdDelta, owedDelta },
    answer: { _tag: "Posted", posted },
    fresh: owedDelta > 0n
  }
}

/** Applies what was decided. */
export const evolve = (state: AccountState, event: Event): AccountState => {
  switch (event._tag) {
    case "Reserved":
      return taken(state, event.reservation, event.reservation.reservedMicros)
    case "Extended":
      return taken(state, event.reservation, event.moreMicros)
    case "Settled":
      return {
        usdMicros: state.usdMicros + event.usdDelta,
        owedMicros: state.owedMicros + event.owedDelta,
        subscriptions: event.reservation === null
          ? state.subscriptions
          : withUsage(state.subscriptions, event.reservation, event.windowDelta),
        open: HashMap.remove(state.open, event.id)
      }
    case "EntryPosted":
      return { ...state, usdMicros: state.usdMicros + event.usdDelta, owedMicros: state.owedMicros + event.owedDelta }
  }
}

const taken = (state: AccountState, reservation: Reservation, micros: bigint): AccountState => ({
  usdMicros: reservation.funding === "balance" ? state.usdMicros - micros : state.usdMicros,
  owedMicros: state.owedMicros,
  subscriptions: reservation.funding === "subscription"
    ? withUsage(state.subscriptions, reservation, micros)
    : state.subscriptions,
  open: HashMap.set(state.open, reservation.id, reservation)
})

const withUsage = (
  subscriptions: ReadonlyArray<SubscriptionState>,
  reservation: Reservation,
  deltaMicros: bigint
): ReadonlyArray<SubscriptionState> =>
  deltaMicros === 0n || reservation.subscriptionId === null
    ? subscriptions
    : subscriptions.map((subscription) =>
      subscription.id === reservation.subscriptionId
        ? { ...subscription, windows: add(subscription.windows, reservation.reservedAtMs, deltaMicros) }
        : subscription
    )
