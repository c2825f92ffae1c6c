/**
 * Limits in CNY for what was paid in another currency: by the rate that the payment was asked for with.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { PaymentWorld } from "../support/PaymentWorld.ts"
import { staff } from "../support/StaffClients.ts"
import { unknownPayment } from "../support/UnknownPayment.ts"

const World = PaymentWorld.layerOf({
  finance: { confirm_above_cny: "20" },
  payment: { stripe: { currency: "usd", minor_per_fen: "0.14" } }
}).pipe(Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None")))

const paid = Effect.gen(function*() {
  const world = yield* PaymentWorld
  const userId = yield* world.user()
  const order = yield* Effect.orDie(world.orders.topup(userId, 5_000n))
  const { paymentIntent } = world.stripe.pay(yield* world.openStripe(order))
  yield* world.idle
  assert.strictEqual(yield* world.stateOf(order), "paid")
  return { order, paymentIntent, world }
})

layer(World, { excludeTestServices: true, timeout: 60_000 })("refunds of dollars", (it) => {
  it.effect("need a second person above the limit in CNY", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* paid
      const [ada, bob] = [yield* staff("finance"), yield* staff("finance")]
      // 2.80 USD are 20.00 CNY.
      const below = { amount_minor: "280", note: "n", idempotency_key: `below-the-limit-${order.id}` }
      assert.strictEqual((yield* ada.post(`/orders/${order.id}/refunds`, below)).status, 200)
      const above = { amount_minor: "281", note: "n", idempotency_key: `above-the-limit-${order.id}` }
      const waits = yield* ada.post(`/orders/${order.id}/refunds`, above)
      assert.strictEqual(waits.status, 202)
      const shown = yield* bob.get(`/confirmations/${waits.json.confirmation_id}`)
      assert.deepInclude(shown.json, { action: "order.refund", fen: "2008", usd_micros: null })
      assert.deepInclude(shown.json.facts, { amount_minor: "281", currency: "usd" })
      yield* world.idle
      assert.strictEqual(world.stripe.charge(paymentIntent).amount_refunded, 280, "Stripe has not heard of it")
      assert.strictEqual((yield* bob.post(`/confirmations/${waits.json.confirmation_id}/confirm`)).status, 200)
      yield* world.idle
      assert.strictEqual(world.stripe.charge(paymentIntent).amount_refunded, 561)
      yield* world.clean
    }))

  it.effect("need one, however small, where no rate is on record", () =>
    Effect.gen(function*() {
      const { world } = yield* paid
      const ada = yield* staff("finance")
      const ofNobody = { provider: "stripe", reference: "pi_of_nobody", minor: 1, currency: "usd" } as const
      const event = yield* unknownPayment(world.sql, ofNobody)
      const asked = yield* ada.post(`/payments/${event}/refund`, { note: "n", idempotency_key: "nobody-knows" })
      assert.strictEqual(asked.status, 202)
      assert.deepInclude((yield* ada.get(`/confirmations/${asked.json.confirmation_id}`)).json, {
        fen: null,
        usd_micros: null
      })
    }))
})
