import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { Stripe } from "stripe"
import { epaySign } from "../../simulators/epay/EpaySignature.ts"
import { inWorld, makeServer, PaymentWorld } from "../support/PaymentWorld.ts"
import { paidNotify } from "../support/Signers.ts"
import { send } from "../support/TestHttp.ts"

const stripePath = "/api/pay/stripe/webhook"
const epayPath = "/api/pay/epay/notify"

type World = PaymentWorld["Service"]

const signed = (world: World, body: string, more: { readonly secret?: string; readonly timestamp?: number } = {}) =>
  Stripe.webhooks.generateTestHeaderString({ payload: body, secret: world.stripe.webhookSecret, ...more })

const postStripe = (world: World, body: string | Uint8Array, signature: string | undefined, origin = world.origin) =>
  send(`${origin}${stripePath}`, {
    method: "POST",
    body,
    headers: signature === undefined ? {} : { "stripe-signature": signature }
  })

const eventBody = (reference: string, more: object = {}, type = "checkout.session.completed") =>
  JSON.stringify({
    id: `evt_${reference}${JSON.stringify(more).length}${type.length}`,
    object: "event",
    type,
    created: 1_700_000_000,
    data: {
      object: {
        id: "cs_x",
        object: "checkout.session",
        status: "complete",
        payment_status: "paid",
        payment_intent: `pi_${reference}`,
        metadata: { realms_reference: reference },
        amount_total: 1_000,
        currency: "cny",
        ...more
      }
    }
  })

type Pairs = ReadonlyArray<readonly [string, string]>

const notifyOf = (world: World, reference: string, more: { readonly [name: string]: string } = {}): Pairs =>
  Object.entries(paidNotify(world.epay.pid, reference, more))

const query = (pairs: Pairs): string => String(new URLSearchParams(pairs.map(([name, value]) => [name, value])))

const signedQuery = (world: World, pairs: Pairs, key = world.epay.key): string =>
  query([...pairs, ["sign", epaySign(pairs, key)], ["sign_type", "MD5"]])

const counts = Effect.gen(function*() {
  const world = yield* PaymentWorld
  const [row] = yield* world.sql<{ events: bigint; entries: bigint }>`
    SELECT (SELECT count(*) FROM payment_events) AS events, (SELECT count(*) FROM ledger_entries) AS entries`
  return { events: row?.events ?? 0n, entries: row?.entries ?? 0n }
})

layer(PaymentWorld.layerOf(), { excludeTestServices: true })("callbacks that are not what they should be", (it) => {
  const test = inWorld(it)

  it.effect("Stripe: what is not verified leaves nothing and learns nothing", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const order = yield* world.topup
      yield* world.openStripe(order)
      const { attempts } = yield* world.orders.show(order.id, undefined)
      const body = eventBody(attempts[0]?.reference ?? "")
      const before = yield* counts
      const old = Math.floor((yield* Effect.clockWith((clock) => clock.currentTimeMillis)) / 1_000) - 301
      const table: ReadonlyArray<readonly [string | Uint8Array, string | undefined]> = [
        [body, undefined],
        [body, ""],
        [body, "t=1,v1=00"],
        [body, signed(world, body, { secret: "whsec_another" })],
        [body, signed(world, body, { timestamp: old })],
        [`${body} `, signed(world, body)],
        [Buffer.from([0xff, 0xfe]), signed(world, body)],
        ["", signed(world, "")],
        ["[]", signed(world, "[]")],
        ["not json", signed(world, "not json")]
      ]
      for (const [sent, signature] of table) {
        const answer = yield* postStripe(world, sent, signature)
        assert.deepStrictEqual([answer.status, answer.text], [400, '{"received":false}'])
      }
      const huge = yield* postStripe(world, "x".repeat(1_200_000), "t=1,v1=00")
      assert.strictEqual(huge.status, 413)
      assert.deepStrictEqual(yield* counts, before)
      assert.strictEqual(yield* world.stateOf(order), "pending")
    }))

  test("Stripe: verified and not applicable is on record, acknowledged, and moves nothing", function*(world) {
    const order = yield* world.topup
    yield* world.openStripe(order)
    const { attempts } = yield* world.orders.show(order.id, undefined)
    const reference = attempts[0]?.reference ?? ""
    const table: ReadonlyArray<readonly [body: string, outcome: string]> = [
      [eventBody("topup_999999_abc"), "ignored"],
      [eventBody(reference, { amount_total: 999 }), "needs_review"],
      [eventBody(reference, { amount_total: 1_000_000 }), "needs_review"],
      [eventBody(reference, { amount_total: -1_000 }), "needs_review"],
      [eventBody(reference, { amount_total: 10.5 }), "needs_review"],
      [eventBody(reference, { currency: "usd" }), "needs_review"],
      [eventBody(reference, { payment_intent: null }), "needs_review"],
      [eventBody(reference, { payment_status: "no_payment_required" }), "applied"],
      [eventBody("x", { metadata: null }), "ignored"],
      [eventBody("y", {}, "invoice.paid"), "ignored"]
    ]
    const before = yield* counts
    for (const [body, outcome] of table) {
      const answer = yield* postStripe(world, body, signed(world, body))
      assert.deepStrictEqual([answer.status, answer.text], [200, '{"received":true}'])
      assert.strictEqual((yield* world.events).at(-1)?.outcome, outcome, body)
    }
    const after = yield* counts
    assert.deepStrictEqual(after, { ...before, events: before.events + BigInt(table.length) })
    assert.strictEqual(yield* world.stateOf(order), "pending")
  })

  it.effect("EPay: what is not verified leaves nothing and is told `fail`", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const reference = yield* world.openEpay(yield* world.topup)
      const good = notifyOf(world, reference)
      const before = yield* counts
      for (
        const text of [
          "",
          query(good),
          query([...good, ["sign", ""]]),
          query([...good, ["sign", "0".repeat(32)]]),
          signedQuery(world, good, ""),
          signedQuery(world, good, "another key"),
          `${signedQuery(world, good)}&money=0.01`,
          `${signedQuery(world, good)}&money=10`,
          `${signedQuery(world, good)}&extra=1`,
          `${signedQuery(world, good)}&a=%zz`
        ]
      ) {
        const got = yield* send(`${world.origin}${epayPath}?${text}`, {})
        assert.deepStrictEqual([got.status, got.text], [400, "fail"], text)
        const posted = yield* send(`${world.origin}${epayPath}`, { method: "POST", body: text })
        assert.deepStrictEqual([posted.status, posted.text], [400, "fail"], text)
      }
      const huge = yield* send(`${world.origin}${epayPath}`, { method: "POST", body: `a=${"x".repeat(20_000)}` })
      assert.strictEqual(huge.status, 413)
      assert.deepStrictEqual(yield* counts, before)
    }))

  test("EPay: verified and not applicable is on record, and told `success`", function*(world) {
    const { order, reference } = yield* world.epayTopup
    const before = yield* counts
    const table: ReadonlyArray<readonly [{ readonly [name: string]: string }, string]> = [
      [{ trade_status: "WAIT_BUYER_PAY" }, "ignored"],
      [{ pid: "1002" }, "needs_review"],
      [{ out_trade_no: "topup_1_stranger", trade_no: "A1" }, "needs_review"],
      ...["-10", "1e1", "10.001", "", "9.99", "10.01", "99999999999999999999"].map((money, index) =>
        [{ money, trade_no: `B${index}` }, "needs_review"] as const
      )
    ]
    for (const [more, outcome] of table) {
      const answer = yield* send(
        `${world.origin}${epayPath}?${signedQuery(world, notifyOf(world, reference, more))}`,
        {}
      )
      assert.deepStrictEqual([answer.status, answer.text], [200, "success"], JSON.stringify(more))
      assert.strictEqual((yield* world.events).at(-1)?.outcome, outcome, JSON.stringify(more))
    }
    const after = yield* counts
    assert.deepStrictEqual(after, { ...before, events: before.events + BigInt(table.length) })
    // The right one still counts after all of them, written in any of three ways, by GET and by POST.
    for (const money of ["10", "10.0", "10.00"]) {
      const text = signedQuery(world, notifyOf(world, reference, { money }))
      const answer = yield* send(`${world.origin}${epayPath}`, { method: "POST", body: text })
      assert.deepStrictEqual([answer.status, answer.text], [200, "success"])
    }
    yield* world.credited(order)
  })

  it.effect("an order of one provider is not completed through the other's callback", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const { order, reference } = yield* world.epayTopup
      const body = eventBody(reference)
      assert.strictEqual((yield* postStripe(world, body, signed(world, body))).status, 200)
      assert.strictEqual((yield* world.events).at(-1)?.outcome, "needs_review")
      assert.strictEqual(yield* world.stateOf(order), "pending")
    }))

  it.effect("a provider switched off between start and callback still settles; without a secret the endpoint is off", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const byStripe = yield* world.topup
      const session = yield* world.openStripe(byStripe)
      const byEpay = yield* world.topup
      const reference = yield* world.openEpay(byEpay)
      world.stripe.setWebhookMode("manual")
      world.stripe.pay(session)
      const paid = world.stripe.events.findLast((event) => event.type === "checkout.session.completed")
      const off = { epay: { enabled: false }, stripe: { enabled: false } }
      const server = yield* makeServer({ ...world.options, payment: off })
      const refused = yield* Effect.flip(server.checkout.startStripe((yield* world.topup).id, undefined))
      assert.strictEqual(refused._tag, "ProviderOff")
      if (paid === undefined) return assert.fail("no event")
      yield* Effect.promise(() => world.stripe.deliver(paid, { to: `${server.origin}${stripePath}` }))
      yield* send(`${server.origin}${epayPath}?${signedQuery(world, notifyOf(world, reference))}`, {})
      assert.strictEqual(yield* world.stateOf(byStripe), "paid")
      assert.strictEqual(yield* world.stateOf(byEpay), "paid")
      const bare = yield* makeServer({ ...world.options, payment: { stripe: { webhook_secret: "" } } })
      const body = eventBody("z")
      const answer = yield* postStripe(world, body, signed(world, body, { secret: " " }), bare.origin)
      assert.strictEqual(answer.status, 404)
      world.stripe.setWebhookMode("automatic")
      yield* world.clean
    }).pipe(Effect.scoped))

  test("EPay: a trade number of another merchant is another payment, which root can credit", function*(world) {
    world.epay.setNotifyMode("manual")
    const another = { partner_id: "2002", key: "the key of 2002" }
    const server = yield* makeServer({ ...world.options, payment: { epay: another } })
    const [first, second] = [yield* world.topup, yield* world.topup]
    const [one, two] = [yield* world.openEpay(first), yield* world.openEpay(second)]
    const send2 = (origin: string, pairs: Pairs, key: string) =>
      Effect.andThen(send(`${origin}${epayPath}?${signedQuery(world, pairs, key)}`, {}), world.events)
    yield* send2(world.origin, notifyOf(world, one, { trade_no: "shared" }), world.epay.key)
    const told = notifyOf(world, two, { trade_no: "shared", pid: another.partner_id })
    const event = (yield* send2(server.origin, told, another.key)).at(-1)
    assert.deepInclude(event, { fact: "Paid", outcome: "needs_review", note: "paid to merchant 2002, asked for 1001" })
    const payments = yield* world.sql<
      { state: string }
    >`SELECT state FROM payments WHERE payment_id = 'shared' ORDER BY id`
    assert.deepStrictEqual(payments.map(({ state }) => state), ["fulfilled", "in_review"])
    yield* world.credited(first)
    assert.strictEqual(yield* world.stateOf(second), "pending")
    yield* send2(world.origin, notifyOf(world, two), world.epay.key)
    yield* world.credited(second)
  })
})
