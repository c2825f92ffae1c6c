/**
 * How the accounts refuse: not enough funds, an account that cannot be reached now, a reservation that is gone.
 */
import { Schema } from "effect"
import { UserId } from "../domain/Ids.ts"
import { LimitPeriod } from "../domain/LimitPeriod.ts"
import { formatUsd } from "../domain/Money.ts"
import { RateReport } from "../domain/RateReport.ts"

/** Neither a subscription window nor the balance covers the hold. Amounts in micros. */
export class InsufficientFunds extends Schema.TaggedError<InsufficientFunds>()("InsufficientFunds", {
  /** What the smallest acceptable hold would take from the balance. */
  neededMicros: Schema.BigInt,
  /** What the call would hold at most, with the funds for it. */
  wantedMicros: Schema.BigInt,
  /** What the balance has; 0 while anything is owed or when pay-as-you-go is off. */
  availableMicros: Schema.BigInt,
  /** The most that any one funding has with no call open, as if the multipliers of its plan and group were 1. */
  roomMicros: Schema.BigInt,
  owedMicros: Schema.BigInt,
  /** The output limit, in tokens, that the best funding would cover now; 0 when none. */
  outputTokensFit: Schema.Number,
  payAsYouGo: Schema.Boolean,
  /** True when a running subscription was full. */
  subscribed: Schema.Boolean,
  /** When a subscription window has room again, ms since the epoch; null when that does not help. */
  roomAtMs: Schema.NullOr(Schema.Number)
}) {}

/** The money or the window is there, but open calls hold it. Amounts in micros. */
export class FundsHeld extends Schema.TaggedError<FundsHeld>()("FundsHeld", {
  neededMicros: Schema.BigInt,
  availableMicros: Schema.BigInt,
  /** The most that any one funding has with no call open, as if the multipliers of its plan and group were 1. */
  roomMicros: Schema.BigInt,
  /** Open reservations of the account. */
  openHolds: Schema.Number,
  /** True: another call with a counted hold is open, and one is allowed at a time. */
  counted: Schema.Boolean
}) {}

/** The account has as many open reservations as it may have. */
export class TooManyHolds extends Schema.TaggedError<TooManyHolds>()("TooManyHolds", {
  openHolds: Schema.Number,
  openHoldsMax: Schema.Number
}) {}

/** A limit of calls or tokens in a minute, or of calls at once, leaves no room for a call now. */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  /** Whose limit it is. */
  of: Schema.Literals(["key", "user"]),
  limit: Schema.Literals(["requests", "tokens", "calls"]),
  /** In a minute; of `calls` at once. */
  max: Schema.Int,
  /** When it has room again, in milliseconds. */
  retryMs: Schema.Int,
  report: RateReport
}) {}

/** Another call has the idempotency key. */
export class ClaimTaken extends Schema.TaggedError<ClaimTaken>()("ClaimTaken", {}) {}

/** What the key may spend leaves no room for a call. Amounts in micros. */
export class SpendLimitReached extends Schema.TaggedError<SpendLimitReached>()("SpendLimitReached", {
  limitMicros: Schema.BigInt,
  period: LimitPeriod,
  /** Charged by calls that began in the period, and held by open ones. */
  spentMicros: Schema.BigInt,
  /** Negative where more was spent. */
  roomMicros: Schema.BigInt,
  neededMicros: Schema.BigInt,
  /** When the next period begins, ms since the epoch; null: never. */
  resetsAtMs: Schema.NullOr(Schema.Number)
}) {}

/** The account cannot decide or write now: the database is away, a lock is stuck, or a bound is met. Try again later. */
export class AccountUnavailable extends Schema.TaggedError<AccountUnavailable>()("AccountUnavailable", {
  reason: Schema.String,
  /** Whether what was asked has been written is not known. Absent: it was not, or it was a settlement, which goes on. */
  unknown: Schema.optionalKey(Schema.Boolean)
}) {}

/** The reservation is no longer open (expired, settled elsewhere, or never written). */
export class ReservationLost extends Schema.TaggedError<ReservationLost>()("ReservationLost", {
  id: Schema.String
}) {}

/** A strict debit is larger than the balance. Amounts in micros. */
export class DebitRefused extends Schema.TaggedError<DebitRefused>()("DebitRefused", {
  neededMicros: Schema.BigInt,
  availableMicros: Schema.BigInt
}) {
  override get message(): string {
    return `the balance is ${formatUsd(this.availableMicros)} USD, and ${formatUsd(this.neededMicros)} would be taken`
  }
}

/** There is no such user. */
export class UnknownAccount extends Schema.TaggedError<UnknownAccount>()("UnknownAccount", {
  userId: UserId
}) {
  override get message(): string {
    return `user ${this.userId} has no account`
  }
}

/** How a command of an account is refused. */
export const AccountError = Schema.Union([
  InsufficientFunds,
  FundsHeld,
  TooManyHolds,
  RateLimited,
  SpendLimitReached,
  ClaimTaken,
  AccountUnavailable,
  ReservationLost,
  UnknownAccount
])
export type AccountError = typeof AccountError.Type

/** A settlement has not landed in the time that its caller waits; it goes on. */
export const stillSettling = new AccountUnavailable({ reason: "still settling" })

/** An account that has not answered in time. */
export const unanswered = new AccountUnavailable({ reason: "the account does not answer" })

/** PostgreSQL refused a write of the account, and nothing more is decided until it has landed. */
export const stuck = new AccountUnavailable({ reason: "a write of this account is stuck" })
