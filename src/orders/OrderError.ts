/**
 * How orders refuse: an amount out of bounds, a plan that is not for sale, an order that is not there or no longer open.
 */
import { Schema } from "effect"
import { EventId, OrderId, RefundId, UserId } from "../domain/Ids.ts"
import { formatCny } from "../domain/Money.ts"
import { keyReused, keyRule, noteRule } from "../platform/Notes.ts"
import type { NotConfirmed } from "../platform/SecondPerson.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"

/** The amount is below or above what can be bought at once. Amounts in fen. */
export class AmountOutOfRange extends Schema.TaggedError<AmountOutOfRange>()("AmountOutOfRange", {
  minFen: Schema.BigInt,
  maxFen: Schema.BigInt
}) {
  override readonly message = `an amount from ¥${formatCny(this.minFen)} to ¥${
    formatCny(this.maxFen)
  } can be bought at once`
}

/** There is no such plan for sale. */
export class PlanNotFound extends Schema.TaggedError<PlanNotFound>()("PlanNotFound", { code: Schema.String }) {
  override readonly message = `there is no plan "${this.code}" for sale`
}

/** There is no such order, or it is another user's. */
export class OrderNotFound extends Schema.TaggedError<OrderNotFound>()("OrderNotFound", { id: OrderId }) {
  override readonly message = `there is no order ${this.id}`
}

/** The order is not pending any more. */
export class OrderClosed extends Schema.TaggedError<OrderClosed>()("OrderClosed", {
  id: OrderId,
  state: Schema.String
}) {
  override readonly message = `order ${this.id} is ${this.state}, not pending`
}

/** A payment of the order is on its way, so that it can be neither cancelled nor paid another way. */
export class OrderProcessing extends Schema.TaggedError<OrderProcessing>()("OrderProcessing", { id: OrderId }) {
  override readonly message = `a payment of order ${this.id} is on its way: wait for its outcome`
}

/** A user has so many pending orders, or an order so many attempts, that no more are taken. */
export class TooManyOpen extends Schema.TaggedError<TooManyOpen>()("TooManyOpen", { what: Schema.String }) {
  override readonly message = `too many ${this.what} are open: pay or cancel one first`
}

/** A user has placed as many orders within an hour as one may, cancelled ones too. */
export class TooManyOrders extends Schema.TaggedError<TooManyOrders>()("TooManyOrders", { perHour: Schema.Int }) {
  override readonly message = `${this.perHour} orders were placed within an hour: try again later`
}

/** The user is not there or is disabled. */
export class BuyerUnknown extends Schema.TaggedError<BuyerUnknown>()("BuyerUnknown", { userId: UserId }) {
  override readonly message = `user ${this.userId} cannot buy: there is no such user, or they are disabled`
}

/** A payment has been used: it pays one order or one credit, and none when it was given back. */
export class PaymentUsed extends Schema.TaggedError<PaymentUsed>()("PaymentUsed", {
  payment: Schema.String,
  /** `order`: it paid one; `credited`, `refunded`: root resolved it so. */
  why: Schema.Literals(["order", "credited", "refunded"])
}) {
  override readonly message = `payment ${this.payment} ${paymentUses[this.why]}`
}

const paymentUses = {
  order: "has paid an order",
  credited: "has been credited",
  refunded: "was marked as refunded"
} as const

/** What an administrator filled in is not what is needed; `reason` is the field. */
export class ResolutionRefused extends Schema.TaggedError<ResolutionRefused>()("ResolutionRefused", {
  reason: Schema.Literals(["note", "reference", "amount", "user", "resolution", "key"])
}) {
  override readonly message = resolutionRefusals[this.reason]
}

/** What any decision by hand may meet, besides what it is about. */
export type DecisionError = ResolutionRefused | NotConfirmed | DatabaseUnavailable

const resolutionRefusals = {
  note: noteRule,
  reference: "the provider's own reference of the payment: pi_... at Stripe, the trade number at EPay",
  amount: "the amount is out of bounds",
  user: "there is no such user",
  resolution: "this cannot be done with an event of this kind",
  key: keyRule
} as const

/** There is no such event. */
export class EventNotFound extends Schema.TaggedError<EventNotFound>()("EventNotFound", { id: EventId }) {
  override readonly message = `there is no payment event ${this.id}`
}

/** Somebody has resolved the event, or there was nothing to resolve. */
export class EventClosed extends Schema.TaggedError<EventClosed>()("EventClosed", {
  id: EventId,
  /** Null: it is in no review. */
  resolution: Schema.NullOr(Schema.String),
  /** The e-mail address of the person who did it. */
  by: Schema.NullOr(Schema.String)
}) {
  override get message(): string {
    return this.resolution === null
      ? `event ${this.id} does not wait for anybody`
      : `event ${this.id} was resolved before (${this.resolution}, by ${this.by})`
  }
}

/** The key has been used for another refund: of another order, amount or note. */
export class RefundReused extends Schema.TaggedError<RefundReused>()("RefundReused", {}) {
  override readonly message = keyReused
}

/** There is no such refund. */
export class RefundNotFound extends Schema.TaggedError<RefundNotFound>()("RefundNotFound", { id: RefundId }) {
  override readonly message = `there is no refund ${this.id}`
}

/** Nothing was asked of the provider. */
export class RefundNotPossible extends Schema.TaggedError<RefundNotPossible>()("RefundNotPossible", {
  /**
   * `state`: nothing was paid, or it is disputed. `manual`: it was paid past the providers. `merchant`: it was paid to an
   * account other than the one that is set. `open`: it is not known yet what became of another refund. `closed`: it is known
   * what became of this one. `late`: EPay is never asked again, and
   * Stripe would take its key for a new one.
   */
  why: Schema.Literals(["state", "manual", "merchant", "open", "closed", "late"])
}) {
  override readonly message = refundRefusals[this.why]
}

const refundRefusals = {
  state: "there is nothing to refund: it is not paid, or disputed",
  manual: "it was paid past the providers, and is given back there",
  merchant: "it was paid to another account than the one that is set up now",
  open: "it is not known yet what became of another refund of this order",
  closed: "it is known what became of this refund",
  late: "it cannot be asked again safely: look at the provider what became of it"
} as const
