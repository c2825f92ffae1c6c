/**
 * The pages where money is spent, over HTTP: whose order it is, what a form has to prove, what a browser's return is worth,
 * and what becomes of bad input - nothing, with a reason beside the field.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { UserId } from "../../../src/domain/Ids.ts"
import { ORDERS_PER_HOUR_MAX } from "../../../src/orders/Orders.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { send } from "../../support/TestHttp.ts"
import { until } from "../../support/Until.ts"

const orderCount = (userId: UserId) =>
  Effect.gen(function*() {
    const { orders } = yield* ConsoleWorld
    return (yield* orders.list(userId)).length
  })

const locationOf = (answer: { readonly headers: { readonly location?: string | undefined } }): string =>
  answer.headers.location ?? ""

/** An order of 10.00 CNY, which its user looks at. */
const orderShown = Effect.gen(function*() {
  const { client, user, world } = yield* asUser
  const { id } = yield* world.orders.topup(user.id, 1_000n)
  yield* client.get(`/pay/topup/${id}`)
  return { client, id, user, world }
})

layer(ConsoleWorld.layerOf(), { excludeTestServices: true })("pages about money", (it) => {
  it.effect("an amount becomes an order; one that is invalid, too small or too large becomes nothing", () =>
    Effect.gen(function*() {
      const { client, user } = yield* asUser
      yield* client.get("/topup")
      const table = ["", "abc", "0", "-10", "9.99", "10000.01", "1e3", "10.001", "１０", "9".repeat(60)]
      for (const amount of table) {
        const refused = yield* client.post("/topup/create", { amount_cny: amount })
        assert.strictEqual(refused.status, 422, amount)
        assert.include(refused.text, "invalid-feedback", amount)
        if (amount !== "") assert.include(refused.text, `value="${amount}"`)
      }
      assert.strictEqual(yield* orderCount(user.id), 0)
      const placed = yield* client.post("/topup/create", { amount_cny: " ¥1,234.50 " })
      assert.strictEqual(placed.status, 303)
      assert.match(locationOf(placed), /^\/pay\/topup\/\d+$/)
      const shown = yield* client.get(locationOf(placed))
      assert.include(shown.text, "¥1,234.50")
      assert.include(shown.text, "$172.83")
    }))

  it.effect("nothing happens without a token of this visitor, from another site, or in another form", () =>
    Effect.gen(function*() {
      const { client, user } = yield* asUser
      const other = (yield* asUser).client
      yield* other.get("/topup")
      yield* client.get("/topup")
      const bad = [
        client.post("/topup/create", { csrf_token: "", amount_cny: "10.00" }),
        client.post("/topup/create", { csrf_token: "AAAA", amount_cny: "10.00" }),
        client.post("/topup/create", { csrf_token: other.token, amount_cny: "10.00" }),
        client.post("/topup/create", { amount_cny: "10.00" }, { origin: "https://evil.example" }),
        client.post("/topup/create", { amount_cny: "10.00" }, { origin: "null" }),
        client.post("/topup/create", { amount_cny: "10.00" }, { "sec-fetch-site": "cross-site" }),
        client.post("/topup/create", { amount_cny: "10.00" }, { "sec-fetch-site": "same-site" })
      ]
      for (const attempt of bad) {
        const refused = yield* attempt
        assert.strictEqual(refused.status, 403)
        assert.include(refused.text, "This form had expired")
        assert.include(refused.text, 'value="10.00"', "what was typed is kept")
      }
      const unreadable = [
        [client.post("/topup/create", { amount_cny: "10.00" }, { "content-type": "application/json" }), 415],
        [
          client.post("/topup/create", { amount_cny: "10.00" }, { "content-type": "multipart/form-data; boundary=x" }),
          415
        ],
        [client.postText("/topup/create", `csrf_token=${client.token}&amount_cny=10.00%00`), 400],
        [client.postText("/topup/create", "a=1&".repeat(300)), 400],
        [client.postText("/topup/create", `amount_cny=${"1".repeat(100_000)}`), 413]
      ] as const
      for (const [attempt, status] of unreadable) assert.strictEqual((yield* attempt).status, status)
      assert.strictEqual(yield* orderCount(user.id), 0)
      const visitor = new ConsoleClient((yield* ConsoleWorld).origin)
      yield* visitor.get("/login")
      assert.strictEqual((yield* visitor.post("/topup/create", { amount_cny: "10.00" })).status, 403)
      const fine = yield* client.post("/topup/create", { amount_cny: "10.00" }, { "sec-fetch-site": "same-origin" })
      assert.strictEqual(fine.status, 303)
    }))

  it.effect("somebody else's order is not there, and neither is one of another kind", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const owner = yield* asUser
      const stranger = (yield* asUser).client
      const { id } = yield* world.orders.topup(owner.user.id, 1_000n)
      yield* stranger.get("/topup")
      for (const path of [`/pay/topup/${id}`, `/pay/topup/${id}/status`, `/orders/${id}`]) {
        assert.strictEqual((yield* owner.client.get(path)).status, 200, path)
        assert.strictEqual((yield* stranger.get(path)).status, 404, path)
      }
      for (const action of ["start", "cancel"]) {
        const answer = yield* stranger.post(`/pay/topup/${id}/${action}`, { provider: "stripe" })
        assert.strictEqual(answer.status, 404, action)
      }
      for (
        const path of [
          `/pay/subscription/${id}`,
          "/pay/topup/0",
          "/pay/topup/1e3",
          "/pay/x/1",
          `/orders/${"9".repeat(30)}`
        ]
      ) {
        assert.strictEqual((yield* owner.client.get(path)).status, 404, path)
      }
      assert.strictEqual((yield* world.orders.show(id, undefined)).order.state, "pending")
    }))

  it.effect("coming back from a provider proves nothing; the settlement does", () =>
    Effect.gen(function*() {
      const { client, id, world } = yield* orderShown
      const went = yield* client.post(`/pay/topup/${id}/start`, { provider: "epay", method: "alipay" })
      assert.strictEqual(went.status, 200)
      assert.include(went.text, "data-send")
      assert.match(String(went.headers["content-security-policy"]), new RegExp(`form-action 'self' ${world.epay.url}`))
      const fields = new URLSearchParams(
        [...went.text.matchAll(/<input type="hidden" name="(\w+)" value="([^"]*)"/g)].map((
          match
        ) => [match[1] ?? "", (match[2] ?? "").replaceAll("&amp;", "&")]).filter(([name]) =>
          name !== "csrf_token" && name !== "next"
        )
      )
      const lie = `/pay/topup/${id}?trade_status=TRADE_SUCCESS&money=10.00&out_trade_no=${fields.get("out_trade_no")}`
      const back = yield* client.get(lie)
      assert.include(back.text, "Waiting for payment")
      assert.strictEqual((yield* world.orders.show(id, undefined)).order.state, "pending")

      const version = /status\?version=([\w-]+)/.exec(back.text)?.[1] ?? ""
      const status = `/pay/topup/${id}/status?version=${version}`
      assert.strictEqual((yield* client.get(status, { "hx-request": "true" })).status, 204)
      const form = { "content-type": "application/x-www-form-urlencoded" }
      const submitted = yield* send(`${world.epay.url}/submit.php`, {
        method: "POST",
        body: String(fields),
        headers: form
      })
      const cashier = new URL(String(submitted.headers.location), world.epay.url).href
      yield* send(cashier, { method: "POST", body: "type=alipay", headers: form })
      yield* until(
        "the order is paid",
        Effect.map(client.get(status), ({ status: code }) => code === 200).pipe(Effect.orDie)
      )
      const paid = yield* client.get(status, { "hx-request": "true" })
      assert.include(paid.text, "$1.40 has been added")
      assert.notInclude(paid.text, "<html")
      assert.notInclude(paid.text, "hx-get", "it asks no more")
      const again = yield* client.post(`/pay/topup/${id}/start`, { provider: "stripe" })
      assert.strictEqual(again.status, 409)
    }))

  it.effect("a payment in review is named to its buyer, who is not asked for another, and so is what was decided", () =>
    Effect.gen(function*() {
      const { client, id, user, world } = yield* orderShown
      yield* client.post(`/pay/topup/${id}/start`, { provider: "epay", method: "alipay" })
      const state = (values: string) =>
        world.sql.unsafe(
          `INSERT INTO payments (provider, merchant_scope, payment_id, paid_minor, currency, attempt_id, state,
            credited_user_id, credited_micros)
          SELECT 'epay', 'x', 'T${id}', 994, 'cny', a.id, ${values} FROM payment_attempts a WHERE a.order_id = ${id}
          ON CONFLICT (provider, merchant_scope, payment_id) DO UPDATE SET state = EXCLUDED.state,
            credited_user_id = EXCLUDED.credited_user_id, credited_micros = EXCLUDED.credited_micros`
        )
      const page = Effect.map(client.get(`/pay/topup/${id}`), ({ text }) => text)
      assert.include(yield* page, "Choose a payment method again")
      yield* state("'in_review', NULL, NULL")
      assert.include(yield* page, "A payment of ¥9.94 arrived and is being reviewed")
      assert.notInclude(yield* page, "Pay with")
      yield* state(`'credited', ${user.id}, 1391600`)
      assert.match(yield* page, /A payment of ¥9\.94 was reviewed: \$1\.3916\d* has been added to your balance/)
      yield* state("'refunded', NULL, NULL")
      assert.include(yield* page, "A payment of ¥9.94 was reviewed and refunded")
    }))

  it.effect("a method that is off, or none, starts nothing", () =>
    Effect.gen(function*() {
      const { client, id, world } = yield* orderShown
      const table = [
        [{ provider: "paypal" }, 422],
        [{}, 422],
        [{ provider: "epay", method: "bitcoin" }, 422],
        [{ provider: "epay" }, 422]
      ] as const
      for (const [fields, status] of table) {
        assert.strictEqual((yield* client.post(`/pay/topup/${id}/start`, fields)).status, status)
      }
      assert.deepStrictEqual((yield* world.orders.show(id, undefined)).attempts, [])
      const stripe = yield* client.post(`/pay/topup/${id}/start`, { provider: "stripe" })
      assert.strictEqual(stripe.status, 303)
      assert.isTrue(locationOf(stripe).startsWith(world.stripe.url))
    }))

  it.effect("an order is cancelled once, and ordered again at today's price", () =>
    Effect.gen(function*() {
      const { client, user } = yield* asUser
      yield* client.get("/subscription")
      const placed = yield* client.post("/subscription/create", { plan_code: "basic" })
      const path = locationOf(placed)
      yield* client.get(path)
      assert.strictEqual((yield* client.post(`${path}/cancel`, {})).status, 303)
      const cancelled = yield* client.get(path)
      assert.include(cancelled.text, "This order was cancelled")
      assert.include(cancelled.text, 'name="plan_code" value="basic"')
      assert.strictEqual((yield* client.post(`${path}/cancel`, {})).status, 303, "cancelling again changes nothing")
      assert.strictEqual((yield* client.post(`${path}/start`, { provider: "stripe" })).status, 409)
      const unknown = yield* client.post("/subscription/create", { plan_code: "<script>alert(1)</script>" })
      assert.strictEqual(unknown.status, 422)
      assert.notInclude(unknown.text, "<script>alert")
      assert.strictEqual(yield* orderCount(user.id), 1)
    }))

  it.effect("orders end at a bound an hour, however many are cancelled", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client, user } = yield* asUser
      yield* world.sql`
        INSERT INTO topup_orders (user_id, amount_fen, credit_micros, credit_usd_per_cny, state, expires_at)
          SELECT ${user.id}, 1000, 1, '0.14', 'cancelled', now() FROM generate_series(1, ${ORDERS_PER_HOUR_MAX - 1})`
      yield* client.get("/topup")
      assert.strictEqual((yield* client.post("/topup/create", { amount_cny: "10.00" })).status, 303)
      assert.strictEqual((yield* client.post("/topup/create", { amount_cny: "10.00" })).status, 303, "the same order")
      const refused = yield* client.post("/topup/create", { amount_cny: "10.01" })
      assert.strictEqual(refused.status, 429)
      assert.include(refused.text, "Too many orders within an hour")
    }))

  it.effect("orders are listed page by page, without a gap", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client, user } = yield* asUser
      for (let made = 0; made < 30; made++) {
        const order = yield* world.orders.topup(user.id, 1_000n)
        yield* world.orders.cancel(order.id, user.id)
      }
      const seen = new Set<string>()
      let path: string | undefined = "/orders"
      while (path !== undefined) {
        const { text }: { readonly text: string } = yield* client.get(path)
        for (const match of text.matchAll(/href="\/orders\/(\d+)"/g)) seen.add(match[1] ?? "")
        path = /href="(\/orders\?before=\d+)"/.exec(text)?.[1]
      }
      assert.strictEqual(seen.size, 30)
      assert.strictEqual((yield* client.get("/orders?before=x")).status, 200)
    }))

  it.effect("what others wrote comes out as text", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client, user } = yield* asUser
      const hostile = `<img src=x onerror=alert(1)>"'&`
      yield* world.sql`
        INSERT INTO subscription_plans (code, name, price_fen, duration_days, limit_5h_micros, limit_1d_micros,
            limit_7d_micros, limit_30d_micros) VALUES ('hostile', ${hostile}, 100, 30, 0, 0, 0, 0)`
      const order = yield* world.orders.subscription(user.id, "hostile")
      yield* world.sql`
        INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros, reserved_at,
            lease_expires_at, settled_at, endpoint, model, reason)
          VALUES (uuidv7(), ${user.id}, 'committed', 'balance', 0, 0, 0, now(), now(), now(), 'chat.completions', ${hostile},
            ${hostile})`
      for (const path of ["/subscription", `/pay/subscription/${order.id}`, `/orders/${order.id}`, "/usage"]) {
        const { status, text } = yield* client.get(path)
        assert.strictEqual(status, 200, path)
        assert.include(text, "&lt;img src=x", path)
        assert.notInclude(text, "<img src=x", path)
      }
      const csv = yield* client.get("/usage/calls.csv")
      assert.include(csv.text, `"<img src=x onerror=alert(1)>""'&"`)
    }))
})
