/**
 * What one account actor holds in memory and what is said to it: the spendable balance, open reservations and
 * subscription windows of a user, and the commands that change them. Plain data; the rules are in `AccountMachine`.
 */
import type { HashMap } from "effect"
import type { KeyLimits, RateLimits, SpendLimit } from "../domain/CallLimits.ts"
import type { ApiKeyId, ChannelId, SubscriptionId } from "../domain/Ids.ts"
import { type PriceSnapshot, type TokenUsage, zeroUsage } from "../domain/Price.ts"
import type { RateReport } from "../domain/RateReport.ts"
import type { CallUses, CountedTokens } from "./CallUses.ts"
import type { WindowLimits, Windows } from "./SubscriptionWindows.ts"

/** What pays for a call, fixed at reserve. `free`: billing is off, the cost is recorded and nothing is charged. */
export type Funding = "balance" | "subscription" | "free"

/** A hold on funds for one call, with everything its settlement will be computed from. */
export interface Reservation {
  /** UUIDv7; the request id. */
  readonly id: string
  readonly funding: Funding
  readonly subscriptionId: SubscriptionId | null
  readonly price: PriceSnapshot
  /** `billing.multiplier` at reserve, scaled by 10^6. */
  readonly billingMultiplier: bigint
  /** The plan's multiplier at reserve, scaled by 10^6; 1 when the balance pays. */
  readonly planMultiplier: bigint
  /** That of the user's group at reserve, scaled by 10^6. */
  readonly groupMultiplier: bigint
  readonly reservedMicros: bigint
  /** Output tokens (a choice) that the hold covers. */
  readonly outputTokens: number
  readonly reservedAtMs: number
  /** The hold is a counted bound, below the call's ceiling; absent: it is not. */
  readonly counted?: boolean
  /** Absent: no key was named. */
  readonly keyId?: ApiKeyId
  /** Tokens that count in limits, as estimated. In memory alone; absent: no such limit, or not known. */
  readonly tokens?: CountedTokens
  /** Where the limits stood once it was made. In memory alone. */
  readonly report?: RateReport
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
  readonly id: SubscriptionId
  readonly startsAtMs: number
  readonly endsAtMs: number
  readonly limits: WindowLimits
  readonly multiplier: bigint
  /** That of the group that its plan sets, scaled by 10^6; null: it sets none. */
  readonly groupMultiplier: bigint | null
  /** What settled calls were charged and open ones hold. */
  readonly windows: Windows
  /** The part of `windows` that open calls hold. */
  readonly held: Windows
  /** Limits of calls that the plan gives its user; absent: it says nothing of them. */
  readonly rates?: RateLimits
}

/** The multipliers, scaled by 10^6, of the groups that a user has apart from their plans; null: the user has no such group. */
export interface AccountGroups {
  /** The user's own, which comes before every other. */
  readonly own: bigint | null
  /** That of the last redeemed code with a group. */
  readonly redeemed: bigint | null
}

/** Everything a decision is made on. Subscriptions are in funding order: the one that ends soonest first. */
export interface AccountState {
  readonly usdMicros: bigint
  readonly owedMicros: bigint
  /** What open calls hold from the balance. */
  readonly heldMicros: bigint
  /** Open reservations of the account, in whichever process. */
  readonly openHolds: number
  /** One of the open reservations has a counted hold. */
  readonly countedOpen: boolean
  readonly groups: AccountGroups
  readonly subscriptions: ReadonlyArray<SubscriptionState>
  /** The open reservations that this process knows. */
  readonly open: HashMap.HashMap<string, Reservation>
  /** Limits that an administrator gave the user. */
  readonly ownLimits: RateLimits
  /** What is used of limits. */
  readonly uses: CallUses
}

/** An idempotency key and what was sent with it, each by its SHA-256 in hexadecimal digits. */
export interface CallClaim {
  readonly keyHash: string
  readonly bodyHash: string
}

/** What limits a call besides funds. */
export interface ReserveLimits {
  /** Tokens that count until the call's usage is known. */
  readonly tokens: number
  /** Of the call's key. */
  readonly key: KeyLimits
  /** Of users of whom nothing else is said. */
  readonly user: RateLimits
}

/**
 * Asks for a hold of `baseNumerator + tokens × tokenNumerator` (micros × 10^6, before multipliers). `tokens` is as near to
 * `tokensMax` as the funds allow and not below `tokensMin`. With `halfAvailable` it takes at most half of what the funds leave
 * after the base, but is raised to `tokensDefault` where that fits, else to `tokensMin`.
 */
export interface Reserve {
  readonly _tag: "Reserve"
  readonly id: string
  readonly keyId: ApiKeyId | null
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
  /** Absent: `tokensMin`. */
  readonly tokensDefault?: number
  readonly tokensMax: number
  readonly halfAvailable?: boolean
  /** The base holds a counted bound of the text, below its ceiling: an account has one such reservation open at a time. */
  readonly counted?: boolean
  /** Open reservations of the account, at most; absent: not limited here. */
  readonly openHoldsMax?: number
  /** Absent: nothing but funds limits the call. */
  readonly limits?: ReserveLimits
  /** The idempotency key that its client named; absent: none. */
  readonly claim?: CallClaim
  readonly leaseSeconds: number
  readonly atMs: number
}

/** Raises an open reservation to at least the cost of `numerator` (micros × 10^6, before multipliers). */
export interface Extend {
  readonly _tag: "Extend"
  readonly id: string
  readonly numerator: bigint
  readonly outputTokens: number
  /** Spend limits of the call's key; absent: none. */
  readonly spend?: ReadonlyArray<SpendLimit>
  readonly atMs: number
}

/**
 * `input_clamped`, `output_clamped`: above the call's ceiling, and clamped to it. `total_unexplained`: the total says more than
 * its parts, and the rest was charged as output. `above_context`: more input than the model's `context_tokens`, charged.
 * `limit_ignored`: the upstream went far above the output limit, and the stream was ended.
 */
export type UsageFlag = "input_clamped" | "output_clamped" | "total_unexplained" | "above_context" | "limit_ignored"

/** What an upstream stored of a call. The token counts bound what a reference to it brings in. */
export interface ResponseReferences {
  readonly channelId: ChannelId
  readonly responseId: string
  readonly itemIds: ReadonlyArray<string>
  readonly inputTokens: number
  readonly outputTokens: number
}

/** What is recorded about a call when it ends. Times in ms; `status` is the HTTP status its client saw. */
export interface CallOutcome {
  readonly usage: TokenUsage
  /** What was wrong with the usage that the upstream reported; absent: nothing. */
  readonly usageFlags?: ReadonlyArray<UsageFlag>
  /** Input tokens that the upstream reported above the call's ceiling, which were not charged; absent: none. */
  readonly excessTokens?: number
  /** Ids by which later calls may refer to this one; written in the transaction of the commit. */
  readonly references?: ResponseReferences
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
  /** As the call's reservation said, where another process decided on that. */
  readonly tokens?: CountedTokens
  readonly atMs: number
}

/** Returns the whole hold. */
export interface Void {
  readonly _tag: "Void"
  readonly id: string
  readonly outcome: CallOutcome
  /** As the call's reservation said, where another process decided on that. */
  readonly tokens?: CountedTokens
}

/** Ends a reservation whose lease has passed: returned, or charged in full. */
export interface Expire {
  readonly _tag: "Expire"
  readonly id: string
  readonly mode: "refund" | "charge"
}

export type Command = Reserve | Extend | Commit | Void | Expire

/** Settlements are kept until they land; every other command is refused where the account cannot be read or written. */
export const isSettlement = (command: Command): command is Commit | Void =>
  command._tag === "Commit" || command._tag === "Void"

/** How a reservation ended, or that it stands. */
export interface Settlement {
  readonly state: ReservationRow["state"]
  readonly costMicros: bigint
  readonly chargedMicros: bigint
  readonly late: boolean
}

export type Answer =
  | { readonly _tag: "Reservation"; readonly reservation: Reservation }
  | { readonly _tag: "Settlement"; readonly settlement: Settlement }

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

/** The answer to an expire that came too early: the reservation stands. */
export const leased: Answer = {
  _tag: "Settlement",
  settlement: { state: "reserved", costMicros: 0n, chargedMicros: 0n, late: false }
}
