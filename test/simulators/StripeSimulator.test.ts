import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Stripe } from "stripe"
import { acquireStripe, startStripe } from "../../simulators/stripe/StripeSimulator.ts"
import { failureOf, lineItem, params, sdkOf, type StripeWorld, withStripe } from "./StripeProbe.ts"

const opened = async ({ sdk }: Pick<StripeWorld, "sdk">, extra: Partial<Stripe.Checkout.SessionCreateParams> = {}) => {
  const session = await sdk.checkout.sessions.create(params(extra))
  return { id: session.id, url: session.url ?? "" }
}

const press = (url: string, fields: { readonly [name: string]: string }) =>
  fetch(url, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" })

describe("StripeSimulator's pages", () => {
  withStripe("offer each method, now or delayed, and escape everything", async (world) => {
    const { url } = await opened(world, { line_items: [lineItem()], allowed_payment_method_types: ["card", "alipay"] })
    const text = await (await fetch(url)).text()
    assert.include(text, "Top-up &lt;b&gt;20&lt;/b&gt;")
    assert.notInclude(text, "<b>")
    assert.deepStrictEqual(text.match(/name="method" value="\w+"/g), [
      `name="method" value="card"`,
      `name="method" value="alipay"`
    ])
    assert.include(text, `value="delayed"`)
    assert.include(text, `href="http://127.0.0.1:9/pay/cancel"`)
  })

  withStripe("pay, tell the shop, and then send the browser back", async (world) => {
    const { id, url } = await opened(world)
    const answer = await press(url, { action: "pay", method: "alipay" })
    assert.deepStrictEqual(
      [answer.status, answer.headers.get("location")],
      [303, `http://127.0.0.1:9/pay/done?session=${id}`]
    )
    assert.deepStrictEqual(world.events().map((event) => event.type), ["checkout.session.completed"])
    assert.strictEqual(world.sim.session(id).payment_status, "paid")
    assert.strictEqual((await press(url, { action: "pay" })).status, 409)
    assert.include(await (await fetch(url)).text(), "Paid.")
  })

  withStripe("pay later, and then settle it", async (world) => {
    const [good, bad] = [await opened(world), await opened(world)]
    for (
      const [{ id, url }, action, type, outcome] of [
        [good, "succeed", "checkout.session.async_payment_succeeded", "Paid."],
        [bad, "fail", "checkout.session.async_payment_failed", "The payment failed."]
      ] as const
    ) {
      await press(url, { action: "delayed", method: "card" })
      assert.strictEqual(world.sim.session(id).payment_status, "unpaid")
      assert.include(await (await fetch(url)).text(), `value="${action}"`)
      await press(url, { action })
      assert.strictEqual(world.events().at(-1)?.type, type)
      assert.include(await (await fetch(url)).text(), outcome)
    }
  })

  withStripe("are not there, or over", async (world) => {
    assert.strictEqual((await fetch(`${world.sim.url}/c/pay/cs_none`)).status, 404)
    const { id, url } = await opened(world)
    world.sim.expire(id)
    assert.include(await (await fetch(url)).text(), "expired")
    assert.strictEqual((await press(url, { action: "pay" })).status, 409)
  })
})

describe("StripeSimulator's faults", () => {
  withStripe("are a status, for the request they are for", async ({ sdk, sim }) => {
    sim.next({ path: "/v1/refunds", status: 500 })
    sim.next({ path: "/v1/checkout", method: "POST", status: 429 })
    assert.instanceOf(await failureOf(opened({ sdk })), Stripe.errors.StripeRateLimitError)
    const session = await sdk.checkout.sessions.create(params())
    assert.strictEqual((await sdk.checkout.sessions.retrieve(session.id)).id, session.id)
    const error = await failureOf(sdk.refunds.create({ charge: "ch_1" }))
    assert.instanceOf(error, Stripe.errors.StripeAPIError)
    assert.strictEqual(error.statusCode, 500)
    sim.next({ status: 402, code: "card_declined" })
    sim.reset()
    assert.strictEqual((await sdk.balance.retrieve()).object, "balance")
  })

  withStripe("lose the answer of a request that took effect", async ({ sdk, sim }) => {
    sim.next({ dropConnection: true, takesEffect: true })
    const session = await sdk.checkout.sessions.create(params(), { idempotencyKey: "lost" })
    assert.strictEqual(session.lastResponse.headers["idempotent-replayed"], "true")
    assert.deepStrictEqual([sim.requests.length, sim.sessionIds()], [2, [session.id]])
  })

  withStripe("drop the connection before anything happened", async ({ sim }) => {
    sim.next({ dropConnection: true })
    sim.next({ dropConnection: true })
    const error = await failureOf(sdkOf(sim).checkout.sessions.create(params()))
    assert.instanceOf(error, Stripe.errors.StripeConnectionError)
    assert.deepStrictEqual([sim.requests.length, sim.sessionIds()], [2, []])
  })

  withStripe("hold an answer back until its gate opens", async ({ sdk, sim }) => {
    sim.next({ gate: "late", takesEffect: true })
    const late = sdk.checkout.sessions.create(params())
    await sim.until(() => sim.waiting("late") === 1)
    const [id] = sim.sessionIds()
    sim.open("late")
    assert.strictEqual((await late).id, id)
    sim.next({ delayMs: 60_000 })
    const error = await failureOf(sdk.balance.retrieve({}, { timeout: 20 }))
    assert.instanceOf(error, Stripe.errors.StripeConnectionError)
  })
})

describe("StripeSimulator", () => {
  it("takes a port and gives it back", async () => {
    const first = await startStripe()
    const taken = await Effect.runPromise(
      acquireStripe({ port: first.address.port }).pipe(Effect.scoped, Effect.flip)
    )
    assert.strictEqual(taken._tag, "SimulatorNotStarted")
    await first.close()
    const second = await startStripe({ port: first.address.port })
    assert.strictEqual(second.url, first.url)
    await second.close()
  })

  it("closes while a request waits", async () => {
    const sim = await startStripe()
    sim.next({ gate: "never" })
    const waiting = failureOf(sdkOf(sim).balance.retrieve())
    await sim.until(() => sim.waiting("never") === 1)
    await sim.close()
    assert.instanceOf(await waiting, Stripe.errors.StripeConnectionError)
  })

  it.effect("lives on the clock of its scope", () =>
    Effect.gen(function*() {
      const sim = yield* acquireStripe()
      const session = yield* Effect.promise(() => sdkOf(sim).checkout.sessions.create(params()))
      assert.strictEqual(session.created, 0)
    }))
})
