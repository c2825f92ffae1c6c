import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { inWorld, PaymentWorld } from "../support/PaymentWorld.ts"

layer(PaymentWorld.layerOf(), { excludeTestServices: true })("money in", (it) => {
  const test = inWorld(it)

  test("a top-up by Stripe: ordered, paid, told by webhook, credited; the books agree", function*(world) {
    const { order, session } = yield* world.stripeTopup
    assert.strictEqual(world.stripe.session(session).amount_total, 1_000)
    world.stripe.pay(session)
    yield* world.idle
    yield* world.credited(order)
  })

  test("a top-up by EPay: the same, by notify", function*(world) {
    const order = yield* world.topup
    world.epay.pay(yield* world.openEpay(order))
    yield* world.idle
    yield* world.credited(order)
  })

  test("a plan by Stripe is in effect on the terms it was ordered with; bought again it follows", function*(world) {
    const { orders, sql } = world
    const userId = yield* world.user()
    const buy = Effect.gen(function*() {
      const order = yield* orders.subscription(userId, "basic")
      const session = yield* world.openStripe(order)
      // What is for sale changes between order and payment.
      yield* sql`UPDATE subscription_plans SET limit_5h_micros = 1, duration_days = 1, disabled_at = now()`
      world.stripe.pay(session)
      yield* world.idle
      yield* sql`UPDATE subscription_plans SET limit_5h_micros = 6000000, duration_days = 30, disabled_at = NULL`
      assert.strictEqual(yield* world.stateOf(order), "active")
    })
    yield* buy
    yield* buy
    const rows = yield* sql<{ limit: bigint; days: number; follows: boolean }>`
        SELECT limit_5h_micros AS limit, extract(day FROM ends_at - starts_at)::integer AS days,
          starts_at = lag(ends_at) OVER (ORDER BY id) AS follows
        FROM user_subscriptions WHERE user_id = ${userId} ORDER BY id`
    assert.deepStrictEqual(rows.map((row) => [row.limit, row.days, row.follows]), [
      [6_000_000n, 30, null],
      [6_000_000n, 30, true]
    ])
  })

  test("every event ten times, at once and late: credited once", function*(world) {
    const { order, session } = yield* world.stripeTopup
    world.stripe.setWebhookMode("manual")
    world.stripe.pay(session)
    const paid = world.stripe.events.findLast((event) => event.type === "checkout.session.completed")
    if (paid === undefined) return assert.fail("no event")
    const deliveries = yield* Effect.promise(() => world.stripe.deliver(paid, { times: 50, concurrent: true }))
    world.stripe.setWebhookMode("automatic")
    assert.deepStrictEqual(deliveries.map((delivery) => delivery.status), Array.from({ length: 50 }, () => 200))
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_400_000n, owed: 0n })
  })

  test(
    "two providers pay one order at once: one fulfils it, the other is an exception that is not lost",
    function*(world) {
      const { order, session } = yield* world.stripeTopup
      const reference = yield* world.openEpay(order)
      world.stripe.pay(session)
      world.epay.pay(reference)
      yield* world.idle
      yield* world.credited(order)
      const [row] = yield* world.sql<{ count: bigint }>`SELECT count(*) FROM payment_events e
        JOIN payment_attempts a ON a.id = e.attempt_id WHERE a.order_id = ${order.id} AND e.outcome = 'needs_review'`
      assert.strictEqual(row?.count, 1n)
    }
  )

  test("a lost callback: asked about, settled; the callback that comes after all changes nothing", function*(world) {
    world.stripe.setWebhookMode("manual")
    world.epay.setNotifyMode("manual")
    const byStripe = yield* world.topup
    const byEpay = yield* world.topup
    world.stripe.pay(yield* world.openStripe(byStripe))
    const reference = yield* world.openEpay(byEpay)
    world.epay.pay(reference)
    const report = yield* world.reconciliation.all(() => undefined)
    assert.strictEqual(report.settled, 2)
    for (const order of [byStripe, byEpay]) {
      assert.strictEqual(yield* world.stateOf(order), "paid")
    }
    for (const event of world.stripe.events) yield* Effect.promise(() => world.stripe.deliver(event))
    yield* Effect.promise(() => world.epay.notify(reference))
    world.stripe.setWebhookMode("automatic")
    world.epay.setNotifyMode("automatic")
    for (const order of [byStripe, byEpay]) {
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_400_000n, owed: 0n })
    }
  })

  test("cancelled, the session is closed; a payment that slipped through is honoured", function*(world) {
    const byStripe = yield* world.topup
    const session = yield* world.openStripe(byStripe)
    yield* world.orders.cancel(byStripe.id, byStripe.userId)
    assert.strictEqual(world.stripe.session(session).status, "expired")
    const byEpay = yield* world.topup
    const reference = yield* world.openEpay(byEpay)
    yield* world.orders.cancel(byEpay.id, undefined)
    assert.strictEqual(yield* world.stateOf(byEpay), "cancelled")
    world.epay.pay(reference)
    yield* world.idle
    yield* world.credited(byEpay)
  })

  test("a delayed method: complete and unpaid is no money; it counts when it comes, or ends without", function*(world) {
    const good = yield* world.topup
    const goodSession = yield* world.openStripe(good)
    world.stripe.pay(goodSession, { delayed: true })
    yield* world.idle
    assert.strictEqual(yield* world.stateOf(good), "pending")
    assert.deepStrictEqual(yield* world.balance(good.userId), { usd: 0n, owed: 0n })
    yield* world.sql`UPDATE topup_orders SET expires_at = now() - interval '1 minute' WHERE id = ${good.id}`
    yield* world.orders.expireDue
    assert.strictEqual(yield* world.stateOf(good), "pending", "money on its way keeps an order open")
    const cancelled = yield* Effect.flip(world.orders.cancel(good.id, undefined))
    assert.strictEqual(cancelled._tag, "OrderProcessing")
    world.stripe.succeedDelayed(goodSession)
    yield* world.idle
    assert.strictEqual(yield* world.stateOf(good), "paid")
    const bad = yield* world.topup
    const badSession = yield* world.openStripe(bad)
    world.stripe.pay(badSession, { delayed: true })
    world.stripe.failDelayed(badSession)
    yield* world.idle
    assert.strictEqual(yield* world.stateOf(bad), "pending")
    assert.deepStrictEqual(yield* world.balance(bad.userId), { usd: 0n, owed: 0n })
    // Another way of paying it is open.
    world.epay.pay(yield* world.openEpay(bad))
    yield* world.idle
    assert.strictEqual(yield* world.stateOf(bad), "paid")
  })
})
