/**
 * How orders refuse: an amount out of bounds, a plan that is not for sale, an order that is not there or no longer open.
 */
import { Schema } from "effect"
import { formatDecimal } from "../domain/Money.ts"

const yuan = (fen: bigint): string => `¥${formatDecimal(fen, 2, 2)}`

/** The amount is below or above what can be bought at once. Amounts in fen. */
export class AmountOutOfRange extends Schema.TaggedError<AmountOutOfRange>()("AmountOutOfRange", {
  minFen: Schema.BigInt,
  maxFen: Schema.BigInt
}) {
  override get message(): string {
    return `an amount from ${yuan(this.minFen)} to ${yuan(this.maxFen)} can be bought at once`
  }
}

/** There is no such plan for sale. */
export class PlanNotFound extends Schema.TaggedError<PlanNotFound>()("PlanNotFound", { code: Schema.String }) {
  override get message(): string {
    return `there is no plan "${this.code}" for sale`
  }
}

/** There is no such order, or it is another user's. */
export class OrderNotFound extends Schema.TaggedError<OrderNotFound>()("OrderNotFound", { id: Schema.BigInt }) {
  override get message(): string {
    return `there is no order ${this.id}`
  }
}

/** The order is not pending any more. */
export class OrderClosed extends Schema.TaggedError<OrderClosed>()("OrderClosed", {
  id: Schema.BigInt,
  state: Schema.String
}) {
  override get message(): string {
    return `order ${this.id} is ${this.state}, not pending`
  }
}

/** A payment of the order is on its way, so that it can be neither cancelled nor paid another way. */
export class OrderProcessing extends Schema.TaggedError<OrderProcessing>()("OrderProcessing", { id: Schema.BigInt }) {
  override get message(): string {
    return `a payment of order ${this.id} is on its way: wait for its outcome`
  }
}

/** A user has so many pending orders, or an order so many attempts, that no more are taken. */
export class TooManyOpen extends Schema.TaggedError<TooManyOpen>()("TooManyOpen", { what: Schema.String }) {
  override get message(): string {
    return `too many ${this.what} are open: pay or cancel one first`
  }
}

/** A user has placed as many orders within an hour as one may, cancelled ones too. */
export class TooManyOrders extends Schema.TaggedError<TooManyOrders>()("TooManyOrders", { perHour: Schema.Int }) {
  override get message(): string {
    return `${this.perHour} orders were placed within an hour: try again later`
  }
}

/** The user is not there or is disabled. */
export class BuyerUnknown extends Schema.TaggedError<BuyerUnknown>()("BuyerUnknown", { userId: Schema.BigInt }) {
  override get message(): string {
    return `user ${this.userId} cannot buy: not there, or disabled`
  }
}

/** The database did not take it now. Nothing is lost: trying again is safe. */
export class SettlementUnavailable extends Schema.TaggedError<SettlementUnavailable>()("SettlementUnavailable", {
  why: Schema.String
}) {
  override get message(): string {
    return `orders cannot be read or written at this moment (${this.why}); trying again is safe`
  }
}
