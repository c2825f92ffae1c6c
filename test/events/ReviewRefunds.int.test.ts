/** Payments in review that are given back: once, and in review again where that came to nothing. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { EventId, makeReservationId, type RefundId } from "../../src/domain/Ids.ts"
import { isUnanswered } from "../../src/orders/Refunds.ts"
import type { PaymentFact } from "../../src/payments/PaymentFact.ts"
import { ada } from "../support/AuditTrail.ts"
import { creditTo, dispute, refund, settle, tagOf } from "../support/ClawbackFacts.ts"
import { inWorld, paidFact, PaymentWorld } from "../support/PaymentWorld.ts"

layer(PaymentWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("a payment in review", (it) => {
  const test = inWorld(it)

  /** A second payment of one order, by Stripe. */
  const secondPayment = Effect.gen(function*() {
    const world = yield* PaymentWorld
    const order = yield* world.topup
    const first = yield* world.openEpay(order)
    const session = yield* world.openStripe(order)
    world.stripe.setWebhookMode("manual")
    const { paymentIntent } = world.stripe.pay(session)
    world.epay.pay(first)
    yield* world.idle
    world.stripe.setWebhookMode("automatic")
    const completed = world.stripe.events.findLast(({ type }) => type === "checkout.session.completed")
    if (completed === undefined) return yield* Effect.die(new Error("no event"))
    yield* Effect.promise(() => world.stripe.deliver(completed))
    const [event] = yield* world.paymentEvents.list({ open: true, text: paymentIntent }, { limit: 5 })
    return event === undefined ? yield* Effect.die(new Error("no event")) : { event, order, paymentIntent, world }
  })

  const stateOfPayment = Effect.fnUntraced(function*(payment: string) {
    const { sql } = yield* PaymentWorld
    const [row] = yield* sql<{ state: string }>`SELECT state FROM payments WHERE payment_id = ${payment}`
    return row?.state
  })

  it.effect("goes back from here once, and its order keeps what another payment paid", () =>
    Effect.gen(function*() {
      const { event, order, paymentIntent, world } = yield* secondPayment
      const asked = { note: "paid twice", key: `back-${event.id}-once` }
      const given = yield* world.resolutions.refund(ada, event.id, asked)
      assert.deepStrictEqual([given.state, given.amountMinor], ["succeeded", 1_000n])
      assert.strictEqual((yield* world.resolutions.refund(ada, event.id, asked)).id, given.id)
      yield* world.idle
      assert.strictEqual(world.stripe.charge(paymentIntent).amount_refunded, 1_000)
      assert.strictEqual(yield* stateOfPayment(paymentIntent), "refunded")
      assert.isFalse((yield* world.paymentEvents.find(event.id)).event.isOpen)
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
      assert.strictEqual(yield* world.stateOf(order), "paid")
      const more = world.resolutions.refund(ada, event.id, { note: "once more", key: `back-${event.id}-again` })
      assert.strictEqual(yield* tagOf(more), "EventClosed")
      yield* world.clean
    }))

  it.effect("is in review again when its refund is refused, or comes back from the bank", () =>
    Effect.gen(function*() {
      const { event, order, paymentIntent, world } = yield* secondPayment
      world.stripe.next({ method: "POST", path: "/v1/refunds", status: 400, code: "balance_insufficient" })
      const refused = yield* world.resolutions.refund(ada, event.id, { note: "n", key: `back-${event.id}-one` })
      assert.strictEqual(refused.state, "failed")
      assert.include(refused.problem, "balance_insufficient")
      assert.strictEqual(yield* stateOfPayment(paymentIntent), "in_review")
      assert.isTrue((yield* world.paymentEvents.find(event.id)).event.isOpen)
      const given = yield* world.resolutions.refund(ada, event.id, { note: "n", key: `back-${event.id}-two` })
      yield* world.idle
      assert.strictEqual(yield* stateOfPayment(paymentIntent), "refunded")
      world.stripe.failRefund(given.providerRefund ?? "")
      yield* world.idle
      assert.strictEqual(yield* stateOfPayment(paymentIntent), "in_review")
      assert.isTrue((yield* world.paymentEvents.find(event.id)).event.isOpen)
      // Credited now, it counts once, and what failed takes nothing of it.
      const credit = creditTo(order.userId, 1_000_000n)
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event.id, credit)), "done")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros + 1_000_000n, owed: 0n })
      yield* world.clean
    }))

  it.effect("is in review again although a part of it went back before, and once for each failure", () =>
    Effect.gen(function*() {
      const { event, order, paymentIntent, world } = yield* secondPayment
      yield* settle(refund(paymentIntent, "succeeded", { amountMinor: 100n }))
      world.stripe.next({ method: "POST", path: "/v1/refunds", status: 400, code: "balance_insufficient" })
      const failed = yield* world.resolutions.refund(ada, event.id, { note: "n", key: `back-${event.id}-rest` })
      assert.deepStrictEqual([failed.state, failed.amountMinor], ["failed", 900n])
      assert.strictEqual(yield* stateOfPayment(paymentIntent), "in_review")
      const outside = { resolution: "refunded", note: "by bank transfer" } as const
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event.id, outside)), "done")
      // The same failure, told again: root has decided since.
      const again = refund(paymentIntent, "failed", { own: failed.id, refund: null, amountMinor: 900n })
      assert.strictEqual((yield* settle(again)).outcome, "applied")
      assert.strictEqual(yield* stateOfPayment(paymentIntent), "refunded")
      assert.isFalse((yield* world.paymentEvents.find(event.id)).event.isOpen)
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
      yield* world.clean
    }))

  test("that was dismissed and settles after all gives no more than has not gone back", function*(world) {
    const { order, session } = yield* world.stripeTopup
    world.stripe.setWebhookMode("manual")
    const { paymentIntent } = world.stripe.pay(session)
    const { attempts } = yield* world.orders.show(order.id, undefined)
    const paid = paidFact(attempts[0]?.reference ?? "", { payment: paymentIntent })
    assert.strictEqual((yield* settle({ ...paid, amountMinor: 999n } as PaymentFact)).outcome, "needs_review")
    const [event] = yield* world.paymentEvents.list({ open: true, text: paymentIntent }, { limit: 5 })
    yield* world.resolutions.resolve(ada, event?.id ?? EventId.make(0n), { resolution: "dismissed", note: "n" })
    assert.strictEqual((yield* settle(refund(paymentIntent, "succeeded", { amountMinor: 400n }))).outcome, "applied")
    const asked = yield* settle(dispute(paymentIntent, "needs_response", "created", { amountMinor: 600n }))
    assert.strictEqual(asked.outcome, "needs_review", "it is to be answered all the same")
    assert.strictEqual((yield* settle({ ...paid, eventKey: makeReservationId() })).outcome, "applied")
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
    world.stripe.setWebhookMode("automatic")
  })

  it.effect("without an answer stays refunded until it is known, and the event that names our row says it", () =>
    Effect.gen(function*() {
      const { event, paymentIntent, world } = yield* secondPayment
      world.stripe.setWebhookMode("manual")
      for (let tries = 0; tries < 3; tries++) {
        world.stripe.next({ method: "POST", path: "/v1/refunds", dropConnection: true, takesEffect: tries === 0 })
      }
      const lost = yield* world.resolutions.refund(ada, event.id, { note: "n", key: `back-${event.id}-lost` })
      assert.isTrue(isUnanswered(lost))
      assert.strictEqual(yield* stateOfPayment(paymentIntent), "refunded")
      const told = world.stripe.events.findLast(({ type }) => type === "refund.updated")
      if (told === undefined) return assert.fail("no event")
      yield* Effect.promise(() => world.stripe.deliver(told))
      const rows = yield* world.sql<{ id: RefundId; state: string; named: boolean }>`
        SELECT id, state, refund_id IS NOT NULL AS named FROM payment_refunds WHERE payment_reference = ${paymentIntent}`
      assert.deepStrictEqual(rows, [{ id: lost.id, state: "succeeded", named: true }])
      world.stripe.setWebhookMode("automatic")
      yield* world.clean
    }))
})
