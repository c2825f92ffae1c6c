/**
 * Orders that root completes as paid outside: once, through the settlement, whatever the providers say before, meanwhile and
 * after.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { makeReservationId, OrderId } from "../../src/domain/Ids.ts"
import type { ManualPayment } from "../../src/events/ManualPayments.ts"
import { ada, bob } from "../support/AuditTrail.ts"
import { tagOf } from "../support/ClawbackFacts.ts"
import { inWorld, paidFact, PaymentWorld, SecondServer } from "../support/PaymentWorld.ts"

const Worlds = SecondServer.layer.pipe(
  Layer.provideMerge(PaymentWorld.layerOf()),
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
)

const RACES = 12

const byBank = (orderId: OrderId, more: Partial<ManualPayment> = {}): ManualPayment => ({
  orderId,
  provider: "manual",
  reference: `bank ${orderId}`,
  note: "transferred to our account",
  ...more
})

const epayFact = (reference: string, payment: string, pid: string, more: object = {}) =>
  paidFact(reference, { provider: "epay", payment, merchant: pid, ...more })

layer(Worlds, { excludeTestServices: true, timeout: 60_000 })("manual payments", (it) => {
  const test = inWorld(it)

  test("are fulfilled from every open state, once, and recorded", function*(world) {
    const { manual, orders, sql } = world
    for (const state of ["pending", "cancelled", "expired"]) {
      const order = yield* world.topup
      yield* sql`UPDATE topup_orders SET state = ${state} WHERE id = ${order.id}`
      assert.strictEqual((yield* manual.complete(ada, byBank(order.id))).state, "paid")
      // A double click is one; another administrator is told.
      assert.strictEqual((yield* manual.complete(ada, byBank(order.id))).state, "paid")
      assert.strictEqual(yield* tagOf(manual.complete(bob, byBank(order.id))), "OrderClosed")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
      const changes = yield* sql<{ actor: string; after: { note: string } }>`
          SELECT actor, after FROM audit_log WHERE target = ${`order:${order.id}`}`
      assert.deepStrictEqual(changes.map(({ actor, after }) => [actor, after.note]), [
        ["user:1", "transferred to our account"]
      ])
    }
    const plan = yield* orders.subscription(yield* world.user(), "basic")
    assert.strictEqual((yield* manual.complete(ada, byBank(plan.id))).state, "active")
    assert.strictEqual(yield* tagOf(manual.complete(ada, byBank(OrderId.make(plan.id + 1_000n)))), "OrderNotFound")
  })

  test("need a reference, a note and a payment that has paid nothing else", function*(world) {
    const order = yield* world.topup
    const bad: ReadonlyArray<Partial<ManualPayment>> = [
      { reference: " " },
      { reference: "a\nb" },
      { reference: "x".repeat(201) },
      { provider: "stripe", reference: "ch_1" },
      { provider: "epay", reference: "a b" },
      { note: "  " },
      { note: "x".repeat(501) }
    ]
    for (const more of bad) {
      assert.strictEqual(yield* tagOf(world.manual.complete(ada, byBank(order.id, more))), "ResolutionRefused")
    }
    const first = yield* world.topup
    yield* world.manual.complete(ada, byBank(first.id))
    const again = byBank(order.id, { reference: `bank ${first.id}` })
    assert.strictEqual(yield* tagOf(world.manual.complete(ada, again)), "PaymentUsed")
    assert.strictEqual(yield* world.stateOf(order), "pending")
  })

  test(
    "make the later callback of the named payment a duplicate, and of another one a second payment",
    function*(world) {
      const { order, reference } = yield* world.epayTopup
      yield* world.manual.complete(ada, byBank(order.id, { provider: "epay", reference: `t${order.id}` }))
      const pid = world.epay.pid
      const told = yield* world.settlement.settle(epayFact(reference, `t${order.id}`, pid))
      assert.strictEqual(told.outcome, "duplicate")
      // Root has accepted what was paid, even if it was another amount.
      const other = yield* world.settlement.settle(epayFact(reference, `t${order.id}`, pid, { amountMinor: 5n }))
      assert.strictEqual(other.outcome, "duplicate")
      const second = yield* world.settlement.settle(epayFact(reference, `u${order.id}`, pid))
      assert.strictEqual(second.outcome, "needs_review")
      const foreign = yield* world.openEpay(yield* world.topup)
      const mixed = yield* world.settlement.settle(epayFact(foreign, `t${order.id}`, pid))
      assert.strictEqual(mixed.outcome, "needs_review", "a payment that root named for another order")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
    }
  )

  test("close the order's Stripe sessions, and take later refunds of the named payment", function*(world) {
    const { order, session } = yield* world.stripeTopup
    yield* world.manual.complete(ada, byBank(order.id, { provider: "stripe", reference: `pi_${order.id}` }))
    yield* Effect.promise(() => world.stripe.until(() => world.stripe.session(session).status === "expired"))
    const refunded = yield* world.settlement.settle({
      ...paidFact("", { payment: `pi_${order.id}`, reference: null }),
      _tag: "Refund",
      refund: makeReservationId(),
      own: null,
      state: "succeeded",
      amountMinor: 500n,
      currency: "cny"
    })
    assert.strictEqual(refunded.outcome, "applied")
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros / 2n, owed: 0n })
    yield* world.idle
  })

  test("resolve the review that the named payment was, and apply what waited for it", function*(world) {
    const { order, reference } = yield* world.epayTopup
    const payment = `w${order.id}`
    const wrong = yield* world.settlement.settle(epayFact(reference, payment, world.epay.pid, { amountMinor: 999n }))
    assert.strictEqual(wrong.outcome, "needs_review")
    const waiting = yield* world.settlement.settle({
      ...paidFact(reference, { provider: "epay", payment }),
      _tag: "Refund",
      refund: makeReservationId(),
      own: null,
      state: "succeeded",
      amountMinor: 1_000n,
      currency: "cny"
    })
    assert.strictEqual(waiting.outcome, "deferred")
    const open = yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 10 })
    assert.deepStrictEqual(open.map(({ outcome }) => outcome), ["needs_review"])
    yield* world.manual.complete(ada, byBank(order.id, { provider: "epay", reference: payment }))
    assert.deepStrictEqual(yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 10 }), [])
    assert.strictEqual(yield* world.stateOf(order), "refunded")
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
  })

  test("wait for money that is on its way", function*(world) {
    const { order, session } = yield* world.stripeTopup
    world.stripe.pay(session, { delayed: true })
    yield* world.idle
    assert.strictEqual(yield* tagOf(world.manual.complete(ada, byBank(order.id))), "OrderProcessing")
    world.stripe.succeedDelayed(session)
    yield* world.idle
    assert.strictEqual(yield* world.stateOf(order), "paid")
  })

  test("race the callback of the same payment on another server: one credit", function*(world) {
    const other = yield* SecondServer
    for (let index = 0; index < RACES; index++) {
      const { order, reference } = yield* world.epayTopup
      const payment = `r${order.id}`
      const named = byBank(order.id, { provider: "epay", reference: payment })
      const [told, done] = yield* Effect.all([
        other.settlement.settle(epayFact(reference, payment, world.epay.pid)),
        tagOf(world.manual.complete(ada, named)),
        tagOf(other.manual.complete(bob, named))
      ], { concurrency: "unbounded" })
      // The first one fulfils it; the others are a duplicate, or told that it is paid.
      assert.include(["applied", "duplicate"], told.outcome)
      if (told.outcome === "applied") assert.strictEqual(done, "OrderClosed")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
    }
  })

  test("race the callback of another payment: one credit, and an exception if it comes second", function*(world) {
    const other = yield* SecondServer
    for (let index = 0; index < RACES; index++) {
      const { order, reference } = yield* world.epayTopup
      const [told, done] = yield* Effect.all([
        other.settlement.settle(epayFact(reference, `q${order.id}`, world.epay.pid)),
        tagOf(world.manual.complete(ada, byBank(order.id)))
      ], { concurrency: "unbounded" })
      assert.include([["applied", "OrderClosed"], ["needs_review", "done"]].map(String), String([told.outcome, done]))
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
    }
  })
})
