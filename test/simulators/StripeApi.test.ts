import { assert, describe } from "@effect/vitest"
import { Stripe } from "stripe"
import { failureOf, lineItem, params, sdkOf, type StripeWorld, withStripe } from "./StripeProbe.ts"

const HALF_HOUR_SECONDS = 30 * 60
const DAY_SECONDS = 24 * 60 * 60

/** What the API said no to. */
const refusal = async (promise: Promise<unknown>) => {
  const error = await failureOf(promise)
  assert.instanceOf(error, Stripe.errors.StripeError)
  return [error.statusCode, error.rawType, error.code, error.param]
}

const created = ({ sdk }: StripeWorld, extra: object, options: Stripe.RequestOptions = {}) =>
  sdk.checkout.sessions.create({ ...params(), ...extra }, options)

describe("StripeSimulator's API", () => {
  withStripe("makes a session and shows it again", async ({ sdk, sim }) => {
    const session = await sdk.checkout.sessions.create(params({ line_items: [lineItem(2000), lineItem(50, "CNY")] }))
    assert.match(session.id, /^cs_test_/)
    assert.deepStrictEqual(
      [session.status, session.payment_status, session.payment_intent, session.amount_total, session.currency],
      ["open", "unpaid", null, 2050, "cny"]
    )
    assert.deepStrictEqual(session.metadata, { reference: "topup_1_abc" })
    assert.isTrue(session.url?.startsWith(`${sim.url}/`))
    assert.strictEqual(session.expires_at - session.created, DAY_SECONDS)
    const shown = await sdk.checkout.sessions.retrieve(session.id)
    assert.deepStrictEqual({ ...shown, lastResponse: undefined }, { ...session, lastResponse: undefined })
    assert.strictEqual(sim.requests[0]?.apiVersion, Stripe.API_VERSION)
    assert.strictEqual(sim.requests[0]?.parameters["line_items[1][price_data][currency]"], "CNY")
  })

  withStripe("takes the amount of a zero-decimal currency as it is", async ({ sdk, sim }) => {
    const session = await sdk.checkout.sessions.create(params({ line_items: [lineItem(500, "jpy")] }))
    assert.strictEqual(session.amount_total, 500)
    assert.include(await (await fetch(session.url ?? "")).text(), "<strong>500 JPY</strong>")
    const yuan = await sdk.checkout.sessions.create(params())
    assert.include(await (await fetch(yuan.url ?? "")).text(), "<strong>20.00 CNY</strong>")
    assert.strictEqual(sim.sessionIds().length, 2)
  })

  withStripe("refuses parameters that are unknown, missing or wrong", async (world) => {
    const item = lineItem()
    const table: ReadonlyArray<readonly [extra: object, code: string | undefined, param: string | undefined]> = [
      [{ realms: "x" }, "parameter_unknown", "realms"],
      [{ line_items: [{ ...item, price_date: 1 }] }, "parameter_unknown", "line_items[0][price_date]"],
      [
        { payment_intent_data: { description: "x", metadatum: "x" } },
        "parameter_unknown",
        "payment_intent_data[metadatum]"
      ],
      [{ payment_method_types: ["card"] }, "parameter_unknown", "payment_method_types"],
      [{ mode: undefined }, "parameter_missing", "mode"],
      [{ success_url: undefined }, "parameter_missing", "success_url"],
      [{ line_items: undefined }, "parameter_missing", "line_items"],
      [{ line_items: [{ quantity: 1 }] }, "parameter_missing", "line_items[0][price_data]"],
      [{ line_items: [{ price_data: item.price_data }] }, "parameter_missing", "line_items[0][quantity]"],
      [{ line_items: [lineItem(1.5)] }, "parameter_invalid_integer", "line_items[0][price_data][unit_amount]"],
      [{ line_items: [{ ...item, quantity: 0 }] }, "parameter_invalid_integer", "line_items[0][quantity]"],
      [{ line_items: [lineItem(49, "usd")] }, "amount_too_small", undefined],
      [{ line_items: [lineItem(100_000_000)] }, "amount_too_large", undefined],
      [{ line_items: [lineItem(100, "rmb")] }, undefined, "line_items[0][price_data][currency]"],
      [{ line_items: [lineItem(), lineItem(100, "usd")] }, undefined, "line_items"],
      [{ success_url: "pay/done" }, "url_invalid", "success_url"],
      [{ cancel_url: "javascript:alert(1)" }, "url_invalid", "cancel_url"],
      [{ client_reference_id: "" }, "parameter_invalid_empty", "client_reference_id"],
      [{ client_reference_id: "x".repeat(201) }, "parameter_invalid_string", "client_reference_id"],
      [{ metadata: { k: "x".repeat(501) } }, undefined, "metadata[k]"],
      [{ automatic_tax: { enabled: "no" } }, undefined, "automatic_tax[enabled]"],
      [{ allowed_payment_method_types: ["cash"] }, undefined, "allowed_payment_method_types"],
      [{ expand: ["nonsense"] }, undefined, "expand"],
      [{ mode: "subscription" }, undefined, "mode"]
    ]
    for (const [extra, code, param] of table) {
      assert.deepStrictEqual(await refusal(created(world, extra)), [400, "invalid_request_error", code, param])
    }
  })

  withStripe("takes the method types that the version knows", async (world) => {
    const old = { apiVersion: "2025-03-31.basil" }
    const session = await created(world, { payment_method_types: ["alipay"] }, old)
    assert.deepStrictEqual(session.payment_method_types, ["alipay"])
    assert.deepStrictEqual(
      (await created(world, { allowed_payment_method_types: ["card", "alipay"] })).payment_method_types,
      ["card", "alipay"]
    )
    assert.deepStrictEqual(await refusal(created(world, { payment_method_types: ["wechat_pay"] }, old)), [
      400,
      "invalid_request_error",
      "parameter_missing",
      "payment_method_options[wechat_pay][client]"
    ])
    await created(world, {
      payment_method_types: ["wechat_pay"],
      payment_method_options: { wechat_pay: { client: "web" } }
    }, old)
  })

  const nowSeconds = 1_800_000_000
  withStripe("wants a session to last from half an hour to a day", async (world) => {
    const at = (seconds: number) => created(world, { expires_at: nowSeconds + seconds })
    assert.strictEqual((await at(HALF_HOUR_SECONDS)).expires_at, nowSeconds + HALF_HOUR_SECONDS)
    assert.strictEqual((await at(DAY_SECONDS)).expires_at, nowSeconds + DAY_SECONDS)
    for (const seconds of [HALF_HOUR_SECONDS - 1, DAY_SECONDS + 1]) {
      assert.deepStrictEqual(await refusal(at(seconds)), [400, "invalid_request_error", undefined, "expires_at"])
    }
  }, { now: () => nowSeconds * 1000, webhooks: "manual" })

  withStripe("wants its key", async ({ sdk, sim }) => {
    assert.strictEqual((await sdk.balance.retrieve()).object, "balance")
    const error = await failureOf(sdkOf(sim, {}, "sk_test_wrong1234").balance.retrieve())
    assert.instanceOf(error, Stripe.errors.StripeAuthenticationError)
    assert.include(error.message, "****1234")
    const without = await fetch(`${sim.url}/v1/balance`)
    assert.strictEqual(without.status, 401)
  })

  withStripe("expires an open session, and no other", async ({ sdk, sim }) => {
    const { id } = await sdk.checkout.sessions.create(params())
    assert.strictEqual((await sdk.checkout.sessions.expire(id)).status, "expired")
    assert.deepStrictEqual(await refusal(sdk.checkout.sessions.expire(id)), [
      400,
      "invalid_request_error",
      undefined,
      undefined
    ])
    const paid = await sdk.checkout.sessions.create(params())
    sim.pay(paid.id)
    const error = await failureOf(sdk.checkout.sessions.expire(paid.id))
    assert.instanceOf(error, Stripe.errors.StripeInvalidRequestError)
    assert.include(error.message, "has a status of `complete`")
  })

  withStripe("shows the payment, expanded when asked", async ({ sdk, sim }) => {
    const { id } = await sdk.checkout.sessions.create(params())
    const ids = sim.pay(id)
    const session = await sdk.checkout.sessions.retrieve(id, { expand: ["payment_intent.latest_charge"] })
    const intent = await sdk.paymentIntents.retrieve(ids.paymentIntent)
    const charge = await sdk.charges.retrieve(ids.charge)
    assert.deepStrictEqual([session.status, session.payment_status, session.url], ["complete", "paid", null])
    assert.deepStrictEqual([intent.status, intent.amount_received, intent.latest_charge], [
      "succeeded",
      2000,
      charge.id
    ])
    assert.deepStrictEqual(intent.metadata, { reference: "topup_1_abc" })
    assert.deepStrictEqual([charge.paid, charge.amount, charge.amount_refunded, charge.payment_intent], [
      true,
      2000,
      0,
      intent.id
    ])
    assert.deepStrictEqual(charge.metadata, { reference: "topup_1_abc" })
    const whole = typeof session.payment_intent === "string" ? undefined : session.payment_intent
    assert.strictEqual(typeof whole?.latest_charge === "string" ? undefined : whole?.latest_charge?.id, charge.id)
  })

  withStripe("knows no other thing", async ({ sdk }) => {
    const lost = [
      sdk.checkout.sessions.retrieve("cs_test_none"),
      sdk.checkout.sessions.expire("cs_test_none"),
      sdk.paymentIntents.retrieve("pi_none"),
      sdk.charges.retrieve("ch_none"),
      sdk.refunds.retrieve("re_none"),
      sdk.refunds.create({ payment_intent: "pi_none" }),
      sdk.refunds.create({ charge: "ch_none" })
    ]
    for (const promise of lost) {
      assert.deepStrictEqual((await refusal(promise)).slice(0, 3), [404, "invalid_request_error", "resource_missing"])
    }
    assert.deepStrictEqual((await refusal(sdk.customers.create({}))).slice(0, 2), [404, "invalid_request_error"])
  })

  withStripe("refunds all, some, and never too much", async ({ sdk, sim }) => {
    const pay = async () => sim.pay((await sdk.checkout.sessions.create(params())).id)
    const first = await pay()
    const part = await sdk.refunds.create({
      payment_intent: first.paymentIntent,
      amount: 500,
      metadata: { by: "root" }
    })
    assert.deepStrictEqual([part.status, part.amount, part.charge, part.metadata?.by], [
      "succeeded",
      500,
      first.charge,
      "root"
    ])
    assert.strictEqual((await sdk.refunds.retrieve(part.id)).amount, 500)
    assert.deepStrictEqual((await refusal(sdk.refunds.create({ charge: first.charge, amount: 1501 }))).slice(0, 3), [
      400,
      "invalid_request_error",
      undefined
    ])
    assert.strictEqual((await sdk.refunds.create({ charge: first.charge })).amount, 1500)
    assert.isTrue((await sdk.charges.retrieve(first.charge)).refunded)
    const again = sdk.refunds.create({ charge: first.charge })
    assert.deepStrictEqual((await refusal(again))[2], "charge_already_refunded")
    assert.deepStrictEqual((await refusal(sdk.refunds.create({})))[2], "parameter_missing")
    assert.deepStrictEqual((await refusal(sdk.refunds.create({ charge: first.charge, amount: 0 })))[0], 400)
    const disputed = await pay()
    sim.dispute({ paymentIntent: disputed.paymentIntent })
    assert.deepStrictEqual((await refusal(sdk.refunds.create({ charge: disputed.charge })))[2], "charge_disputed")
  })

  withStripe("answers one idempotency key once", async ({ sdk, sim }) => {
    const key = { idempotencyKey: "attempt-1" }
    const [first, second] = [
      await sdk.checkout.sessions.create(params(), key),
      await sdk.checkout.sessions.create(params(), key)
    ]
    assert.strictEqual(second.id, first.id)
    assert.strictEqual(first.lastResponse.headers["idempotent-replayed"], undefined)
    assert.strictEqual(second.lastResponse.headers["idempotent-replayed"], "true")
    assert.strictEqual(sim.sessionIds().length, 1)
    const other = await failureOf(sdk.checkout.sessions.create(params({ client_reference_id: "other" }), key))
    assert.instanceOf(other, Stripe.errors.StripeIdempotencyError)
    assert.strictEqual(other.statusCode, 400)
    const wrong = { idempotencyKey: "attempt-2" }
    await failureOf(sdk.checkout.sessions.create(params({ success_url: "x" }), wrong))
    await sdk.checkout.sessions.create(params(), wrong)
    assert.strictEqual(sim.requests.at(-1)?.idempotencyKey, "attempt-2")
  })
})
