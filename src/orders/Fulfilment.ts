/**
 * What settles an order, inside the settlement's transaction: the credit or the subscription that was bought, given once, and
 * what refunds and disputes claw back of it.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { type LedgerEntry, postInTransaction } from "../accounts/Ledger.ts"
import type { EventId } from "../domain/Ids.ts"
import { minimum } from "../domain/Money.ts"
import { planTexts } from "../domain/Plan.ts"
import type { ConfirmationFacts, UsdWorth } from "../platform/SecondPerson.ts"
import { activate, setStanding } from "../subscriptions/Subscriptions.ts"
import { type Clawback, clawbackOf, debitOf } from "./Clawback.ts"
import { disputesNow } from "./DisputeStore.ts"
import { fulfilledState, type Order, type OrderState } from "./Order.ts"
import { setOrderState, setSubscription } from "./OrderStore.ts"
import { type Payment, setDebited } from "./Payments.ts"
import { type Reason, reason } from "./Reason.ts"
import { refundsNow, requestedMinor } from "./RefundStore.ts"

type Sql = SqlClient.SqlClient
type Write<A> = Effect.Effect<A, SqlError.SqlError>

type Posting = Pick<LedgerEntry, "kind" | "amountMicros" | "refType" | "refId" | "note">

const entryOf = (fields: Posting): LedgerEntry => ({
  actor: "system",
  mode: "owe",
  ...fields
})

/** What an order gives that is fulfilled by hand. */
export const orderWorth = ({ terms }: Order, creditMicros: bigint): UsdWorth =>
  terms === null ? { usdMicros: creditMicros } : { plan: terms, times: 1n }

/** What somebody who confirms it reads of an order that is fulfilled by hand. */
export const orderFacts = (order: Order, creditMicros: bigint): ConfirmationFacts => ({
  order_id: String(order.id),
  user_id: String(order.userId),
  amount_fen: String(order.amountFen),
  ...(order.terms === null
    ? { credit_micros: String(creditMicros) }
    : { plan_code: order.terms.code, ...planTexts(order.terms) })
})

/** Something the rules exclude: the transaction is undone, and the provider asked to come again. */
const contradiction = (what: string): Effect.Effect<never> => Effect.die(new Error(`settlement: ${what}`))

/** Gives what was bought, of a top-up `creditMicros`; answers the order as it is then. The order and its attempts are locked. */
export const fulfil = (sql: Sql, order: Order, creditMicros: bigint): Write<Order> =>
  Effect.gen(function*() {
    const state = fulfilledState(order.kind)
    yield* setOrderState(sql, order, state)
    if (order.kind === "topup") {
      const posted = yield* postInTransaction(
        sql,
        order.userId,
        entryOf({
          kind: "topup",
          amountMicros: creditMicros,
          refType: "topup_order",
          refId: String(order.id),
          note: ""
        })
      )
      return posted.outcome === "posted"
        ? { ...order, state }
        : yield* contradiction(`the credit of order ${order.id} was ${posted.outcome}`)
    }
    if (order.terms === null) return yield* contradiction(`order ${order.id} has no terms`)
    const subscriptionId = yield* activate(sql, order.userId, order.id, order.terms)
    yield* setSubscription(sql, order.id, subscriptionId)
    return { ...order, state, subscriptionId }
  })

const stateAfter = (order: Order, paidMinor: bigint, clawback: Clawback): OrderState => {
  if (clawback.isDisputed) return "disputed"
  return clawback.backMinor >= paidMinor ? "refunded" : fulfilledState(order.kind)
}

/** Why money went back or came again: the ledger's word for it. */
export type ClawbackCause = "refund" | "dispute"

/** What has come back of a payment, by its refunds and disputes. */
export const clawbackNow = (sql: Sql, payment: Payment, paidMinor: bigint): Write<Clawback> =>
  Effect.map(
    Effect.all({ refunds: refundsNow(sql, payment), disputes: disputesNow(sql, payment) }),
    (told) => clawbackOf(told, paidMinor)
  )

/**
 * Brings what was clawed back of a payment - which paid an order, or was credited by root - to what its refunds and disputes have
 * taken; answers why people have to look, if they have to. Everything about the payment is locked, and so are its order and the order's
 * attempts. `event`: what it is done on.
 */
export const clawBack = (
  sql: Sql,
  payment: Payment,
  order: Order | undefined,
  event: { readonly id: EventId; readonly cause: ClawbackCause }
): Write<Reason | undefined> =>
  Effect.gen(function*() {
    const { paidMinor } = payment
    if (paidMinor === null) return reason("paid_unknown")
    const clawback = yield* clawbackNow(sql, payment, paidMinor)
    const state = order === undefined ? undefined : stateAfter(order, paidMinor, clawback)
    if (order !== undefined && state !== undefined && state !== order.state) yield* setOrderState(sql, order, state)
    if (payment.creditedMicros !== null && payment.creditedUserId !== null) {
      const target = minimum(
        debitOf({ creditMicros: payment.creditedMicros, backMinor: clawback.backMinor, paidMinor }),
        payment.creditedMicros - payment.correctedMicros
      )
      const more = target - payment.debitedMicros
      if (more === 0n) return undefined
      const entry = entryOf({
        // More is a debit, less gives it back.
        kind: more > 0n ? event.cause : `${event.cause}_returned`,
        amountMicros: -more,
        refType: "payment_event",
        refId: String(event.id),
        note: ""
      })
      const posted = yield* postInTransaction(sql, payment.creditedUserId, entry)
      if (posted.outcome !== "posted") return yield* contradiction(`event ${event.id} was ${posted.outcome}`)
      yield* setDebited(sql, payment.id, target)
      return undefined
    }
    if (order === undefined || order.subscriptionId === null) return undefined
    yield* setStanding(sql, order.userId, order.subscriptionId, clawback.plan)
    if (clawback.plan !== "runs") return undefined
    if (clawback.takenMinor > 0n) return reason("part_disputed")
    // What root has asked for needs nobody to look.
    return clawback.refundedMinor > (yield* requestedMinor(sql, payment.id))
      ? reason("part_refunded")
      : undefined
  })
