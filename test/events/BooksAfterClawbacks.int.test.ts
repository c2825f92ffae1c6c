import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import type { UserId } from "../../src/domain/Ids.ts"
import { inWorld, PaymentWorld } from "../support/PaymentWorld.ts"
import { ignoreLoss, reserveOf, used } from "../support/TestAccounts.ts"

/** A top-up of 10.00 CNY, paid by Stripe: 1.40 USD. Answers the order and its payment. */
const paidTopup = Effect.gen(function*() {
  const world = yield* PaymentWorld
  const order = yield* world.topup
  const { paymentIntent } = world.stripe.pay(yield* world.openStripe(order))
  yield* world.idle
  assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_400_000n, owed: 0n })
  return { world, order, paymentIntent }
})

/** A plan, paid by Stripe and in effect. */
const paidPlan = Effect.gen(function*() {
  const world = yield* PaymentWorld
  const order = yield* world.orders.subscription(yield* world.user(), "basic")
  const { paymentIntent } = world.stripe.pay(yield* world.openStripe(order))
  yield* world.idle
  const running = Effect.map(
    world.sql<{ status: string }>`SELECT status FROM user_subscriptions WHERE order_id = ${order.id}`,
    ([row]) => row?.status
  )
  assert.strictEqual(yield* running, "active")
  return { world, order, paymentIntent, running }
})

/** Holds a little for a call made at this moment. */
const callNow = (world: PaymentWorld["Service"], userId: UserId) =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (atMs) => world.accounts.reserve(userId, reserveOf(1_000n, { atMs }), ignoreLoss)
  )

layer(PaymentWorld.layerOf(), { excludeTestServices: true })("what refunds and disputes claw back", (it) => {
  const test = inWorld(it)

  it.effect("partial refunds follow the sum, whatever their order; a full one ends the order", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* paidTopup
      world.stripe.setWebhookMode("manual")
      world.stripe.refund({ paymentIntent, amount: 333 })
      world.stripe.refund({ paymentIntent, amount: 333 })
      const told = world.stripe.events.filter((event) => event.type === "charge.refunded").slice(-2)
      for (const event of told.toReversed()) yield* Effect.promise(() => world.stripe.deliver(event, { times: 3 }))
      // floor(1,400,000 × 666 / 1000)
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_400_000n - 932_400n, owed: 0n })
      assert.strictEqual(yield* world.stateOf(order), "paid")
      world.stripe.setWebhookMode("automatic")
      world.stripe.refund({ paymentIntent })
      yield* world.idle
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
      assert.strictEqual(yield* world.stateOf(order), "refunded")
      yield* world.clean
    }))

  it.effect("a refund that fails gives back what it took, told by two events", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* paidTopup
      const refund = world.stripe.refund({ paymentIntent, amount: 500 })
      yield* world.idle
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 700_000n, owed: 0n })
      world.stripe.failRefund(refund.id)
      yield* world.idle
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_400_000n, owed: 0n })
      yield* world.clean
    }))

  it.effect("a refund of money already spent is owed, holds stay good, and the next top-up pays it", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* paidTopup
      const spent = reserveOf(900_000n)
      yield* world.accounts.reserve(order.userId, spent, ignoreLoss)
      yield* world.accounts.commit(order.userId, { _tag: "Commit", id: spent.id, outcome: used(900_000), atMs: 2_000 })
      const held = reserveOf(300_000n)
      yield* world.accounts.reserve(order.userId, held, ignoreLoss)
      world.stripe.dispute({ paymentIntent })
      yield* world.idle
      assert.strictEqual(yield* world.stateOf(order), "disputed")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 1_200_000n })
      const refused = yield* Effect.flip(world.accounts.reserve(order.userId, reserveOf(1n), ignoreLoss))
      assert.strictEqual(refused._tag, "InsufficientFunds")
      // The open call settles from its hold; what comes back pays the debt.
      yield* world.accounts.commit(order.userId, { _tag: "Commit", id: held.id, outcome: used(100_000), atMs: 3_000 })
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 1_000_000n })
      const next = yield* world.orders.topup(order.userId, 1_000n)
      world.stripe.pay(yield* world.openStripe(next))
      yield* world.idle
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 400_000n, owed: 0n })
      yield* world.accounts.reserve(order.userId, reserveOf(1_000n), ignoreLoss)
      yield* world.clean
    }))

  it.effect("a dispute won after a refund gives back what the dispute took; one lost keeps it", () =>
    Effect.gen(function*() {
      for (const outcome of ["won", "lost"] as const) {
        const { order, paymentIntent, world } = yield* paidTopup
        world.stripe.refund({ paymentIntent, amount: 400 })
        yield* world.idle
        const dispute = world.stripe.dispute({ paymentIntent, amount: 600 })
        yield* world.idle
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
        assert.strictEqual(yield* world.stateOf(order), "disputed")
        world.stripe.closeDispute(dispute.id, outcome)
        yield* world.idle
        assert.strictEqual(yield* world.stateOf(order), outcome === "won" ? "paid" : "refunded")
        const usd = outcome === "won" ? 840_000n : 0n
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd, owed: 0n })
        yield* world.clean
      }
    }))

  test("what comes before its payment waits, and is applied with it", function*(world) {
    const { order, session } = yield* world.stripeTopup
    world.stripe.setWebhookMode("manual")
    const { paymentIntent } = world.stripe.pay(session)
    world.stripe.dispute({ paymentIntent })
    const told = (type: string) => world.stripe.events.findLast((event) => event.type === type)
    for (const type of ["charge.dispute.created", "checkout.session.completed"]) {
      const event = told(type)
      if (event === undefined) return assert.fail(`no ${type}`)
      yield* Effect.promise(() => world.stripe.deliver(event, { times: 2 }))
      if (type === "charge.dispute.created") assert.strictEqual(yield* world.stateOf(order), "pending")
    }
    world.stripe.setWebhookMode("automatic")
    assert.strictEqual(yield* world.stateOf(order), "disputed")
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
    const waiting = (yield* world.events).filter((event) => event.outcome === "deferred")
    assert.deepStrictEqual(waiting, [])
  })

  it.effect("a full refund ends a subscription at once; a partial one is for people to look at", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, running, world } = yield* paidPlan
      const first = yield* callNow(world, order.userId)
      assert.strictEqual(first.funding, "subscription")
      world.stripe.refund({ paymentIntent, amount: 200 })
      yield* world.idle
      assert.strictEqual(yield* running, "active")
      const last = (yield* world.events).slice(-2).map(({ outcome }) => outcome)
      assert.include(last, "needs_review")
      world.stripe.refund({ paymentIntent })
      yield* world.idle
      assert.strictEqual(yield* running, "ended")
      assert.strictEqual(yield* world.stateOf(order), "refunded")
      // The account's actor has heard of it: nothing pays the next call.
      const refused = yield* Effect.flip(callNow(world, order.userId))
      assert.strictEqual(refused._tag, "InsufficientFunds")
      yield* world.clean
    }))

  it.effect("one of a stack refunded, those bought after it move up", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* paidPlan
      for (let more = 0; more < 2; more++) {
        const next = yield* world.orders.subscription(order.userId, "basic")
        world.stripe.pay(yield* world.openStripe(next))
        yield* world.idle
      }
      world.stripe.refund({ paymentIntent })
      yield* world.idle
      const rows = yield* world.sql<{ days: number; lasts: number }>`
        SELECT round(extract(epoch FROM starts_at - now()) / 86400)::integer AS days,
          round(extract(epoch FROM ends_at - starts_at) / 86400)::integer AS lasts
        FROM user_subscriptions WHERE user_id = ${order.userId} AND status = 'active' ORDER BY starts_at`
      assert.deepStrictEqual(rows.map((row) => [row.days, row.lasts]), [[0, 30], [30, 30]])
      const next = yield* callNow(world, order.userId)
      assert.strictEqual(next.funding, "subscription")
      yield* world.clean
    }))

  it.effect("a dispute suspends a subscription; won, it goes on", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, running, world } = yield* paidPlan
      const dispute = world.stripe.dispute({ paymentIntent })
      yield* world.idle
      assert.strictEqual(yield* running, "suspended")
      assert.strictEqual(yield* world.stateOf(order), "disputed")
      world.stripe.closeDispute(dispute.id, "won")
      yield* world.idle
      assert.strictEqual(yield* running, "active")
      const next = yield* callNow(world, order.userId)
      assert.strictEqual(next.funding, "subscription")
      yield* world.clean
    }))
})
