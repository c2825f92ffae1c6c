/**
 * What a payment provider says, once it is verified and in one language for all of them. A fact names a payment and the
 * merchant reference it was made with, and knows nothing of orders: what follows from it is decided by the settlement.
 */
import { Schema } from "effect"
import type { RefundId } from "../domain/Ids.ts"

export const Provider = Schema.Literals(["epay", "stripe"])
export type Provider = typeof Provider.Type

/** Where a payment was made: at a provider, or past both of them, which only root says. */
export const PaymentSource = Schema.Literals(["epay", "stripe", "manual"])
export type PaymentSource = typeof PaymentSource.Type

export interface FactIdentity {
  readonly provider: PaymentSource
  /** The identity of the event: what has it has been said before. */
  readonly eventKey: string
  /** The provider's own name of the event. */
  readonly kind: string
  /** The provider's payment: Stripe's payment intent, EPay's trade number. Null where there is none yet. */
  readonly payment: string | null
  /** Stripe's charge where the message names that alone: its payment has to be asked for. */
  readonly charge?: string | null
  /** Whose payments `payment` is told apart from: EPay's gateway host; empty where payments are unique by themselves. */
  readonly gateway?: string
  /** The account there that the message names: EPay's pid. */
  readonly account?: string
  /** The merchant reference that we gave. Null where the event does not carry it. */
  readonly reference: string | null
  /** When the provider says it happened, seconds since the epoch; 0 where it does not say. */
  readonly atSeconds: number
  /** What is kept of the message, for people who have to decide on it. */
  readonly evidence?: { readonly [name: string]: unknown }
}

/** An amount in the minor unit of a currency, which is in lower case. */
export interface FactAmount {
  readonly amountMinor: bigint
  readonly currency: string
}

/**
 * `pending`, `requires_action` and `succeeded` count as given back. `failed` and `canceled` are final: what was taken for the refund
 * is given back.
 */
export const refundStates = ["pending", "requires_action", "succeeded", "failed", "canceled"] as const
export const RefundState = Schema.Literals(refundStates)
export type RefundState = typeof RefundState.Type

/** A refund as its provider says it is. */
export interface RefundTold extends FactAmount {
  /** The provider's id; null: only we know of it yet. */
  readonly refund: string | null
  /** The row of ours that asked for it; null where that is not known. */
  readonly own: RefundId | null
  readonly state: RefundState
}

/** A dispute as its provider says it is. */
export interface DisputeTold extends FactAmount {
  readonly dispute: string
  /** The provider's own word. */
  readonly status: string
  /** What the provider's balance says was taken, in the dispute's currency; null where it does not say. */
  readonly takenMinor: bigint | null
  readonly reason: string
  /** Until when it can be answered, seconds since the epoch; null where there is nothing to answer. */
  readonly dueBySeconds: number | null
}

export type PaymentFact = FactIdentity & FactBody

export type FactBody =
  /** The money is there. */
  | ({
    readonly _tag: "Paid"
    /** Whose account it went to, as the provider names it: EPay's pid. Null: the signature alone says it (Stripe). */
    readonly merchant: string | null
    /** How it was paid, as the provider names it; recorded, never compared. */
    readonly method: string | null
  } & FactAmount)
  /** The payer has done their part and the money is on its way (delayed methods). Not money yet. */
  | { readonly _tag: "Processing" }
  /** This try has ended without money. */
  | { readonly _tag: "Ended" }
  /** One refund. */
  | ({ readonly _tag: "Refund" } & RefundTold)
  /** Refunds of the payment so far, all together. It is compared with the refunds that are known, and never added. */
  | ({ readonly _tag: "Refunded" } & FactAmount)
  /** A dispute, an inquiry, or what came of it. */
  | ({ readonly _tag: "Dispute" } & DisputeTold)
  /** A card network takes the payment for fraud: a refund in time avoids the dispute. */
  | { readonly _tag: "FraudWarning"; readonly fraudType: string }
  /** Of the provider's test mode, under a live key: no money at all. */
  | { readonly _tag: "TestMode" }
  /** Verified, and of no consequence. */
  | { readonly _tag: "Nothing"; readonly why: string }
  /** Verified, and not to be understood: an invalid amount, another merchant. People have to look. */
  | { readonly _tag: "Unreadable"; readonly why: string }
  /** The same of a refund or a dispute: it says nothing of money that came in. */
  | { readonly _tag: "UnreadableClawback"; readonly why: string }
