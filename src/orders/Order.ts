/**
 * Orders as they are stored: what a user asked to buy, with everything that its fulfilment will be computed from. An order
 * keeps its own terms; what is for sale may change after it.
 */
import { Schema } from "effect"
import { AttemptId, OrderId, SubscriptionId, UserId } from "../domain/Ids.ts"
import { Fen, Micros, Minor } from "../domain/Money.ts"
import { SoldPlan } from "../domain/Plan.ts"
import { orElse, Row } from "../domain/Row.ts"
import { PaymentSource } from "../payments/PaymentFact.ts"

export const OrderKind = Schema.Literals(["topup", "subscription"])
export type OrderKind = typeof OrderKind.Type

/**
 * `pending` until paid, cancelled or expired. A late but correct payment is honoured. `paid` (a top-up) and `active` (a
 * subscription) are fulfilled; `refunded` and `disputed` were.
 */
export const OrderState = Schema.Literals(["pending", "paid", "active", "cancelled", "expired", "refunded", "disputed"])
export type OrderState = typeof OrderState.Type

export const Order = Row({
  /** Unique over both kinds. */
  id: OrderId,
  kind: OrderKind,
  userId: UserId,
  amountFen: Fen,
  /** What a top-up credits; 0 for a subscription. */
  creditMicros: orElse(Micros, 0n),
  /** How much of the credit is a bonus. */
  bonusMicros: Micros,
  /** What a subscription gives; null for a top-up. */
  terms: Schema.NullOr(SoldPlan),
  state: OrderState,
  subscriptionId: Schema.NullOr(SubscriptionId),
  createdAt: Schema.Date,
  expiresAt: Schema.Date,
  settledAt: Schema.NullOr(Schema.Date)
})
export interface Order extends Schema.Schema.Type<typeof Order> {}

export const AttemptState = Schema.Literals(["open", "processing", "paid", "closed"])
export type AttemptState = typeof AttemptState.Type

/** One way of paying an order. */
export const Attempt = Row({
  id: AttemptId,
  orderKind: OrderKind,
  orderId: OrderId,
  provider: PaymentSource,
  method: Schema.NullOr(Schema.String),
  amountMinor: Minor,
  /** In lower case. */
  currency: Schema.String,
  /** EPay: the host of its gateway; empty elsewhere. */
  gateway: Schema.String,
  merchant: Schema.String,
  reference: Schema.String,
  /** Stripe's session; null elsewhere. */
  session: Schema.NullOr(Schema.String),
  sessionUrl: Schema.NullOr(Schema.String),
  sessionExpiresAt: Schema.NullOr(Schema.Date),
  /** The provider may still take a payment for it, or have taken one that is not on record. */
  payable: Schema.Boolean,
  /** The payment that fulfilled the order through this attempt. */
  payment: Schema.NullOr(Schema.String),
  state: AttemptState,
  /** What clawbacks of its payment have debited so far. */
  debitedMicros: Micros,
  minorPerFen: Schema.String,
  /** Who said that it was paid, an administrator; null where the provider says it. */
  completedBy: Schema.NullOr(Schema.String),
  createdAt: Schema.Date
}, { reference: "merchant_reference", session: "provider_reference", payment: "payment_reference" })
export interface Attempt extends Schema.Schema.Type<typeof Attempt> {}

/** True when its payment has been turned into credit or a subscription, whatever came after. */
export const isFulfilled = (state: OrderState): boolean =>
  state === "paid" || state === "active" || state === "refunded" || state === "disputed"

/** Money can be said to have come for what is not fulfilled. */
export const isCompletable = (state: OrderState): boolean =>
  state === "pending" || state === "cancelled" || state === "expired"

/** The state of an order that is fulfilled, before any clawback. */
export const fulfilledState = (kind: OrderKind): "paid" | "active" => kind === "topup" ? "paid" : "active"
