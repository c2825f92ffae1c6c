/**
 * Webhooks verified: by the protocol's vector, by signatures that the SDK makes, and as the simulated Stripe sends them in
 * several versions. Nothing else gets in.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Redacted } from "effect"
import { Buffer } from "node:buffer"
import { createHmac } from "node:crypto"
import { Stripe } from "stripe"
import { isWebhookOn, readStripeEvent } from "../../src/payments/StripeEvents.ts"
import { startCallbackProbe } from "../simulators/CallbackProbe.ts"
import { withoutEvidence } from "../support/WithoutEvidence.ts"
import { shown } from "./EpayWorld.ts"
import { SECRET, stripeConfig, withStripe } from "./StripeWorld.ts"

const NOW = 1_700_000_000

const vector = {
  body: `{"id":"evt_1","object":"event","type":"checkout.session.completed"}`,
  v1: "d1e4aa90551919f198c22ba0a9691b35338d4b631d54ce1f1465e93b1d41c430"
}

const payload = JSON.stringify(
  {
    id: "evt_2",
    object: "event",
    created: NOW - 5,
    type: "checkout.session.completed",
    data: {
      object: {
        metadata: { realms_reference: "topup_1_余额" },
        status: "complete",
        payment_status: "paid",
        payment_intent: "pi_1",
        amount_total: 2000,
        currency: "cny"
      }
    }
  },
  undefined,
  2
)

const header = (body: string, timestamp = NOW, secret = SECRET): string =>
  Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp })

/** What the header would be with any secret, the empty one too, which the SDK refuses to use. */
const byHand = (body: string, secret: string): string =>
  `t=${NOW},v1=${createHmac("sha256", secret).update(`${NOW}.${body}`).digest("hex")}`

const read = (body: string | Uint8Array, signature: string | undefined, secret = SECRET) =>
  readStripeEvent({ body, signature, nowSeconds: NOW }, stripeConfig({ webhookSecret: Redacted.make(secret) }))

const doubtOf = (body: string | Uint8Array, signature: string | undefined, secret = SECRET) =>
  Effect.map(Effect.flip(read(body, signature, secret)), (error) => {
    assert.strictEqual(error._tag, "NotVerified")
    if (secret.trim() !== "") assert.notInclude(shown(error), secret)
    return error.why
  })

const callbackProbe = Effect.acquireRelease(
  Effect.promise(startCallbackProbe),
  (probe) => Effect.promise(probe.close)
)

describe("StripeEvents", () => {
  it.effect("verifies the protocol's vector", () =>
    Effect.gen(function*() {
      assert.strictEqual(header(vector.body), `t=${NOW},v1=${vector.v1}`)
      const fact = yield* read(vector.body, `t=${NOW},v1=${vector.v1}`)
      assert.deepStrictEqual([fact._tag, fact.eventKey, fact.kind], [
        "Unreadable",
        "evt_1",
        "checkout.session.completed"
      ])
    }))

  it.effect("reads a body as bytes or text, by its exact bytes", () =>
    Effect.gen(function*() {
      const fact = yield* read(payload, header(payload))
      assert.deepStrictEqual(withoutEvidence(fact), {
        _tag: "Paid",
        provider: "stripe",
        eventKey: "evt_2",
        kind: "checkout.session.completed",
        atSeconds: NOW - 5,
        payment: "pi_1",
        reference: "topup_1_余额",
        merchant: null,
        method: null,
        amountMinor: 2000n,
        currency: "cny"
      })
      assert.deepStrictEqual(yield* read(Uint8Array.from(Buffer.from(payload)), header(payload)), fact)
      const same = JSON.stringify(JSON.parse(payload))
      assert.include(yield* doubtOf(same, header(payload)), "No signatures found matching")
      assert.include(yield* doubtOf(`${payload}\n`, header(payload)), "No signatures found matching")
    }))

  it.effect("goes on verifying while Stripe is switched off", () =>
    Effect.gen(function*() {
      const off = stripeConfig({ enabled: false, secretKey: Redacted.make("") })
      const event = { body: payload, signature: header(payload), nowSeconds: NOW }
      assert.strictEqual((yield* readStripeEvent(event, off))._tag, "Paid")
      assert.isTrue(isWebhookOn(off))
    }))

  it.effect.each<[string, string]>([
    ["another body's", header(vector.body)],
    ["another secret's", header(payload, NOW, "whsec_other")],
    ["that of another time", header(payload).replace(`t=${NOW}`, `t=${NOW - 1}`)],
    ["one with a wrong digit", header(payload).slice(0, -1)],
    ["one of an old scheme", header(payload).replace("v1=", "v0=")],
    ["one without a time", header(payload).replace(/^t=\d+,/, "")],
    ["one with an invalid time", header(payload).replace(/^t=\d+/, "t=now")],
    ["a scheme without a value", `t=${NOW},v1`],
    ["an empty value", `t=${NOW},v1=`],
    ["text", "hello"],
    ["nothing", ""]
  ])("refuses a signature: %s", ([, signature]) =>
    Effect.gen(function*() {
      assert.isAbove((yield* doubtOf(payload, signature)).length, 0)
    }))

  it.effect("refuses what has no signature, and no body", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* doubtOf(payload, undefined), "there is no signature")
      assert.isAbove((yield* doubtOf("", byHand("", SECRET))).length, 0)
      assert.isAbove((yield* doubtOf(new Uint8Array(), byHand("", SECRET))).length, 0)
    }))

  it.effect("believes a signature for 300 seconds, of the clock it is given", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* read(payload, header(payload, NOW - 300)))._tag, "Paid")
      assert.strictEqual(
        yield* doubtOf(payload, header(payload, NOW - 301)),
        "Timestamp outside the tolerance zone"
      )
      const event = { body: payload, signature: header(payload), nowSeconds: NOW + 301 }
      const later = yield* Effect.flip(readStripeEvent(event, stripeConfig()))
      assert.strictEqual(later.why, "Timestamp outside the tolerance zone")
    }))

  it.effect("takes one right signature among several, as while a secret is rolled over", () =>
    Effect.gen(function*() {
      const [, right = ""] = header(payload).split(",")
      const [, other = ""] = header(payload, NOW, "whsec_other").split(",")
      for (const several of [[other, right], [right, other], ["v0=00", other, "v2=1", right]]) {
        assert.strictEqual((yield* read(payload, [`t=${NOW}`, ...several].join(",")))._tag, "Paid")
      }
      assert.isAbove((yield* doubtOf(payload, `t=${NOW},${other},${other}`)).length, 0)
    }))

  it.effect("with an empty secret verifies nothing: anyone could have signed", () =>
    Effect.gen(function*() {
      for (const secret of ["", " ", "\t\n"]) {
        assert.isFalse(isWebhookOn(stripeConfig({ webhookSecret: Redacted.make(secret) })))
        for (const signature of [byHand(payload, secret), header(payload), undefined, ""]) {
          assert.strictEqual(yield* doubtOf(payload, signature, secret), "no webhook secret is set")
        }
      }
      assert.strictEqual((yield* read(payload, byHand(payload, SECRET)))._tag, "Paid", "signed so, with a secret")
    }))

  it.effect("takes a thin event for one of no consequence, and says what to change at Stripe", () =>
    Effect.gen(function*() {
      const body = JSON.stringify({
        id: "evt_thin",
        object: "v2.core.event",
        type: "v1.charge.refunded",
        created: "2026-01-01T00:00:00.000Z",
        livemode: true,
        related_object: { id: "ch_1", type: "charge", url: "/v1/charges/ch_1" }
      })
      const lines: Array<string> = []
      const logger = Logger.layer([
        Logger.make(({ logLevel, message }) => void lines.push(`${logLevel} ${[message].flat()[0]}`))
      ])
      const fact = yield* read(body, byHand(body, SECRET)).pipe(Effect.provide(logger))
      assert.deepInclude(fact, { _tag: "Nothing", eventKey: "evt_thin", kind: "v1.charge.refunded", payment: null })
      assert.lengthOf(lines, 1)
      assert.match(lines[0] ?? "", /^Warn Stripe sends thin events .* snapshot payloads/)
      assert.include(yield* doubtOf(body, byHand(body, "whsec_other")), "No signatures found")
    }))

  it.effect("reads an event with NUL and lone surrogates as one without", () =>
    Effect.gen(function*() {
      const object = { ...JSON.parse(payload).data.object, payment_intent: "pi_\0nul", currency: "c\0ny" }
      const body = JSON.stringify({
        id: "evt\0_nul",
        type: "checkout.session.completed\0",
        created: NOW,
        data: { object: { ...object, metadata: { "ref\0erence": "topup_1\0", other: "\ud800" } } }
      })
      assert.include(body, "\\u0000")
      const fact = yield* read(body, byHand(body, SECRET))
      assert.deepInclude(fact, {
        _tag: "Paid",
        eventKey: "evt_nul",
        kind: "checkout.session.completed",
        payment: "pi_nul",
        reference: "topup_1",
        currency: "cny"
      })
    }))

  it.effect.each(["null", "1", '"evt_1"', "[]", "{}", `{"id":"evt_1"}`, `{"type":"x"}`, '[{"id":"e","type":"t"}]'])(
    "refuses what is signed and no event: %s",
    (body) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* doubtOf(body, header(body)), "it is signed, but not an event")
      })
  )

  it.effect.each(["hello", "{", "<html>", `{"id":"evt_1",}`])(
    "refuses what is signed and no JSON: %s",
    (body) =>
      Effect.gen(function*() {
        assert.isAbove((yield* doubtOf(body, header(body))).length, 0)
      })
  )

  withStripe("reads what Stripe sends, whichever version wrote it", function*({ config, order, sim, stripe }) {
    const shop = yield* callbackProbe
    const opened = (reference: string) => stripe.create(config, order({ reference }))
    const [first, delayed, broken, left] = yield* Effect.forEach([
      "topup_1_a",
      "topup_1_b",
      "topup_1_c",
      "topup_1_d"
    ], opened)
    if (first === undefined || delayed === undefined || broken === undefined || left === undefined) {
      return assert.fail("a session is missing")
    }
    const { paymentIntent } = sim.pay(first.session)
    sim.pay(delayed.session, { delayed: true, method: "alipay" })
    sim.succeedDelayed(delayed.session)
    sim.pay(broken.session, { delayed: true })
    sim.failDelayed(broken.session)
    sim.expire(left.session)
    const back = sim.refund({ paymentIntent, amount: 500 })
    sim.failRefund(back.id)
    sim.closeDispute(sim.dispute({ paymentIntent }).id, "won")
    sim.closeDispute(sim.dispute({ paymentIntent, amount: 100 }).id, "lost")

    const readAll = Effect.fnUntraced(function*(apiVersion: string) {
      const from = shop.received.length
      for (const event of sim.events) {
        yield* Effect.promise(() => sim.deliver(event, { apiVersion, to: shop.url, atSeconds: NOW }))
      }
      return yield* Effect.forEach(
        shop.received.slice(from),
        ({ body, headers }) => read(body, String(headers["stripe-signature"]), sim.webhookSecret)
      )
    })
    const facts = yield* readAll("2026-10-28.endive")
    assert.deepStrictEqual(
      facts.map((fact) => [
        fact.kind,
        fact._tag,
        fact.reference,
        "amountMinor" in fact ? Number(fact.amountMinor) : "won" in fact ? fact.won : undefined
      ]),
      [
        ["checkout.session.completed", "Paid", "topup_1_a", 2000],
        ["checkout.session.completed", "Processing", "topup_1_b", undefined],
        ["checkout.session.async_payment_succeeded", "Paid", "topup_1_b", 2000],
        ["checkout.session.completed", "Processing", "topup_1_c", undefined],
        ["checkout.session.async_payment_failed", "Ended", "topup_1_c", undefined],
        ["checkout.session.expired", "Ended", "topup_1_d", undefined],
        ["charge.refunded", "Refunded", "topup_1_a", 500],
        ["refund.updated", "Refund", null, 500],
        ["refund.failed", "Refund", null, 500],
        ["refund.updated", "Refund", null, 500],
        ["charge.dispute.created", "Dispute", null, 2000],
        ["charge.dispute.closed", "Dispute", null, 2000],
        ["charge.dispute.created", "Dispute", null, 100],
        ["charge.dispute.closed", "Dispute", null, 100]
      ]
    )
    assert.deepStrictEqual(facts.flatMap((fact) => fact._tag === "Dispute" ? [fact.status] : []), [
      "needs_response",
      "won",
      "needs_response",
      "lost"
    ])
    assert.deepStrictEqual(facts.flatMap((fact) => fact._tag === "Refund" ? [fact.state] : []), [
      "succeeded",
      "failed",
      "failed"
    ])
    assert.deepStrictEqual(facts.map((fact) => fact.eventKey), sim.events.map(({ id }) => id))
    const payments = new Set(
      facts.filter(({ reference }) => reference === "topup_1_a").map(({ payment }) => payment)
    )
    assert.deepStrictEqual([...payments], [paymentIntent])
    const older = yield* readAll("2020-08-27")
    assert.deepStrictEqual(older.map(withoutEvidence), facts.map(withoutEvidence))
  })

  withStripe("reads an intent that is written out where it was a name", function*({ config, order, sim, stripe }) {
    const shop = yield* callbackProbe
    const { session } = yield* stripe.create(config, order())
    const { paymentIntent } = sim.pay(session)
    sim.refund({ paymentIntent })
    for (const event of sim.events) {
      yield* Effect.promise(() => sim.deliver(event, { expand: ["payment_intent"], to: shop.url, atSeconds: NOW }))
    }
    assert.include(shop.received[0]?.body, `"object": "payment_intent"`)
    const facts = yield* Effect.forEach(
      shop.received,
      ({ body, headers }) => read(body, String(headers["stripe-signature"]), sim.webhookSecret)
    )
    assert.deepStrictEqual(facts.map((fact) => [fact._tag, fact.payment]), [
      ["Paid", paymentIntent],
      ["Refunded", paymentIntent],
      ["Refund", paymentIntent]
    ])
  })
})
