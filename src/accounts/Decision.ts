/**
 * What the rules of an account decide: an event that is to be written, an answer as the first time, a refusal, or that more has to be
 * read.
 *
 * @internal
 */
import type { AccountError } from "./AccountError.ts"
import type { Answer, CallOutcome, Reservation, Reserve } from "./AccountState.ts"
import type { LimitsTaken, RateTake, SpendTake } from "./CallUses.ts"
import type { SettlementChange } from "./SettlementRules.ts"

/** How a settlement is written: commit, void, expire with refund, expire with charge. */
export type SettleKind = "c" | "v" | "e" | "x"

/** What was decided and is to be written. Deltas are to the spendable balance and to what is owed, in micros. */
export type Event =
  | {
    readonly _tag: "Reserved"
    readonly reservation: Reservation
    readonly command: Reserve
    /** The user's open reservations, at most; undefined: not limited. */
    readonly openHoldsMax: number | undefined
    /** What it takes of limits; undefined: nothing. */
    readonly taken: LimitsTaken | undefined
  }
  | {
    readonly _tag: "Extended"
    readonly reservation: Reservation
    readonly moreMicros: bigint
    readonly spend: ReadonlyArray<SpendTake>
  }
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
    /** What was charged less what counted until now, in micros. */
    readonly spentDelta: bigint
    /** What its usage corrects of rates. */
    readonly rates: ReadonlyArray<RateTake>
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
