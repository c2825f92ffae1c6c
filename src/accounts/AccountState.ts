/**
 * What one account actor holds in memory and what is said to it: the spendable balance, open reservations and
 * subscription windows of a user, and the commands that change them. Plain data; the rules are in `AccountMachine`.
 */
import type { HashMap } from "effect"
import { type PriceSnapshot, type TokenUsage, zeroUsage } from "../domain/Price.ts"
import type { WindowLimits, Windows } from "./SubscriptionWindows.ts"

/** What pays for a call, fixed at reserve. `free`: billing is off, the cost is recorded and nothing is charged. */
export type Funding = "balance" | "subscription" | "free"

/** A hold on funds for one call, with everything its settlement will be computed from. */
export interface Reservation {
  /** UUIDv7; the request id. */
  readonly id: string
  readonly funding: Funding
  readonly subscriptionId: bigint | null
  readonly price: PriceSnapshot
  /** `billing.multiplier` at reserve, scaled by 10^6. */
  readonly billingMultiplier: bigint
  /** The plan's multiplier at reserve, scaled by 10^6; 1 when the balance pays. */
  readonly planMultiplier: bigint
  readonly reservedMicros: bigint
  /** Output tokens (a choice) that the hold covers. */
  readonly outputTokens: number
  readonly reservedAtMs: number
}

/** A reservation as stored, whatever its state. */
export interface ReservationRow extends Reservation {
  readonly state: "reserved" | "committed" | "voided" | "expired"
  readonly costMicros: bigint
  readonly chargedMicros: bigint
  readonly late: boolean
}

/** A running or coming subscription. Times in ms since the epoch. */
export interface SubscriptionState {
  readonly id: bigint
  readonly startsAtMs: number
  readonly endsAtMs: number
  readonly limits: WindowLimits
  readonly multiplier: bigint
  readonly windows: Windows
}

/** Everything a decision is made on. Subscriptions are in funding order: the one that ends soonest first. */
export interface AccountState {
  readonly usdMicros: bigint
  readonly owedMicros: bigint
  readonly subscriptions: ReadonlyArray<SubscriptionState>
  readonly open: HashMap.HashMap<string, Reservation>
}

/**
 * Asks for a hold of `baseNumerator + tokens × tokenNumerator` (micros × 10^6, before multipliers) with `tokens` as
 * near to `tokensMax` as the funds allow and not below `tokensMin`.
 */
export interface Reserve {
  readonly _tag: "Reserve"
  readonly id: string
  readonly keyId: bigint | null
  readonly endpoint: string
  readonly model: string
  readonly stream: boolean
  readonly price: PriceSnapshot
  readonly billingMultiplier: bigint
  readonly billingEnabled: boolean
  readonly payAsYouGo: boolean
  readonly baseNumerator: bigint
  readonly tokenNumerator: bigint
  readonly tokensMin: number
  readonly tokensMax: number
  readonly leaseSeconds: number
  readonly atMs: number
}

/** Raises an open reservation to at least the cost of `numerator` (micros × 10^6, before multipliers). */
export interface Extend {
  readonly _tag: "Extend"
  readonly id: string
  readonly numerator: bigint
  readonly outputTokens: number
  readonly atMs: number
}

/** What is recorded about a call when it ends. Times in ms; `status` is the HTTP status its client saw. */
export interface CallOutcome {
  readonly usage: TokenUsage
  readonly usageSource: "upstream" | "estimated" | null
  readonly usageFlagged: boolean
  readonly status: number | null
  readonly reason: string | null
  readonly channel: string | null
  readonly upstreamModel: string | null
  readonly latencyMs: number | null
  readonly ttftMs: number | null
}

/** Settles at the cost of what was used. */
export interface Commit {
  readonly _tag: "Commit"
  readonly id: string
  readonly outcome: CallOutcome
  readonly atMs: number
}

/** Returns the whole hold. */
export interface Void {
  readonly _tag: "Void"
  readonly id: string
  readonly outcome: CallOutcome
}

/** Ends a reservation whose lease has passed: returned, or charged in full. */
export interface Expire {
  readonly _tag: "Expire"
  readonly id: string
  readonly mode: "refund" | "charge"
}

/**
 * Posts a ledger entry; (refType, refId, kind) is its identity. A negative amount in mode `strict` is refused when the
 * balance is short; in mode `owe` it takes what there is and the rest is owed.
 */
export interface Post {
  readonly _tag: "Post"
  readonly kind: string
  readonly amountMicros: bigint
  readonly refType: string
  readonly refId: string
  readonly actor: string
  readonly note: string
  readonly mode: "strict" | "owe"
}

export type Command = Reserve | Extend | Commit | Void | Expire | Post

/** How a reservation ended, or that it stands. */
export interface Settlement {
  readonly state: ReservationRow["state"]
  readonly costMicros: bigint
  readonly chargedMicros: bigint
  readonly late: boolean
}

/** The balance after a posted entry; `repeated` when the entry had been posted before. */
export interface Posted {
  readonly usdMicros: bigint
  readonly owedMicros: bigint
  readonly repeated: boolean
}

export type Answer =
  | { readonly _tag: "Reservation"; readonly reservation: Reservation }
  | { readonly _tag: "Settlement"; readonly settlement: Settlement }
  | { readonly _tag: "Posted"; readonly posted: Posted }

/** An outcome with nothing in it, for voids before anything was known. */
export const emptyOutcome: CallOutcome = {
  usage: zeroUsage,
  usageSource: null,
  usageFlagged: false,
  status: null,
  reason: null,
  channel: null,
  upstreamModel: null,
  latencyMs: null,
  ttftMs: null
}
