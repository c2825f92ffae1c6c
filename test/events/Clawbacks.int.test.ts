/**
 * Refunds and disputes as rows by their ids: sums that are compared and listed, payments of others on the same account, and plans
 * whose time stands still while their price is away.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { makeReservationId, type OrderId } from "../../src/domain/Ids.ts"
import type { Order } from "../../src/orders/Order.ts"
import type { PaymentFact } from "../../src/payments/PaymentFact.ts"
import { dispute, refund, settle, told } from "../support/ClawbackFacts.ts"
import { inWorld, PaymentWorld } from "../support/PaymentWorld.ts"

const byStripe = Effect.fnUntraced(function*(order: Order) {
  const world = yield* PaymentWorld
  const { paymentIntent } = world.stripe.pay(yield* world.openStripe(order))
  yield* world.idle
  return { world, order, paymentIntent }
})

const topup = Effect.gen(function*() {
  return yield* byStripe(yield* (yield* PaymentWorld).topup)
})

const plan = Effect.gen(function*() {
  const world = yield* PaymentWorld
  return yield* byStripe(yield* Effect.orDie(world.orders.subscription(yield* world.user(), "basic")))
})

interface Standing {
  readonly status: string
  /** Of its time, in whole days. */
  readonly daysLeft: number
}

const standingOf = Effect.fnUntraced(function*({ id }: Order) {
  const { sql } = yield* PaymentWorld
  const [row] = yield* sql<Standing>`SELECT status,
      round(extract(epoch FROM ends_at - greatest(starts_at, coalesce(suspended_at, now()))) / 86400)::integer AS "daysLeft"
    FROM user_subscriptions WHERE order_id = ${id}`
  return row
})

/** As if an order's plan had begun, and been stopped, so many days earlier. */
const age = Effect.fnUntraced(function*({ id }: Order, days: number) {
  const { sql } = yield* PaymentWorld
  yield* sql`UPDATE user_subscriptions SET starts_at = starts_at - make_interval(days => ${days}::integer),
      ends_at = ends_at - make_interval(days => ${days}::integer),
      suspended_at = suspended_at - make_interval(days => ${days}::integer)
    WHERE order_id = ${id}`
})

const asksOf = (world: PaymentWorld["Service"], path: string): number =>
  world.stripe.requests.filter((request) => request.method === "GET" && request.path.startsWith(path)).length

layer(PaymentWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })(
  "refunds and disputes by their ids",
  (it) => {
    const test = inWorld(it)

    it.effect("a sum that differs from the refunds that are known makes them be listed once, and is never added", () =>
      Effect.gen(function*() {
        const { order, paymentIntent, world } = yield* topup
        world.stripe.setWebhookMode("manual")
        const made = [100, 250].map((amount) => world.stripe.refund({ paymentIntent, amount }))
        const sums = world.stripe.events.filter(({ type }) => type === "charge.refunded").slice(-2)
        const before = asksOf(world, "/v1/refunds")
        // The first sum, late: the list says what there is.
        for (const event of sums) yield* Effect.promise(() => world.stripe.deliver(event, { times: 2 }))
        assert.strictEqual(asksOf(world, "/v1/refunds"), before + 2, "the first sum and its repetition")
        const { refunds } = yield* world.history.show(order.id)
        assert.deepStrictEqual(
          refunds.map(({ amountMinor, providerRefund, requestedBy }) => [providerRefund, amountMinor, requestedBy]),
          [
            [made[0]?.id, 100n, null],
            [made[1]?.id, 250n, null]
          ].toSorted((a, b) =>
            refunds.findIndex((one) => one.providerRefund === a[0]) -
            refunds.findIndex((one) => one.providerRefund === b[0])
          )
        )
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 910_000n, owed: 0n })
        world.stripe.setWebhookMode("automatic")
        yield* world.clean
      }))

    it.effect("while Stripe does not answer, the event is asked for again", () =>
      Effect.gen(function*() {
        const { order, paymentIntent, world } = yield* topup
        world.stripe.setWebhookMode("manual")
        world.stripe.refund({ paymentIntent, amount: 500 })
        const sum = world.stripe.events.findLast(({ type }) => type === "charge.refunded")
        if (sum === undefined) return assert.fail("no event")
        for (let tries = 0; tries < 3; tries++) world.stripe.next({ method: "GET", path: "/v1/refunds", status: 500 })
        const [first] = yield* Effect.promise(() => world.stripe.deliver(sum))
        assert.strictEqual(first?.status, 503)
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_400_000n, owed: 0n })
        const [second] = yield* Effect.promise(() => world.stripe.deliver(sum))
        assert.strictEqual(second?.status, 200)
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 700_000n, owed: 0n })
        world.stripe.setWebhookMode("automatic")
        yield* world.clean
      }))

    test("whose payment it is is asked once, and what is another's is ignored", function*(world) {
      const before = asksOf(world, "/v1/payment_intents")
      const foreign = makeReservationId()
      for (
        const fact of [
          refund(foreign, "succeeded"),
          dispute(foreign, "needs_response", "created"),
          refund(foreign, "failed")
        ]
      ) {
        assert.strictEqual((yield* settle(fact)).outcome, "ignored")
      }
      assert.strictEqual(asksOf(world, "/v1/payment_intents"), before + 1)
      const rows = yield* world.sql`SELECT FROM payment_refunds WHERE payment_reference = ${foreign}
        UNION ALL SELECT FROM payment_disputes WHERE payment_reference = ${foreign}`
      assert.lengthOf(rows, 0)
      // One of ours, whose payment is told later.
      const order = yield* world.topup
      world.stripe.setWebhookMode("manual")
      const { paymentIntent } = world.stripe.pay(yield* world.openStripe(order))
      const early = refund(paymentIntent, "succeeded", { amountMinor: 400n })
      assert.strictEqual((yield* settle(early)).outcome, "deferred")
      yield* world.reconciliation.all(() => undefined)
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 840_000n, owed: 0n })
      world.stripe.setWebhookMode("automatic")
    })

    it.effect("what Stripe refuses to say needs a review, and moves nothing", () =>
      Effect.gen(function*() {
        const { order, paymentIntent, world } = yield* topup
        world.stripe.next({ method: "GET", path: "/v1/refunds", status: 403 })
        const sum: PaymentFact = {
          ...told(paymentIntent),
          _tag: "Refunded",
          kind: "charge.refunded",
          amountMinor: 500n
        }
        const unlisted = yield* settle(sum)
        assert.deepStrictEqual([unlisted.outcome, unlisted.note.includes("does not list")], ["needs_review", true])
        world.stripe.next({ method: "GET", path: "/v1/payment_intents", status: 403 })
        const foreign = yield* settle(refund(makeReservationId(), "succeeded"))
        assert.deepStrictEqual([foreign.outcome, foreign.note.includes("whose payment")], ["needs_review", true])
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
        yield* world.clean
      }))

    it.effect("a dispute is to be answered until it was, and its reason and time are on record", () =>
      Effect.gen(function*() {
        const { order, paymentIntent, world } = yield* topup
        const about = (status: string, kind: string) => dispute(paymentIntent, status, kind, { amountMinor: 1_000n })
        const open = Effect.map(
          world.paymentEvents.list({ open: true, text: paymentIntent }, { limit: 9 }),
          (events) => events.map(({ note }) => note)
        )
        const words = "(product_not_received, answer before 2027-01-15T08:00:00.000Z)"
        assert.strictEqual((yield* settle(about("warning_needs_response", "created"))).outcome, "needs_review")
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_400_000n, owed: 0n })
        assert.strictEqual(yield* world.stateOf(order), "paid")
        yield* settle({ ...about("needs_response", "updated"), atSeconds: 2_001 })
        yield* settle({ ...about("needs_response", "funds_withdrawn"), atSeconds: 2_001 })
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
        assert.deepStrictEqual(
          yield* open,
          [`a dispute to be answered at the provider ${words}`],
          "once, and the inquiry that it was needs no answer"
        )
        const [shown] = (yield* world.history.show(order.id)).disputes
        assert.deepStrictEqual(
          [shown?.status, shown?.reason, shown?.takenMinor, shown?.dueAt?.toISOString()],
          ["needs_response", "product_not_received", 1_000n, "2027-01-15T08:00:00.000Z"]
        )
        yield* settle({ ...about("under_review", "updated"), atSeconds: 2_002 })
        assert.deepStrictEqual(yield* open, [])
        assert.strictEqual(yield* world.stateOf(order), "disputed")
        // Late, and older than what is known.
        yield* settle({ ...about("needs_response", "updated"), atSeconds: 1_999 })
        yield* settle({ ...about("won", "closed"), atSeconds: 2_003 })
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n }, "its money is still away")
        yield* settle({ ...about("won", "funds_reinstated"), atSeconds: 2_003 })
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_400_000n, owed: 0n })
        assert.strictEqual(yield* world.stateOf(order), "paid")
        yield* world.clean
      }))
  }
)

layer(PaymentWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("a plan whose price is away", (it) => {
  it.effect("is suspended while all of it is disputed, and has the time that was left when the dispute is won", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* plan
      yield* age(order, 12)
      yield* settle(dispute(paymentIntent, "needs_response", "created"))
      assert.deepStrictEqual(yield* standingOf(order), { status: "suspended", daysLeft: 18 })
      yield* age(order, 25)
      yield* settle({ ...dispute(paymentIntent, "won", "closed"), atSeconds: 2_002 })
      assert.deepStrictEqual(yield* standingOf(order), { status: "active", daysLeft: 18 })
      const changes = yield* world.sql<{ before: string; after: string }>`
        SELECT c.status_before AS before, c.status_after AS after FROM subscription_changes c
          JOIN user_subscriptions s ON s.id = c.subscription_id
          WHERE s.order_id = ${order.id} AND c.status_before <> c.status_after ORDER BY c.id`
      assert.deepStrictEqual(changes, [{ before: "active", after: "suspended" }, {
        before: "suspended",
        after: "active"
      }])
      yield* world.clean
    }))

  it.effect("is followed by those bought after it, which start behind it again when it is taken up", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* plan
      const next = yield* Effect.orDie(world.orders.subscription(order.userId, "basic"))
      yield* byStripe(next)
      const starts = Effect.map(
        world.sql<{ order_id: OrderId; days: number }>`SELECT order_id,
            round(extract(epoch FROM starts_at - now()) / 86400)::integer AS days
          FROM user_subscriptions WHERE user_id = ${order.userId} AND status = 'active' ORDER BY starts_at`,
        (rows) => rows.map(({ days, order_id }) => [order_id, days])
      )
      assert.deepStrictEqual(yield* starts, [[order.id, 0], [next.id, 30]])
      yield* settle(dispute(paymentIntent, "needs_response", "created"))
      assert.deepStrictEqual(yield* starts, [[next.id, 0]])
      yield* settle({ ...dispute(paymentIntent, "won", "closed"), atSeconds: 2_002 })
      assert.deepStrictEqual(yield* starts, [[next.id, 0], [order.id, 30]], "one of a plan runs at a time")
      yield* world.clean
    }))

  it.effect("is suspended by a full refund under way, ended by one that went through, and given back by one that failed", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* plan
      yield* age(order, 10)
      yield* settle(refund(paymentIntent, "pending"))
      assert.deepStrictEqual(yield* standingOf(order), { status: "suspended", daysLeft: 20 })
      yield* settle(refund(paymentIntent, "requires_action"))
      assert.strictEqual((yield* standingOf(order))?.status, "suspended")
      yield* settle(refund(paymentIntent, "succeeded"))
      assert.strictEqual((yield* standingOf(order))?.status, "ended")
      assert.strictEqual(yield* world.stateOf(order), "refunded")
      yield* age(order, 3)
      // It came back from the payer's bank.
      yield* settle(refund(paymentIntent, "failed"))
      assert.deepStrictEqual(yield* standingOf(order), { status: "active", daysLeft: 20 })
      assert.strictEqual(yield* world.stateOf(order), "active")
      yield* settle(refund(paymentIntent, "succeeded"))
      assert.strictEqual(yield* world.stateOf(order), "active", "a refund that failed stays so")
      yield* world.clean
    }))

  it.effect("goes on while a part of it is disputed or refunded, which people see", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* plan
      const part = yield* settle(refund(paymentIntent, "succeeded", { amountMinor: 200n }))
      assert.strictEqual(part.outcome, "needs_review")
      yield* settle(dispute(paymentIntent, "under_review", "created", { amountMinor: 300n }))
      assert.strictEqual((yield* standingOf(order))?.status, "active")
      assert.strictEqual(yield* world.stateOf(order), "disputed")
      yield* settle({ ...dispute(paymentIntent, "lost", "closed", { amountMinor: 1_000n }), atSeconds: 2_003 })
      assert.strictEqual((yield* standingOf(order))?.status, "ended", "all of it is gone")
      assert.strictEqual(yield* world.stateOf(order), "refunded")
      yield* world.clean
    }))
})
