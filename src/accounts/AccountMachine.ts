/**
 * The rules of an account: `decide` says what a command does to a state, `evolve` applies what was decided. Pure - no
 * Effect, no SQL, no clock - so that every rule about money can be tested as a table. The journal repeats the same
 * conditions as guards in SQL; this file is the fast, exact first answer.
 */
import { HashMap, Option } from "effect"
import { costMicros, costNumerator } from "../domain/Price.ts"
import { type AccountError, InsufficientFunds, ReservationLost, TooManyHolds } from "./AccountError.ts"
import type {
  AccountState,
  Answer,
  CallOutcome,
  Command,
  Commit,
  Expire,
  Extend,
  Reservation,
  ReservationRow,
  Reserve,
  Settlement,
  SubscriptionState,
  Void
} from "./AccountState.ts"
import { affordable, isRunning, refusalOf } from "./Affordability.ts"
import { balanceMultipliers, boundMicros, planMultipliers } from "./HoldBound.ts"
import { type SettlementChange, settlementOf } from "./SettlementRules.ts"
import { add, rolled, room } from "./SubscriptionWindows.ts"

/** How a settlement is written: commit, void, expire with refund, expire with charge. */
export type SettleKind = "c" | "v" | "e" | "x"

/** What was decided and is to be written. Deltas are to the spendable balance and to what is owed, in micros. */
export type Event =
  | { readonly _tag: "Reserved"; readonly reservation: Reservation; readonly command: Reserve }
  | { readonly _tag: "Extended"; readonly reservation: Reservation; readonly moreMicros: bigint }
  | (SettlementChange & {
    readonly _tag: "Settled"
    readonly id: string
    readonly kind: SettleKind
    /** Null: nothing was ever held, and a tombstone is written. */
    readonly reservation: Reservation | null
    /** It had expired: nothing is held any more. */
    readonly late: boolean
    readonly outcome: CallOutcome | null
    readonly costMicros: bigint
  })

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
  const { openHoldsMax } = command
  if (openHoldsMax !== undefined && state.openHolds >= openHoldsMax) {
    return { _tag: "Refuse", error: new TooManyHolds({ openHolds: state.openHolds, openHoldsMax }) }
  }
  if (!command.billingEnabled) {
    return reserved(command, {
      funding: "free",
      subscriptionId: null,
      ...balanceMultipliers(state),
      outputTokens: command.tokensMax
    })
  }
  if (command.counted === true && state.countedOpen) return { _tag: "Refuse", error: refusalOf(state, command, true) }
  for (const subscription of state.subscriptions) {
    if (!isRunning(subscription, command.atMs)) continue
    const left = room(rolled(subscription.windows, command.atMs), subscription.limits)
    const multipliers = planMultipliers(state, subscription)
    const outputTokens = left === undefined
      ? command.tokensMax
      : affordable(command, { availableMicros: left, ...multipliers })
    if (outputTokens !== undefined) {
      return reserved(command, {
        funding: "subscription",
        subscriptionId: subscription.id,
        ...multipliers,
        outputTokens
      })
    }
  }
  if (command.payAsYouGo) {
    const availableMicros = state.owedMicros > 0n ? 0n : state.usdMicros
    const multipliers = balanceMultipliers(state)
    const outputTokens = affordable(command, { availableMicros, ...multipliers })
    if (outputTokens !== undefined) {
      return reserved(command, { funding: "balance", subscriptionId: null, ...multipliers, outputTokens })
    }
  }
  return { _tag: "Refuse", error: refusalOf(state, command, false) }
}

const reserved = (
  command: Reserve,
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
    ...(command.counted === true && !isFree ? { counted: true } : {})
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
    : costMicros(command.numerator, reservation)
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
  if (reservation !== undefined) {
    return settle(state, command, { reservation, heldMicros: reservation.reservedMicros, late: false })
  }
  if (row === undefined) return { _tag: "NeedRow", id: command.id }
  if (row === null) {
    return command._tag === "Void"
      ? settled(command, { reservation: null, costMicros: 0n, change: nothing, late: false })
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
  return settled(command, { reservation, costMicros: cost, change, late })
}

const settled = (
  command: Commit | Void | Expire,
  { change, costMicros: cost, late, reservation }: {
    readonly reservation: Reservation | null
    readonly costMicros: bigint
    readonly change: SettlementChange
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
      ...change
    },
    answer: { _tag: "Settlement", settlement },
    // What cannot be collected is decided on the account as it is now.
    fresh: reservation !== null && reservation.funding !== "free" && change.chargedMicros < cost
  }
}

const settleKind = (command: Commit | Void | Expire): SettleKind => {
  if (command._tag === "Commit") return "c"
  if (command._tag === "Void") return "v"
  return command.mode === "charge" ? "x" : "e"
}

/** Applies what was decided. */
export const evolve = (state: AccountState, event: Event): AccountState => {
  switch (event._tag) {
    case "Reserved":
      return {
        ...taken(state, event.reservation, event.reservation.reservedMicros),
        openHolds: state.openHolds + 1,
        countedOpen: state.countedOpen || event.reservation.counted === true
      }
    case "Extended":
      return taken(state, event.reservation, event.moreMicros)
    case "Settled":
      return afterSettlement(state, event)
  }
}

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
    open: HashMap.set(state.open, reservation.id, reservation)
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
    open: HashMap.remove(state.open, event.id)
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
