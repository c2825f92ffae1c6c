/**
 * A Stripe that is off, does not know the key, or is in trouble; and that whatever happens, no part of a key is in an error.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Redacted } from "effect"
import { createServer } from "node:http"
import { acquireStripe } from "../../simulators/stripe/StripeSimulator.ts"
import type { StripeFault } from "../../simulators/stripe/StripeSite.ts"
import type { StripeConfig } from "../../src/config/Config.ts"
import { stripeAccountOf, StripeClient, type StripeFailure } from "../../src/payments/StripeClient.ts"
import { shown } from "./EpayWorld.ts"
import { STRIPE_KEY, stripeConfig, type StripeWorld, withStripe } from "./StripeWorld.ts"

/** So many characters of a key in a row tell something of it. */
const PART_CHARACTERS = 4

/** Seen to have no part of the key, beyond what every key begins with. */
const assertKeyless = (value: unknown, config: StripeConfig) => {
  const key = Redacted.value(config.secretKey).trim().replace(/^sk_test_/, "")
  const text = shown(value)
  for (let at = 0; at + PART_CHARACTERS <= key.length; at++) {
    assert.notInclude(text, key.slice(at, at + PART_CHARACTERS))
  }
}

/** How it failed, seen to tell nothing of the key. */
const failed = <A>(asked: Effect.Effect<A, StripeFailure>, config: StripeConfig) =>
  Effect.map(Effect.flip(asked), (error) => {
    assertKeyless(error, config)
    assertKeyless(error.message, config)
    return [error._tag, error._tag === "ProviderOff" ? "" : error.why]
  })

/** Everything that can be asked. */
const questions = ({ order, stripe }: Pick<StripeWorld, "order" | "stripe">, config: StripeConfig) =>
  ({
    create: stripe.create(config, order()),
    retrieve: stripe.retrieve(config, "cs_test_1"),
    expire: stripe.expire(config, "cs_test_1"),
    refund: stripe.refund(config, { payment: "pi_1", key: "refund-1", row: null }),
    ping: stripe.ping(config)
  }) satisfies { readonly [name: string]: Effect.Effect<unknown, StripeFailure> }

/** A server that gives everyone the same answer. */
async function startAnswering(status: number, body: string) {
  const server = createServer((request, response) => {
    request.resume()
    response.writeHead(status, { "content-type": "application/json" })
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return { port: typeof address === "object" && address !== null ? address.port : 0, close }
}

describe("StripeClient that is off", () => {
  withStripe("makes no session, and still looks after those it has made", function*({ config, order, sim, stripe }) {
    const { session } = yield* stripe.create(config, order())
    const { session: left } = yield* stripe.create(config, order({ reference: "topup_2" }))
    const off = { ...config, enabled: false }
    assert.deepStrictEqual(yield* failed(stripe.create(off, order()), off), ["ProviderOff", ""])
    const { paymentIntent } = sim.pay(session)
    assert.strictEqual((yield* stripe.retrieve(off, session)).state, "paid")
    assert.strictEqual(yield* stripe.expire(off, left), "expired")
    yield* stripe.refund(off, { payment: paymentIntent, key: "refund-1", row: null })
    yield* stripe.ping(off)
  })

  withStripe("asks nothing without a key", function*(world) {
    const keyless = { ...world.config, secretKey: Redacted.make("") }
    for (const question of Object.values(questions(world, keyless))) {
      assert.deepStrictEqual(yield* failed(question, keyless), ["ProviderOff", ""])
    }
    assert.deepStrictEqual(world.sim.requests, [])
  })
})

describe("StripeClient and its keys", () => {
  withStripe("is unavailable with a key that Stripe does not know, which its own text would quote", function*(world) {
    const config = { ...world.config, secretKey: Redacted.make("sk_test_WxYz98PqRs76") }
    for (const question of Object.values(questions(world, config))) {
      assert.deepStrictEqual(yield* failed(question, config), ["ProviderUnavailable", "StripeAuthenticationError"])
    }
    assert.deepStrictEqual(world.sim.sessionIds(), [])
  })

  withStripe("is unavailable with a key that cannot be sent", function*(world) {
    const config = { ...world.config, secretKey: Redacted.make("sk_test_WxYz98PqRs76\nJkLm54") }
    assert.strictEqual((yield* failed(world.stripe.ping(config), config))[0], "ProviderUnavailable")
    assert.deepStrictEqual(world.sim.requests, [])
  })

  withStripe("uses the key it is given, each time, among many", function*({ config, sim, stripe }) {
    const others = Array.from(
      { length: 6 },
      (_, index) => ({ ...config, secretKey: Redacted.make(`sk_test_WxYz98PqRs7${index}`) })
    )
    for (const other of others) {
      yield* stripe.ping(config)
      assert.strictEqual((yield* failed(stripe.ping(other), other))[0], "ProviderUnavailable")
    }
    assert.lengthOf(sim.requests, 12)
  })

  it("tells accounts apart by key and address, and shows neither", () => {
    const config = stripeConfig()
    const account = stripeAccountOf(config)
    assert.match(account, /^[0-9a-f]{16}$/)
    assertKeyless(account, config)
    const same = stripeConfig({ enabled: false, currency: "usd", minorPerFen: "2", webhookSecret: Redacted.make("") })
    assert.strictEqual(stripeAccountOf(same), account)
    const others = [
      stripeConfig({ secretKey: Redacted.make(STRIPE_KEY.slice(0, -1)) }),
      stripeConfig({ secretKey: Redacted.make("") }),
      stripeConfig({ apiBase: "http://127.0.0.1:9000" })
    ].map((other) => stripeAccountOf(other))
    assert.strictEqual(new Set([account, ...others]).size, 4)
  })
})

describe("StripeClient and a Stripe in trouble", () => {
  const troubles: ReadonlyArray<readonly [fault: StripeFault, why: string, requests: number]> = [
    [{ status: 500 }, "StripeAPIError", 3],
    [{ status: 503 }, "StripeAPIError", 3],
    // Another request has the key right now: what became of it is not known, so it is no refusal.
    [{ status: 409 }, "StripeAPIError", 3],
    [{ status: 429 }, "StripeRateLimitError", 1],
    [{ status: 403 }, "StripePermissionError", 1],
    [{ dropConnection: true }, "StripeConnectionError", 3],
    [{ dropConnection: true, takesEffect: true }, "StripeConnectionError", 3]
  ]

  it.live("tries again a bounded number of times, then is unavailable, and works when Stripe does", () =>
    Effect.forEach(troubles, ([fault, why, requests]) =>
      Effect.gen(function*() {
        const sim = yield* acquireStripe({ secretKey: STRIPE_KEY, webhooks: "manual" })
        const stripe = yield* StripeClient
        const config = stripeConfig({ apiBase: sim.url })
        const order = {
          reference: "topup_1",
          amountMinor: 2000n,
          currency: "cny",
          name: "Top-up",
          successUrl: "http://127.0.0.1:9/",
          cancelUrl: "http://127.0.0.1:9/",
          expiresAtSeconds: Math.floor((yield* Clock.currentTimeMillis) / 1_000) + 3_600
        }
        for (let count = 0; count < 3; count++) sim.next({ ...fault })
        const expected = why === "StripePermissionError"
          ? ["ProviderRefused", "the key may not ask that"]
          : ["ProviderUnavailable", why]
        assert.deepStrictEqual(yield* failed(stripe.create(config, order), config), expected)
        assert.lengthOf(sim.requests, requests)
        assert.isTrue(sim.requests.every(({ idempotencyKey }) => idempotencyKey === "realms-topup_1"))
        sim.reset()
        const { session } = yield* stripe.create(config, order)
        assert.deepStrictEqual(sim.sessionIds(), [session])
      }), { concurrency: "unbounded", discard: true }).pipe(Effect.provide(StripeClient.layer)))

  withStripe("gets over a short trouble without a word", function*({ config, order, sim, stripe }) {
    sim.next({ status: 500, takesEffect: true })
    const { session } = yield* stripe.create(config, order())
    assert.deepStrictEqual(sim.sessionIds(), [session])
  })

  withStripe("leaves a session alone whose closing got no answer", function*({ config, order, sim, stripe }) {
    const { session } = yield* stripe.create(config, order())
    sim.next({ status: 429 })
    assert.strictEqual((yield* failed(stripe.expire(config, session), config))[0], "ProviderUnavailable")
    assert.strictEqual(sim.session(session).status, "open")
    assert.strictEqual(yield* stripe.expire(config, session), "expired")
  })

  it.live.each([
    ["a page", 200, "<html>"],
    ["nothing", 200, ""],
    ["JSON other than a session", 200, "[]"],
    ["a page with an error", 404, "<html>"]
  ])("is unavailable when something else answers: %s", ([, status, body]) =>
    Effect.gen(function*() {
      const { close, port } = yield* Effect.promise(() => startAnswering(Number(status), String(body)))
      yield* Effect.addFinalizer(() => Effect.promise(close))
      const config = stripeConfig({ apiBase: `http://127.0.0.1:${port}` })
      const stripe = yield* StripeClient
      assert.strictEqual((yield* failed(stripe.retrieve(config, "cs_1"), config))[0], "ProviderUnavailable")
    }).pipe(Effect.provide(StripeClient.layer)))

  it.live("reads an answer with NUL as one without", () =>
    Effect.gen(function*() {
      const session = {
        id: "cs_1",
        object: "checkout.session",
        status: "complete",
        payment_status: "paid",
        payment_intent: "pi_1\0",
        metadata: { realms_reference: "topup_1_x\0" },
        amount_total: 2_000,
        currency: "cny"
      }
      const { close, port } = yield* Effect.promise(() => startAnswering(200, JSON.stringify(session)))
      yield* Effect.addFinalizer(() => Effect.promise(close))
      const stripe = yield* StripeClient
      const now = yield* stripe.retrieve(stripeConfig({ apiBase: `http://127.0.0.1:${port}` }), "cs_1")
      assert.deepInclude(now.fact, { _tag: "Paid", payment: "pi_1", reference: "topup_1_x" })
    }).pipe(Effect.provide(StripeClient.layer)))

  withStripe("is unavailable when nobody listens, or the address is none", function*({ config, sim, stripe }) {
    yield* Effect.promise(sim.close)
    assert.deepStrictEqual(yield* failed(stripe.ping(config), config), [
      "ProviderUnavailable",
      "StripeConnectionError"
    ])
    // The key goes to https or to this machine, and nowhere else.
    for (const apiBase of ["not an address", "http://stripe.example", `${config.apiBase}/v1`]) {
      const nowhere = { ...config, apiBase }
      assert.deepStrictEqual(yield* failed(stripe.ping(nowhere), nowhere), [
        "ProviderUnavailable",
        "api_base is neither https nor on this machine"
      ])
    }
  })
})
