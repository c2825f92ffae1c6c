/**
 * The receipt of an order: who sold it to whom, what was paid for it, and what has gone back since. Amounts are in the minor unit of the
 * currency that was paid in.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { OrderId, UserId } from "../domain/Ids.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { isCounted } from "./Clawback.ts"
import { type Dispute, disputesOfOrder } from "./DisputeStore.ts"
import { clawbackNow } from "./Fulfilment.ts"
import type { OrderNotFound } from "./OrderError.ts"
import { Orders, type OrderView } from "./Orders.ts"
import { type Parties, partiesOf } from "./Parties.ts"
import { type Refund, refundsOfOrder } from "./RefundStore.ts"

/** Money that went back: below zero. */
export interface ReturnLine {
  readonly is: "refund" | "dispute"
  readonly at: Date
  readonly amountMinor: bigint
  /** Its provider has not said that it is done. */
  readonly isPending: boolean
}

export interface OrderReceipt extends OrderView, Parties {
  readonly currency: string
  readonly paidMinor: bigint
  /** Oldest first. */
  readonly returns: ReadonlyArray<ReturnLine>
  /** Paid and not gone back. */
  readonly keptMinor: bigint
  /** What was taken off the balance again, in USD micros. */
  readonly takenMicros: bigint
}

/** What has gone back of an order, line by line, of what was paid in this currency. */
const returnLines = (
  { disputes, refunds }: { readonly refunds: ReadonlyArray<Refund>; readonly disputes: ReadonlyArray<Dispute> },
  currency: string
): ReadonlyArray<ReturnLine> =>
  [
    ...refunds.filter((refund) => refund.currency === currency && isCounted(refund.state)).map((refund) => ({
      is: "refund" as const,
      at: refund.createdAt,
      amountMinor: -refund.amountMinor,
      isPending: refund.state !== "succeeded"
    })),
    ...disputes.filter((dispute) => dispute.currency === currency && dispute.takenMinor > 0n).map((dispute) => ({
      is: "dispute" as const,
      at: dispute.updatedAt,
      amountMinor: -dispute.takenMinor,
      isPending: false
    }))
  ].toSorted((a, b) => a.at.getTime() - b.at.getTime())

export class OrderReceipts extends Context.Service<OrderReceipts, {
  /** The receipt of an order, of which nothing need be paid yet; another user's is not found. */
  show(id: OrderId, viewer: UserId): Effect.Effect<OrderReceipt, OrderNotFound | DatabaseUnavailable>
}>()("realms/orders/OrderReceipts") {
  static readonly layer = Layer.effect(OrderReceipts)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const orders = yield* Orders

    const show = Effect.fn("OrderReceipts.show")(function*(id: OrderId, viewer: UserId) {
      const view = yield* orders.show(id, viewer)
      const parties = yield* partiesOf(sql, id)
      const payment = view.payments.find(({ state }) => state === "fulfilled")
      const nothing = { currency: "cny", paidMinor: 0n, returns: [], keptMinor: 0n, takenMicros: 0n }
      if (payment === undefined) return { ...view, ...parties, ...nothing }
      const { currency, debitedMicros, paidMinor } = payment
      // The table has no fulfilled payment without both.
      if (currency === null || paidMinor === null) return { ...view, ...parties, ...nothing }
      const { backMinor } = yield* clawbackNow(sql, payment, paidMinor)
      const returned = { refunds: yield* refundsOfOrder(sql, id), disputes: yield* disputesOfOrder(sql, id) }
      return {
        ...view,
        ...parties,
        currency,
        paidMinor,
        returns: returnLines(returned, currency),
        keptMinor: paidMinor - backMinor,
        takenMicros: debitedMicros
      }
    }, orUnavailable)

    return OrderReceipts.of({ show })
  }))
}
