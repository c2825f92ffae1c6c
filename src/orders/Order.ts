/**
 * Orders as they are stored: what a user asked to buy, with everything that its fulfilment will be computed from. An order
 * keeps its own terms; what is for sale may change after it.
 */
import { Schema } from "effect"
import { OrderId, SubscriptionId, UserId } from "../domain/Ids.ts"
import { Fen, Micros } from "../domain/Money.ts"
import { orElse, Row } from "../domain/Row.ts"
import type { PaymentSource } from "../payments/PaymentFact.ts"

export const OrderKind = Schema.Literals(["topup", "subscription"])
export type OrderKind = typeof OrderKind.Type

/**
 * `pending` until paid, cancelled or expired. A late but correct payment is honoured. `paid` (a top-up) and `active` (a
 * subscription) are fulfilled; `refunded` and `disputed` were.
 */
export const OrderState = Schema.Literals(["pending", "paid", "active", "cancelled", "expired", "refunded", "disputed"])
export type OrderState = typeof OrderState.Type

/** A plan's full terms when the order was placed. A limit of zero is no limit. */
export const PlanTerms = Schema.Struct({
  plan_id: Schema.BigIntFromString,
  code: Schema.String,
  name: Schema.String,
  price_fen: Schema.BigIntFromString,
  duration_days: Schema.Number,
  limit_5h_micros: Schema.BigIntFromString,
  limit_1d_micros: Schema.BigIntFromString,
  limit_7d_micros: Schema.BigIntFromString,
  limit_30d_micros: Schema.BigIntFromString,
  multiplier_micros: Schema.BigIntFromString
})
export type PlanTerms = typeof PlanTerms.Type

export const Order = Row({
  /** Unique over both kinds. */
  id: OrderId,
  kind: OrderKind,
  userId: UserId,
  amountFen: Fen,
  /** What a top-up credits; 0 for a subscription. */
  creditMicros: orElse(Micros, 0n),
  /** What a subscription gives; null for a top-up. */
  terms: Schema.NullOr(PlanTerms),
  state: OrderState,
  subscriptionId: Schema.NullOr(SubscriptionId),
  createdAt: Schema.Date,
  expiresAt: Schema.Date,
  settledAt: Schema.NullOr(Schema.Date)
})
export interface Order extends Schema.Schema.Type<typeof Order> {}

/** One way of paying an order. */
export interface Attempt {
  readonly id: bigint
  readonly orderKind: OrderKind
  readonly orderId: bigint
  readonly provider: PaymentSource
  readonly method: string | null
  readonly amountMinor: bigint
  /** In lower case. */
  readonly currency: string
  /** EPay: the host of its gateway; empty elsewhere. */
  readonly gateway: string
  readonly merchant: string
  readonly reference: string
  /** Stripe's session; null elsewhere. */
  readonly session: string | null
  readonly sessionUrl: string | null
  readonly sessionExpiresAt: Date | null
  /** The provider may still take a payment for it, or have taken one that is not on record. */
  readonly payable: boolean
  /** The payment that fulfilled the order through this attempt. */
  readonly payment: string | null
  readonly state: "open" | "processing" | "paid" | "closed"
  /** What clawbacks of its payment have debited so far. */
  readonly debitedMicros: bigint
  readonly minorPerFen: string
  /** Who said that it was paid, an administrator; null where the provider says it. */
  readonly completedBy: string | null
  readonly createdAt: Date
}

/** True when its payment has been turned into credit or a subscription, whatever came after. */
export const isFulfilled = (state: OrderState): boolean =>
  state === "paid" || state === "active" || state === "refunded" || state === "disputed"

/** The state of an order that is fulfilled, before any clawback. */
export const fulfilledState = (kind: OrderKind): "paid" | "active" => kind === "topup" ? "paid" : "active"
