/**
 * Orders: placed with everything their fulfilment will need, shown, cancelled, and expired when nobody paid. Nothing here
 * moves money.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { OrderId, type UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings } from "../settings/Settings.ts"
import { findPlanNow, soldPlanJson } from "../subscriptions/PlanNow.ts"
import { askSoon, attemptsOf, lockAttempts } from "./AttemptStore.ts"
import type { Attempt, Order, OrderKind } from "./Order.ts"
import {
  AmountOutOfRange,
  BuyerUnknown,
  OrderClosed,
  OrderNotFound,
  OrderProcessing,
  PlanNotFound,
  TooManyOpen,
  TooManyOrders
} from "./OrderError.ts"
import { findOrder, lockOrder, ordersOf, setOrderState } from "./OrderStore.ts"
import { type Payment, paymentsOfOrder, type UnnamedMoney, unnamedOfOrder } from "./Payments.ts"
import { CheckoutSessions } from "./CheckoutSessions.ts"
import { sellerJson } from "./Parties.ts"
import { rateOf, topupCredit } from "./TopupTerms.ts"

/** An unpaid order lasts so long, in minutes. */
export const ORDER_MINUTES = 120

/** A pending order is used again for the same purchase while it lasts this long or longer, in minutes. */
const REUSED_MINUTES_MIN = 15

/** Pending orders of one user, at most. */
export const PENDING_ORDERS_MAX = 20

/** Orders of one user within an hour, at most: each that was started keeps the reconciliation busy for a while. */
export const ORDERS_PER_HOUR_MAX = 100

/** Orders listed at once, at most. */
const LISTED_MAX = 200

/** Orders expired in one go, at most; the next goes on. */
const EXPIRED_PER_STEP = 200

/** What there is to know of one order. */
export interface OrderView {
  readonly order: Order
  readonly attempts: ReadonlyArray<Attempt>
  /** What came in through the attempts. */
  readonly payments: ReadonlyArray<Payment>
  /** What came in besides, by messages that name no payment. */
  readonly unnamed: ReadonlyArray<UnnamedMoney>
}

const PlacedBefore = Row({ pending: Schema.BigInt, recent: Schema.BigInt })

const IdOfOrder = Row({ id: OrderId })

/** Whose orders may be seen: one user's, or those of all users (undefined) for root and the command line. */
type Viewer = UserId | undefined

export class Orders extends Context.Service<Orders, {
  /** Orders credit for an amount of fen, at today's rate: the user's pending order of the same, where it lasts long enough. */
  topup(
    userId: UserId,
    amountFen: bigint
  ): Effect.Effect<Order, AmountOutOfRange | BuyerUnknown | TooManyOpen | TooManyOrders | DatabaseUnavailable>
  /** Orders a plan, at today's price and terms: likewise. */
  subscription(
    userId: UserId,
    planCode: string
  ): Effect.Effect<Order, PlanNotFound | BuyerUnknown | TooManyOpen | TooManyOrders | DatabaseUnavailable>
  /** An order with its attempts; another user's is not found. */
  show(id: OrderId, viewer: Viewer): Effect.Effect<OrderView, OrderNotFound | DatabaseUnavailable>
  /** A user's orders with an id below `before`, newest first: 200, or fewer when so many are asked for. */
  list(
    userId: UserId,
    page?: { readonly limit?: number; readonly before?: bigint | undefined }
  ): Effect.Effect<ReadonlyArray<Order>, DatabaseUnavailable>
  /**
   * Cancels a pending order and closes its Stripe sessions. Cancelling a cancelled one changes nothing. What an
   * administrator does is recorded as the `actor`'s.
   */
  cancel(
    id: OrderId,
    viewer: Viewer,
    actor?: Actor
  ): Effect.Effect<Order, OrderNotFound | OrderClosed | OrderProcessing | DatabaseUnavailable>
  /** Expires pending orders whose time is over and for which no money is on its way; answers their ids. */
  readonly expireDue: Effect.Effect<ReadonlyArray<OrderId>, DatabaseUnavailable>
}>()("realms/orders/Orders") {
  static readonly layer = Layer.effect(Orders)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const sessions = yield* CheckoutSessions

    /**
     * The buyer's row is locked, so that a user's orders are looked at and made one after the other. Its key is not:
     * a user who orders the same again and again holds up no ledger entry, and so no payment and no journal.
     */
    const asBuyer = Effect.fnUntraced(function*(userId: UserId) {
      const [buyer] = yield* sql`SELECT FROM users WHERE id = ${userId} AND disabled_at IS NULL FOR NO KEY UPDATE`
      if (buyer === undefined) return yield* new BuyerUnknown({ userId })
    })

    const refuseMany = Effect.fnUntraced(function*(userId: UserId) {
      const { pending, recent } = yield* oneRowOf(
        PlacedBefore,
        sql`SELECT count(*) FILTER (WHERE state = 'pending') AS pending,
          count(*) FILTER (WHERE created_at > now() - interval '1 hour') AS recent
        FROM orders WHERE user_id = ${userId}`
      )
      if (Number(pending) >= PENDING_ORDERS_MAX) return yield* new TooManyOpen({ what: "orders" })
      if (Number(recent) >= ORDERS_PER_HOUR_MAX) {
        return yield* new TooManyOrders({ perHour: ORDERS_PER_HOUR_MAX })
      }
    })

    /**
     * Places an order: the user's pending one of the very same columns again, where it lasts long enough and no payment of it is on its
     * way or has come in, else a new one. The buyer is locked.
     */
    const place = Effect.fnUntraced(function*(
      userId: UserId,
      table: "subscription_orders" | "topup_orders",
      columns: Readonly<Record<string, bigint | string>>
    ) {
      const same = Object.entries(columns).map(([name, value]) => sql`o.${sql.literal(name)} = ${value}`)
      const pending = yield* rowOf(
        IdOfOrder,
        sql`SELECT o.id FROM ${sql.literal(table)} o
        WHERE o.user_id = ${userId} AND o.state = 'pending' AND ${sql.and(same)}
          AND o.expires_at > now() + make_interval(mins => ${REUSED_MINUTES_MIN}::integer)
          AND NOT EXISTS (SELECT FROM payment_attempts a LEFT JOIN payments p ON p.attempt_id = a.id
            WHERE a.order_id = o.id AND (a.state = 'processing' OR p.id IS NOT NULL))
        ORDER BY o.id DESC LIMIT 1`
      )
      if (pending === undefined) yield* refuseMany(userId)
      const { id } = pending ?? (yield* oneRowOf(
        IdOfOrder,
        sql`INSERT INTO ${sql.literal(table)} (user_id, expires_at, ${sql.literal(Object.keys(columns).join(", "))})
          VALUES (${userId}, now() + make_interval(mins => ${ORDER_MINUTES}::integer),
            ${sql.csv(Object.values(columns).map((value) => sql`${value}`))}) RETURNING id`
      ))
      return (yield* findOrder(sql, id)) ?? (yield* Effect.die(new Error("an order was not written")))
    })

    const topup = Effect.fn("Orders.topup")(function*(userId: UserId, amountFen: bigint) {
      const current = yield* settings.fresh
      const { billing } = current
      const { maxTopupFen, minTopupFen } = billing
      const { bonusMicros, creditMicros } = topupCredit(amountFen, rateOf(billing))
      if (amountFen < minTopupFen || amountFen > maxTopupFen || creditMicros <= 0n) {
        return yield* new AmountOutOfRange({ minFen: minTopupFen, maxFen: maxTopupFen })
      }
      const columns = {
        amount_fen: amountFen,
        credit_micros: creditMicros,
        bonus_micros: bonusMicros,
        credit_usd_per_cny: billing.creditUsdPerCny,
        seller: sellerJson(current)
      }
      return yield* inTransaction(sql, Effect.andThen(asBuyer(userId), place(userId, "topup_orders", columns))).pipe(
        orUnavailable
      )
    })

    const subscription = Effect.fn("Orders.subscription")(function*(userId: UserId, planCode: string) {
      const current = yield* settings.fresh
      return yield* inTransaction(
        sql,
        Effect.gen(function*() {
          yield* asBuyer(userId)
          const plan = yield* findPlanNow(sql, planCode)
          if (plan === undefined || plan.priceFen <= 0n) return yield* new PlanNotFound({ code: planCode })
          return yield* place(userId, "subscription_orders", {
            plan_id: plan.planId,
            amount_fen: plan.priceFen,
            terms: soldPlanJson(plan),
            seller: sellerJson(current)
          })
        })
      ).pipe(orUnavailable)
    })

    const seen = Effect.fnUntraced(function*(id: OrderId, viewer: Viewer) {
      const order = yield* findOrder(sql, id)
      if (order === undefined || (viewer !== undefined && order.userId !== viewer)) {
        return yield* new OrderNotFound({ id })
      }
      return order
    })

    const show = Effect.fn("Orders.show")(function*(id: OrderId, viewer: Viewer) {
      const order = yield* seen(id, viewer)
      return {
        order,
        attempts: yield* attemptsOf(sql, id),
        payments: yield* paymentsOfOrder(sql, id),
        unnamed: yield* unnamedOfOrder(sql, id)
      }
    }, orUnavailable)

    const cancel = Effect.fn("Orders.cancel")(function*(id: OrderId, viewer: Viewer, actor?: Actor) {
      const known = yield* seen(id, viewer)
      const cancelled = yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const order = (yield* lockOrder(sql, known.kind, id)) ?? known
          if (order.state === "cancelled") return order
          if (order.state !== "pending") return yield* new OrderClosed({ id, state: order.state })
          const attempts = yield* lockAttempts(sql, id)
          if (attempts.some((attempt) => attempt.state === "processing")) return yield* new OrderProcessing({ id })
          yield* setOrderState(sql, order, "cancelled")
          if (actor !== undefined) {
            const change = { before: { state: order.state }, after: { state: "cancelled" } }
            yield* recordChange(sql, actor, { action: "order.cancelled", target: `order:${id}`, ...change })
          }
          return { ...order, state: "cancelled" as const }
        })
      )
      yield* sessions.closeOf(id)
      return cancelled
    }, orUnavailable)

    // In two steps: only a statement that begins after the locks are held reads the newest state of the attempts.
    const expireKind = Effect.fnUntraced(function*(kind: OrderKind) {
      const table = sql.literal(kind === "topup" ? "topup_orders" : "subscription_orders")
      const some = yield* sql`SELECT FROM ${table} WHERE state = 'pending' AND expires_at < now() LIMIT 1`
      if (some.length === 0) return []
      return yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const due = yield* rowsOf(
            IdOfOrder,
            sql`SELECT id FROM ${table} WHERE state = 'pending' AND expires_at < now()
          ORDER BY expires_at LIMIT ${EXPIRED_PER_STEP} FOR UPDATE SKIP LOCKED`
          )
          if (due.length === 0) return []
          const expired = yield* rowsOf(
            IdOfOrder,
            sql`UPDATE ${table} o SET state = 'expired'
          WHERE ${sql.in("id", due.map((row) => row.id))} AND NOT EXISTS (
          SELECT FROM payment_attempts a WHERE a.order_id = o.id AND a.state = 'processing') RETURNING id`
          )
          const ids = expired.map((row) => row.id)
          // Their sessions are closed by the round that is next.
          yield* askSoon(sql, ids)
          return ids
        })
      )
    })

    const expireDue = Effect.gen(function*() {
      return [...yield* expireKind("topup"), ...yield* expireKind("subscription")]
    }).pipe(orUnavailable)

    return Orders.of({
      topup,
      subscription,
      show,
      list: (userId, { before, limit = LISTED_MAX } = {}) =>
        orUnavailable(ordersOf(sql, userId, Math.min(limit, LISTED_MAX), before)),
      cancel,
      expireDue
    })
  }))
}
