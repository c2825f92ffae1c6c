import { assert, describe, it } from "@effect/vitest"
import { Stripe } from "stripe"
import { stripeSignature } from "../../simulators/stripe/StripeWebhooks.ts"
import { failureOf, params, type StripeWorld, verified, withStripe } from "./StripeProbe.ts"

const manual = { webhooks: "manual" } as const

const opened = async ({ sdk }: StripeWorld) => (await sdk.checkout.sessions.create(params())).id

const typesOf = (events: ReadonlyArray<{ readonly type: string }>) => events.map((event) => event.type).toSorted()

/** The object of the last event of a type, as the shop got it. */
const lastOf = async (world: StripeWorld, type: string): Promise<unknown> => {
  await world.sim.idle()
  return world.events().findLast((event) => event.type === type)?.data.object
}

describe("StripeSimulator's webhooks", () => {
  it("signs as Stripe does", () => {
    assert.strictEqual(
      stripeSignature(
        "whsec_test_secret",
        `{"id":"evt_1","object":"event","type":"checkout.session.completed"}`,
        1_700_000_000
      ),
      "t=1700000000,v1=d1e4aa90551919f198c22ba0a9691b35338d4b631d54ce1f1465e93b1d41c430"
    )
    const payload = JSON.stringify({ id: "evt_2", object: "event" })
    assert.strictEqual(
      stripeSignature("whsec_x", payload, 1_800_000_000),
      new Stripe("sk_test_x").webhooks.generateTestHeaderString({
        payload,
        secret: "whsec_x",
        timestamp: 1_800_000_000
      })
    )
  })

  withStripe("says that a session is complete and paid", async (world) => {
    const id = await opened(world)
    const { paymentIntent } = world.sim.pay(id)
    assert.deepInclude(await lastOf(world, "checkout.session.completed"), {
      id,
      status: "complete",
      payment_status: "paid",
      payment_intent: paymentIntent,
      client_reference_id: "topup_1_abc",
      amount_total: 2000,
      currency: "cny",
      metadata: { reference: "topup_1_abc" }
    })
    const [event] = world.events()
    assert.deepStrictEqual([event?.api_version, world.sim.events.length], [Stripe.API_VERSION, 1])
    assert.instanceOf(await failureOf(Promise.resolve().then(() => world.sim.pay(id))), Error)
  })

  withStripe("lets a delayed payment arrive, or fail", async (world) => {
    const [good, bad] = [await opened(world), await opened(world)]
    world.sim.pay(good, { delayed: true })
    assert.deepInclude(await lastOf(world, "checkout.session.completed"), {
      status: "complete",
      payment_status: "unpaid"
    })
    const { paymentIntent } = world.sim.pay(bad, { delayed: true })
    assert.strictEqual((await world.sdk.paymentIntents.retrieve(paymentIntent)).status, "processing")
    world.sim.succeedDelayed(good)
    assert.deepInclude(await lastOf(world, "checkout.session.async_payment_succeeded"), {
      id: good,
      payment_status: "paid"
    })
    world.sim.failDelayed(bad)
    assert.deepInclude(await lastOf(world, "checkout.session.async_payment_failed"), {
      id: bad,
      status: "complete",
      payment_status: "unpaid"
    })
    assert.strictEqual((await world.sdk.paymentIntents.retrieve(paymentIntent)).status, "requires_payment_method")
    assert.throws(() => world.sim.succeedDelayed(bad), "no payment under way")
    assert.throws(() => world.sim.refund({ paymentIntent }), "does not have a successful charge")
  })

  withStripe("says that a session expired, by hand or by the API", async (world) => {
    const id = await opened(world)
    world.sim.expire(id)
    assert.deepInclude(await lastOf(world, "checkout.session.expired"), { id, status: "expired" })
    const other = await opened(world)
    await world.sdk.checkout.sessions.expire(other, {}, { idempotencyKey: "expire-1" })
    assert.deepInclude(await lastOf(world, "checkout.session.expired"), { id: other })
    assert.strictEqual(world.sim.events.at(-1)?.request.idempotency_key, "expire-1")
    assert.strictEqual(world.sim.events[0]?.request.idempotency_key, null)
    assert.throws(() => world.sim.pay(id), "status of `expired`")
  })

  const clock = { nowMs: 1_800_000_000_000 }
  withStripe("expires a session when its time is over", async (world) => {
    const id = await opened(world)
    clock.nowMs += 24 * 60 * 60 * 1000
    assert.strictEqual((await world.sdk.checkout.sessions.retrieve(id)).status, "expired")
    assert.deepStrictEqual(typesOf(world.sim.events), ["checkout.session.expired"])
  }, { ...manual, now: () => clock.nowMs })

  withStripe("counts refunds up, and down when one fails", async (world) => {
    const { charge, paymentIntent } = world.sim.pay(await opened(world))
    const refunded = async () => {
      const object = await lastOf(world, "charge.refunded")
      assert.deepInclude(object, { object: "charge", id: charge, payment_intent: paymentIntent })
      return (await world.sdk.charges.retrieve(charge)).amount_refunded
    }
    const first = world.sim.refund({ paymentIntent, amount: 700 })
    assert.strictEqual(await refunded(), 700)
    assert.deepInclude(await lastOf(world, "charge.refunded"), { amount_refunded: 700, refunded: false })
    world.sim.refund({ paymentIntent })
    assert.strictEqual(await refunded(), 2000)
    assert.deepInclude(await lastOf(world, "charge.refunded"), { amount_refunded: 2000, refunded: true })
    assert.deepInclude(await lastOf(world, "refund.updated"), { amount: 1300, status: "succeeded" })
    world.sim.failRefund(first.id)
    assert.deepInclude(await lastOf(world, "refund.failed"), {
      id: first.id,
      amount: 700,
      status: "failed",
      charge,
      payment_intent: paymentIntent
    })
    assert.strictEqual(await refunded(), 1300)
    assert.throws(() => world.sim.failRefund(first.id), "failed already")
    assert.throws(() => world.sim.refund({ paymentIntent, amount: 701 }), "greater than unrefunded")
    const previous = world.sim.events.filter((event) => event.type === "charge.refunded")
      .map((event) => event.data.previous_attributes?.amount_refunded)
    assert.deepStrictEqual(previous, [0, 700])
  })

  withStripe("opens a dispute and closes it", async (world) => {
    const { charge, paymentIntent } = world.sim.pay(await opened(world))
    const part = world.sim.dispute({ paymentIntent, amount: 300 })
    assert.deepInclude(await lastOf(world, "charge.dispute.created"), {
      id: part.id,
      amount: 300,
      charge,
      payment_intent: paymentIntent,
      status: "needs_response"
    })
    world.sim.closeDispute(part.id, "won")
    assert.deepInclude(await lastOf(world, "charge.dispute.closed"), { id: part.id, status: "won" })
    assert.throws(() => world.sim.closeDispute(part.id, "lost"), "already closed")
    const whole = world.sim.dispute({ paymentIntent })
    world.sim.closeDispute(whole.id, "lost")
    assert.deepInclude(await lastOf(world, "charge.dispute.closed"), { id: whole.id, status: "lost", amount: 2000 })
    assert.isTrue(world.sim.charge(paymentIntent).disputed)
    assert.throws(() => world.sim.dispute({ paymentIntent, amount: 2001 }), "cannot be disputed")
  })

  withStripe("keeps events back until they are delivered", async (world) => {
    world.sim.pay(await opened(world))
    await world.sim.idle()
    assert.strictEqual(world.shop.received.length, 0)
    const [event] = world.sim.events
    assert.isDefined(event)
    const sent = await world.sim.deliver(event, { times: 5, concurrent: true })
    assert.deepStrictEqual(sent.map(({ body, status }) => `${status} ${body}`), Array(5).fill("200 success"))
    await world.sim.deliver(event.id, { times: 2 })
    assert.deepStrictEqual(world.events().map((one) => one.id), Array(7).fill(event.id))
    assert.isTrue(world.sim.deliveries.every((delivery) => delivery.about === event.id))
    world.sim.setWebhookMode("automatic")
    world.sim.pay(await opened(world))
    await world.sim.idle()
    assert.strictEqual(world.shop.received.length, 8)
  }, manual)

  withStripe("signs each delivery", async (world) => {
    world.sim.pay(await opened(world))
    await world.sim.deliver(world.sim.events[0]?.id ?? "")
    clock.nowMs += 60_000
    await world.sim.deliver(world.sim.events[0]?.id ?? "")
    const times = world.shop.received.map(({ headers }) => String(headers["stripe-signature"]).split(",")[0])
    assert.deepStrictEqual(times, [clock.nowMs - 60_000, clock.nowMs].map((ms) => `t=${ms / 1000}`))
  }, { ...manual, now: () => clock.nowMs })

  withStripe("signs wrongly or too late when asked", async (world) => {
    world.sim.pay(await opened(world))
    const id = world.sim.events[0]?.id ?? ""
    await world.sim.deliver(id, { secret: "whsec_other" })
    await world.sim.deliver(id, { atSeconds: 1_700_000_000 })
    for (const callback of world.shop.received) {
      assert.throws(() => verified(world.sdk, world.sim, callback), Stripe.errors.StripeSignatureVerificationError)
    }
  }, manual)

  withStripe("writes an event as another version would", async (world) => {
    const { charge, paymentIntent } = world.sim.pay(await opened(world))
    world.sim.refund({ paymentIntent, amount: 10 })
    world.sim.dispute({ paymentIntent })
    const sent = async (type: string, shape: object) => {
      const event = world.sim.events.find((one) => one.type === type)
      await world.sim.deliver(event ?? "", shape)
      const { body } = world.shop.received.at(-1) ?? { body: "{}" }
      assert.strictEqual(world.events().at(-1)?.id, event?.id)
      const { api_version, data } = JSON.parse(body)
      return { api_version, object: data.object }
    }
    const refunded = await sent("charge.refunded", { apiVersion: "2020-08-27" })
    assert.deepStrictEqual([refunded.api_version, refunded.object.refunds.data[0].amount], ["2020-08-27", 10])
    assert.isUndefined((await sent("charge.refunded", {})).object.refunds)
    const dispute = await sent("charge.dispute.created", { expand: ["payment_intent", "charge"] })
    assert.deepStrictEqual([dispute.object.payment_intent.id, dispute.object.charge.id], [paymentIntent, charge])
    assert.deepStrictEqual([dispute.object.payment_intent.latest_charge, dispute.object.charge.refunds], [
      charge,
      undefined
    ])
    const older = await sent("charge.dispute.created", { apiVersion: "2019-12-03", expand: ["payment_intent"] })
    assert.deepStrictEqual(
      [older.object.payment_intent.latest_charge, older.object.payment_intent.charges.data[0].id],
      [
        undefined,
        charge
      ]
    )
    const oldest = await sent("charge.dispute.created", { apiVersion: "2015-10-16", omit: ["payment_intent"] })
    assert.deepStrictEqual([oldest.object.charge, "payment_intent" in oldest.object], [charge, false])
  }, manual)

  withStripe("sends an event that a test made up", async (world) => {
    world.sim.pay(await opened(world))
    const [event] = world.sim.events
    assert.isDefined(event)
    await world.sim.deliver({ ...event, id: "evt_strange", type: "customer.created" })
    assert.deepStrictEqual(world.events().map((one) => [one.id, one.type]), [["evt_strange", "customer.created"]])
  }, manual)

  withStripe("tries again until it is heard, and not for ever", async (world) => {
    world.shop.answers.push([500, ""], [404, ""])
    world.sim.pay(await opened(world))
    await world.sim.idle()
    assert.deepStrictEqual(world.sim.deliveries.map(({ attempt, status }) => [attempt, status]), [[1, 500], [2, 404], [
      3,
      200
    ]])
    world.shop.answers.push([500, ""], [500, ""], [500, ""])
    world.sim.pay(await opened(world))
    await world.sim.idle()
    assert.strictEqual(world.shop.received.length, 6)
    world.sim.setWebhookUrl("http://127.0.0.1:1/nobody")
    world.sim.pay(await opened(world))
    await world.sim.idle()
    assert.deepStrictEqual(world.sim.deliveries.slice(6).map(({ status }) => status), [0, 0, 0])
  })

  withStripe("stops trying when it is closed", async (world) => {
    world.shop.answers.push([500, ""], [500, ""])
    world.sim.pay(await opened(world))
    await world.sim.until(() => world.sim.deliveries.length === 1)
    await world.sim.close()
    await world.sim.idle()
    assert.strictEqual(world.shop.received.length, 1)
  }, { retryDelaysMs: [60_000] })
})
