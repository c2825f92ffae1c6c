/**
 * What a payment provider says, once it is verified and in one language for all of them. A fact names a payment and the
 * merchant reference it was made with, and knows nothing of orders: what follows from it is decided by the settlement.
 */

export type Provider = "epay" | "stripe"

/** Where a payment was made: at a provider, or past both of them, which only root says. */
export type PaymentSource = Provider | "manual"

export interface FactIdentity {
  readonly provider: PaymentSource
  /** The identity of the event: what has it has been said before. */
  readonly eventKey: string
  /** The provider's own name of the event. */
  readonly kind: string
  /** The provider's payment: Stripe's payment intent, EPay's trade number. Null where there is none yet. */
  readonly payment: string | null
  /** Whose payments `payment` is told apart from: EPay's gateway host; empty where payments are unique by themselves. */
  readonly gateway?: string
  /** The account there that the message names: EPay's pid. */
  readonly account?: string
  /** The merchant reference that we gave. Null where the event does not carry it. */
  readonly reference: string | null
  /** When the provider says it happened, seconds since the epoch; 0 where it does not say. */
  readonly atSeconds: number
}

/** An amount in the minor unit of a currency, which is in lower case. */
export interface FactAmount {
  readonly amountMinor: bigint
  readonly currency: string
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
  /** Refunds of the payment so far, all together. */
  | ({ readonly _tag: "Refunded" } & FactAmount)
  /** A refund that is a part of what its payment has refunded. */
  | ({ readonly _tag: "RefundMade"; readonly refund: string } & FactAmount)
  /** A refund that was counted before did not go through: its amount is the merchant's again. */
  | ({ readonly _tag: "RefundFailed"; readonly refund: string } & FactAmount)
  | ({ readonly _tag: "DisputeOpened"; readonly dispute: string } & FactAmount)
  | ({ readonly _tag: "DisputeClosed"; readonly dispute: string; readonly won: boolean } & FactAmount)
  /** The payer's bank asks about the payment, or has settled a dispute before it began: no money has moved. People answer it. */
  | { readonly _tag: "Inquiry"; readonly why: string }
  /** A card network takes the payment for fraud: a refund in time avoids the dispute. */
  | { readonly _tag: "FraudWarning"; readonly why: string }
  /** Of the provider's test mode, under a live key: no money at all. */
  | { readonly _tag: "TestMode"; readonly why: string }
  /** Verified, and of no consequence. */
  | { readonly _tag: "Nothing"; readonly why: string }
  /** Verified, and not to be understood: an amount that is none, a merchant that is another. People have to look. */
  | { readonly _tag: "Unreadable"; readonly why: string }
