/**
 * The Stripe client against a simulated Stripe, over real HTTP and by the official SDK: sessions made once, looked at and
 * closed, money back.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { networkInterfaces } from "node:os"
import { acquireStripe } from "../../simulators/stripe/StripeSimulator.ts"
import { StripeClient, type StripeFailure } from "../../src/payments/StripeClient.ts"
import { withoutEvidence } from "../support/WithoutEvidence.ts"
import { stripeConfig, withStripe } from "./StripeWorld.ts"

/** How it failed, and why it was refused. */
const failed = <A>(asked: Effect.Effect<A, StripeFailure>) =>
  Effect.map(Effect.flip(asked), (error) => [error._tag, error._tag === "ProviderOff" ? "" : error.why])

describe("StripeClient.create", () => {
  withStripe(
    "makes a session with the order's terms and nothing that changes them",
    function*({ config, order, sim, stripe }) {
      const asked = order({ customerEmail: "payer@example.com" })
      const opened = yield* stripe.create(config, asked)
      assert.deepStrictEqual(opened, {
        session: sim.sessionIds()[0],
        url: sim.session(opened.session).url,
        expiresAtSeconds: asked.expiresAtSeconds
      })
      assert.isTrue(opened.url.startsWith(sim.url))
      const [request] = sim.requests
      assert.strictEqual(request?.idempotencyKey, "realms-topup_1001_abc")
      assert.deepStrictEqual(request?.parameters, {
        mode: "payment",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "cny",
        "line_items[0][price_data][unit_amount]": "2000",
        "line_items[0][price_data][product_data][name]": "Realms Top-up",
        client_reference_id: "topup_1001_abc",
        "metadata[realms_reference]": "topup_1001_abc",
        "payment_intent_data[metadata][realms_reference]": "topup_1001_abc",
        success_url: asked.successUrl,
        cancel_url: asked.cancelUrl,
        expires_at: String(asked.expiresAtSeconds),
        allow_promotion_codes: "false",
        "automatic_tax[enabled]": "false",
        "adaptive_pricing[enabled]": "false",
        customer_email: "payer@example.com"
      })
    }
  )

  withStripe("makes one session for a reference, however often it is asked", function*({ config, order, sim, stripe }) {
    const opened = yield* stripe.create(config, order())
    const again = yield* Effect.all(Array.from({ length: 3 }, () => stripe.create(config, order())), {
      concurrency: "unbounded"
    })
    assert.deepStrictEqual(again, [opened, opened, opened])
    assert.lengthOf(sim.sessionIds(), 1)
    const other = yield* stripe.create(config, order({ reference: "topup_1002_def" }))
    assert.notStrictEqual(other.session, opened.session)
    assert.lengthOf(sim.sessionIds(), 2)
  })

  withStripe(
    "makes one session also when the answer to the first try was lost",
    function*({ config, order, sim, stripe }) {
      sim.next({ dropConnection: true, takesEffect: true })
      const opened = yield* stripe.create(config, order())
      assert.deepStrictEqual(sim.sessionIds(), [opened.session])
      assert.lengthOf(sim.requests, 2)
    }
  )

  withStripe("is refused other terms under one reference", function*({ config, order, sim, stripe }) {
    yield* stripe.create(config, order())
    for (
      const changed of [{ amountMinor: 2001n }, { currency: "usd" }, { name: "x" }, { successUrl: "http://x.y" }]
    ) {
      assert.deepStrictEqual(yield* failed(stripe.create(config, order(changed))), [
        "ProviderRefused",
        "the same request was made before with other terms"
      ])
    }
    assert.lengthOf(sim.sessionIds(), 1)
  })

  withStripe("is refused what Stripe would not take, for good", function*({ config, order, sim, stripe }) {
    const nowSeconds = order().expiresAtSeconds - 3_600
    const table = [
      [{ amountMinor: 49n, currency: "usd" }, "amount_too_small"],
      [{ amountMinor: 0n }, "the amount is out of bounds"],
      [{ amountMinor: -2000n }, "the amount is out of bounds"],
      [{ amountMinor: 100_000_000n }, "amount_too_large"],
      [{ amountMinor: 2n ** 53n }, "the amount is out of bounds"],
      [{ amountMinor: 2n ** 80n }, "the amount is out of bounds"],
      [{ currency: "rmb" }, "line_items[0][price_data][currency]"],
      [{ expiresAtSeconds: nowSeconds + 60 }, "expires_at"],
      [{ expiresAtSeconds: nowSeconds + 100_000 }, "expires_at"],
      [{ successUrl: "pay/done" }, "url_invalid, success_url"]
    ] as const
    for (const [changed, why] of table) {
      assert.deepStrictEqual(yield* failed(stripe.create(config, order(changed))), ["ProviderRefused", why])
    }
    assert.deepStrictEqual(sim.sessionIds(), [])
  })

  withStripe("takes the amount of a currency without decimals as it is", function*({ config, order, sim, stripe }) {
    const { session } = yield* stripe.create(config, order({ amountMinor: 500n, currency: "jpy" }))
    assert.deepStrictEqual([sim.session(session).amount_total, sim.session(session).currency], [500, "jpy"])
    sim.pay(session)
    const { fact } = yield* stripe.retrieve(config, session)
    assert.deepStrictEqual(fact?._tag === "Paid" ? [fact.amountMinor, fact.currency] : fact, [500n, "jpy"])
  })

  const hasIpv6Loopback = Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address === "::1")
  )
  it.live.skipIf(!hasIpv6Loopback)(
    "finds a Stripe whose address is in the digits of IPv6",
    () =>
      Effect.gen(function*() {
        const sim = yield* acquireStripe({ host: "::1", webhooks: "manual" })
        const stripe = yield* StripeClient
        const apiBase = `http://[::1]:${sim.address.port}`
        yield* stripe.ping(stripeConfig({ secretKey: Redacted.make(sim.secretKey), apiBase }))
        assert.lengthOf(sim.requests, 1)
      }).pipe(Effect.provide(StripeClient.layer))
  )
})

describe("StripeClient.retrieve", () => {
  withStripe("sees an open session, and where to pay", function*({ config, order, stripe }) {
    const { session, url } = yield* stripe.create(config, order())
    assert.deepStrictEqual(yield* stripe.retrieve(config, session), { state: "open", fact: undefined, url })
  })

  withStripe(
    "sees a paid session as its webhook tells it, under one identity",
    function*({ config, order, sim, stripe }) {
      const { session } = yield* stripe.create(config, order())
      const { paymentIntent } = sim.pay(session)
      const now = yield* stripe.retrieve(config, session)
      assert.deepStrictEqual({ ...now, fact: now.fact && withoutEvidence(now.fact) }, {
        state: "paid",
        fact: {
          _tag: "Paid",
          provider: "stripe",
          eventKey: `session:${session}:paid`,
          kind: "checkout.session",
          atSeconds: 0,
          payment: paymentIntent,
          reference: "topup_1001_abc",
          merchant: null,
          method: null,
          amountMinor: 2000n,
          currency: "cny"
        },
        url: undefined
      })
      assert.deepStrictEqual(yield* stripe.retrieve(config, session), now)
    }
  )

  withStripe("sees money on its way, and then there", function*({ config, order, sim, stripe }) {
    const { session } = yield* stripe.create(config, order())
    sim.pay(session, { delayed: true })
    const early = yield* stripe.retrieve(config, session)
    assert.deepStrictEqual([early.state, early.fact?._tag, early.url], ["processing", "Processing", undefined])
    assert.strictEqual(early.fact?.eventKey, `session:${session}:processing`)
    sim.succeedDelayed(session)
    const late = yield* stripe.retrieve(config, session)
    assert.deepStrictEqual([late.state, late.fact?._tag], ["paid", "Paid"])
    assert.notStrictEqual(late.fact?.eventKey, early.fact?.eventKey)
  })

  withStripe(
    "sees a delayed payment that failed as ended, though its session stays complete and unpaid",
    function*({ config, order, sim, stripe }) {
      const { session } = yield* stripe.create(config, order())
      const { paymentIntent } = sim.pay(session, { delayed: true })
      sim.failDelayed(session)
      assert.deepStrictEqual([sim.session(session).status, sim.session(session).payment_status], ["complete", "unpaid"])
      assert.strictEqual(sim.paymentIntent(paymentIntent).status, "requires_payment_method")
      const { fact, state } = yield* stripe.retrieve(config, session)
      assert.deepStrictEqual([state, fact?._tag, fact?.payment], ["expired", "Ended", paymentIntent])
      assert.strictEqual(fact?.eventKey, `session:${session}:expired`)
    }
  )

  let nowMs = 1_800_000_000_000
  withStripe("sees a session whose time is over", function*({ config, order, stripe }) {
    const { expiresAtSeconds, session } = yield* stripe.create(config, order())
    nowMs = expiresAtSeconds * 1_000 - 1
    assert.strictEqual((yield* stripe.retrieve(config, session)).state, "open")
    nowMs += 1
    const { fact, state, url } = yield* stripe.retrieve(config, session)
    assert.deepStrictEqual([state, fact?._tag, fact?.payment, url], ["expired", "Ended", null, undefined])
  }, { now: () => nowMs })

  withStripe("is refused a session that is not there", function*({ config, stripe }) {
    assert.deepStrictEqual(yield* failed(stripe.retrieve(config, "cs_test_unknown")), [
      "ProviderRefused",
      "resource_missing, id"
    ])
  })
})

describe("StripeClient.expire", () => {
  withStripe("closes an open session, and says the same again", function*({ config, order, sim, stripe }) {
    const { session } = yield* stripe.create(config, order())
    assert.strictEqual(yield* stripe.expire(config, session), "expired")
    assert.strictEqual(sim.session(session).status, "expired")
    assert.strictEqual(yield* stripe.expire(config, session), "expired")
  })

  withStripe("does not close what is complete", function*({ config, order, sim, stripe }) {
    const opened = (reference: string) => stripe.create(config, order({ reference }))
    const { session: paid } = yield* opened("topup_1_a")
    sim.pay(paid)
    assert.strictEqual(yield* stripe.expire(config, paid), "complete")
    const { session: delayed } = yield* opened("topup_1_b")
    sim.pay(delayed, { delayed: true })
    assert.strictEqual(yield* stripe.expire(config, delayed), "complete")
    sim.failDelayed(delayed)
    assert.strictEqual(yield* stripe.expire(config, delayed), "expired", "nothing will be paid any more")
  })

  withStripe("loses to a payer who is faster", function*({ config, order, sim, stripe }) {
    const { session } = yield* stripe.create(config, order())
    sim.next({ gate: "expire", path: `/v1/checkout/sessions/${session}/expire` })
    const paying = Effect.promise(async () => {
      await sim.until(() => sim.waiting("expire") === 1)
      sim.pay(session)
      sim.open("expire")
    })
    const [ended] = yield* Effect.all([stripe.expire(config, session), paying], { concurrency: "unbounded" })
    assert.strictEqual(ended, "complete")
  })

  withStripe("is refused a session that is not there", function*({ config, stripe }) {
    assert.strictEqual((yield* failed(stripe.expire(config, "cs_test_unknown")))[0], "ProviderRefused")
  })
})

describe("StripeClient.refund", () => {
  withStripe(
    "gives money back once for a key: a part, then what is left, then no more",
    function*({ config, order, sim, stripe }) {
      const { session } = yield* stripe.create(config, order())
      const { paymentIntent: payment } = sim.pay(session)
      const first = yield* stripe.refund(config, { payment, amountMinor: 500n, key: "refund-1", row: null })
      assert.match(first.refund ?? "", /^re_/)
      assert.deepInclude(first, { own: null, state: "succeeded", amountMinor: 500n })
      assert.deepStrictEqual(
        yield* stripe.refund(config, { payment, amountMinor: 500n, key: "refund-1", row: null }),
        first
      )
      assert.strictEqual(sim.charge(payment).amount_refunded, 500)
      assert.strictEqual(
        (yield* failed(stripe.refund(config, { payment, amountMinor: 1_501n, key: "refund-2", row: null })))[0],
        "ProviderRefused"
      )
      yield* stripe.refund(config, { payment, key: "refund-3", row: null })
      assert.strictEqual(sim.charge(payment).amount_refunded, 2_000)
      assert.deepStrictEqual(yield* failed(stripe.refund(config, { payment, key: "refund-4", row: null })), [
        "ProviderRefused",
        "charge_already_refunded"
      ])
      assert.deepStrictEqual(
        yield* failed(stripe.refund(config, { payment: "pi_unknown", key: "refund-5", row: null })),
        [
          "ProviderRefused",
          "resource_missing, payment_intent"
        ]
      )
    }
  )
})
