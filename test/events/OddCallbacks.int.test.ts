/**
 * What providers send in forms of their own: notifies as multipart, parameters that come twice, trades that end without a word of
 * their payment, events that carry no object or a character that no row holds. Signed by hand, over real HTTP.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { inWorld, PaymentWorld } from "../support/PaymentWorld.ts"
import { epaySigned, type Pairs, stripeSignature } from "../support/Signers.ts"
import { send } from "../support/TestHttp.ts"

const epayPath = "/api/pay/epay/notify"

type World = PaymentWorld["Service"]

const notifyOf = (world: World, reference: string, more: { readonly [name: string]: string } = {}): Pairs =>
  epaySigned(
    Object.entries({
      pid: world.epay.pid,
      trade_no: `T${reference}`,
      out_trade_no: reference,
      type: "alipay",
      name: "充值 & more",
      money: "10.00",
      trade_status: "TRADE_SUCCESS",
      ...more
    }),
    world.epay.key
  )

const encoded = (pairs: Pairs): string => String(new URLSearchParams(pairs.map(([name, value]) => [name, value])))

const BOUNDARY = "----------------------------d74496d66958873e"
const multipartType = `multipart/form-data; boundary=${BOUNDARY}`

/** As curl writes it. */
const multipart = (pairs: Pairs, file = ""): string =>
  pairs.map(([name, value]) =>
    `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n${value}\r\n`
  ).join("") + `--${BOUNDARY}--\r\n`

const post = (world: World, body: string, type = multipartType, query = "") =>
  Effect.map(
    send(`${world.origin}${epayPath}${query}`, { method: "POST", body, headers: { "content-type": type } }),
    ({ status, text }) => [status, text]
  )

const get = (world: World, query: string) =>
  Effect.map(send(`${world.origin}${epayPath}?${query}`, { method: "GET" }), ({ status, text }) => [status, text])

const postStripe = Effect.fnUntraced(function*(world: World, event: object) {
  const body = JSON.stringify(event)
  const atSeconds = Math.floor((yield* Clock.currentTimeMillis) / 1_000)
  const { status, text } = yield* send(`${world.origin}/api/pay/stripe/webhook`, {
    method: "POST",
    body,
    headers: { "stripe-signature": stripeSignature(body, world.stripe.webhookSecret, atSeconds) }
  })
  return [status, text]
})

const received = [200, '{"received":true}']
const success = [200, "success"]
const fail = [400, "fail"]

const count = Effect.gen(function*() {
  const { sql } = yield* PaymentWorld
  const [row] = yield* sql<{ count: bigint }>`SELECT count(*) AS count FROM payment_events`
  return row?.count ?? 0n
})

layer(PaymentWorld.layerOf(), { excludeTestServices: true })("callbacks in forms of their own", (it) => {
  const test = inWorld(it)

  test("a notify as multipart/form-data settles like any other", function*(world) {
    const order = yield* world.topup
    const pairs = notifyOf(world, yield* world.openEpay(order))
    assert.deepStrictEqual(yield* post(world, multipart(pairs)), success)
    yield* world.credited(order)
    assert.deepStrictEqual(yield* post(world, encoded(pairs), "application/x-www-form-urlencoded"), success)
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_400_000n, owed: 0n })
  })

  it.effect("a multipart notify that is forged, broken, too large or has a file leaves nothing", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const order = yield* world.topup
      const pairs = notifyOf(world, yield* world.openEpay(order))
      const before = yield* count
      const changed = pairs.map(([name, value]) => [name, name === "money" ? "0.01" : value] as const)
      const table: ReadonlyArray<readonly [body: string, type?: string]> = [
        [multipart(changed)],
        [multipart([...pairs, ["money", "0.01"]])],
        [multipart([...pairs, ["extra", "1"]])],
        [multipart([...pairs, ["name\0", "x"]])],
        [multipart(pairs, '; filename="a.txt"')],
        [multipart(pairs).slice(0, -40)],
        [multipart(pairs), "multipart/form-data"],
        [multipart(pairs), "multipart/form-data; boundary=another"],
        [encoded(pairs)],
        [""]
      ]
      for (const [body, type] of table) assert.deepStrictEqual(yield* post(world, body, type), fail, body)
      const large = yield* post(world, multipart([...pairs, ["x", "x".repeat(20_000)]]))
      assert.strictEqual(large[0], 413)
      assert.strictEqual(yield* count, before)
      assert.strictEqual(yield* world.stateOf(order), "pending")
      const { text } = yield* send(`${world.origin}/metrics`, { method: "GET" })
      assert.match(text, /realms_payment_unverified_total\{[^}]*provider="epay"[^}]*\} [1-9]/)
      const reasons = new Set(
        Array.from(text.matchAll(/realms_payment_unverified_total\{[^}]*reason="(\w+)"/g), ([, reason]) => reason)
      )
      assert.includeMembers([...reasons], ["too_large", "unreadable", "contradictory", "signature"])
    }))

  test("parameters that come twice with the same value are read once, in all three ways", function*(world) {
    const urlencoded = "application/x-www-form-urlencoded"
    const ways: ReadonlyArray<(pairs: Pairs) => Effect.Effect<ReadonlyArray<unknown>>> = [
      (pairs) => get(world, `${encoded(pairs)}&${encoded(pairs)}`),
      (pairs) => post(world, encoded(pairs), urlencoded, `?${encoded(pairs)}`),
      (pairs) => post(world, multipart([...pairs, ...pairs]))
    ]
    for (const way of ways) {
      const order = yield* world.topup
      const pairs = notifyOf(world, yield* world.openEpay(order))
      assert.deepStrictEqual(yield* way(pairs), success)
      assert.strictEqual(yield* world.stateOf(order), "paid")
      assert.deepStrictEqual(yield* get(world, `${encoded(pairs)}&money=10.0`), fail)
    }
  })

  test("a trade that is finished needs review, unless its payment was settled", function*(world) {
    const settled = yield* world.topup
    const reference = yield* world.openEpay(settled)
    const end = (of: string) => encoded(notifyOf(world, of, { trade_status: "TRADE_FINISHED" }))
    assert.deepStrictEqual(yield* get(world, encoded(notifyOf(world, reference))), success)
    assert.deepStrictEqual(yield* get(world, end(reference)), success)
    assert.deepInclude((yield* world.events).at(-1), { fact: "Unreadable", outcome: "duplicate" })
    const lone = yield* world.topup
    const loneReference = yield* world.openEpay(lone)
    assert.deepStrictEqual(yield* get(world, end(loneReference)), success)
    const event = (yield* world.events).at(-1)
    assert.deepInclude(event, { fact: "Unreadable", outcome: "needs_review" })
    assert.include(event?.note, "TRADE_FINISHED")
    assert.strictEqual(yield* world.stateOf(lone), "pending")
    // The money is told of after all.
    assert.deepStrictEqual(yield* get(world, encoded(notifyOf(world, loneReference))), success)
    assert.strictEqual(yield* world.stateOf(lone), "paid")
  })

  it.effect("a thin event of Stripe is acknowledged and ignored", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const thin = {
        id: "evt_thin_1",
        object: "v2.core.event",
        type: "v1.checkout.session.completed",
        created: "2026-01-01T00:00:00.000Z",
        related_object: { id: "cs_1", type: "checkout.session", url: "/v1/checkout/sessions/cs_1" }
      }
      assert.deepStrictEqual(yield* postStripe(world, thin), received)
      assert.deepInclude((yield* world.events).at(-1), { fact: "Nothing", outcome: "ignored" })
    }))

  test("NUL in a signed event of Stripe stops nothing: it is settled, or ignored", function*(world) {
    const order = yield* world.topup
    yield* world.openStripe(order)
    const { attempts } = yield* world.orders.show(order.id, undefined)
    const reference = attempts[0]?.reference ?? ""
    const event = (id: string, more: object) => ({
      id,
      object: "event",
      type: "checkout.session.completed",
      created: 1_700_000_000,
      data: {
        object: {
          id: "cs_nul",
          object: "checkout.session",
          status: "complete",
          payment_status: "paid",
          payment_intent: "pi_nul\0",
          amount_total: 1_000,
          currency: "cny",
          ...more
        }
      }
    })
    const strange = event("evt_nul_1", { metadata: { "ke\0y": "\0value", other: "\ud800" } })
    assert.deepStrictEqual(yield* postStripe(world, strange), received)
    assert.deepInclude((yield* world.events).at(-1), { outcome: "ignored" })
    const ours = event("evt_nul_2\0", { metadata: { reference: `${reference}\0`, "ke\0y": "\0" } })
    assert.deepStrictEqual(yield* postStripe(world, ours), received)
    assert.deepInclude((yield* world.events).at(-1), { fact: "Paid", outcome: "applied" })
    assert.strictEqual(yield* world.stateOf(order), "paid")
  })
})
