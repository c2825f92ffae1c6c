/**
 * Root's pages of orders and payments: what is found, what a form does and what it refuses with nothing changed, what the second
 * of two administrators is told, and that nobody else finds anything.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { EventId, OrderId, RefundId, UserId } from "../../../src/domain/Ids.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"

const asRoot = Effect.tap(signedInRoot, ({ client }) => client.get("/admin"))

const orderOf = Effect.fnUntraced(function*(amountFen = 1_000n) {
  const world = yield* ConsoleWorld
  const user = yield* world.user(0n)
  return { user, order: yield* Effect.orDie(world.orders.topup(user.id, amountFen)) }
})

const stateOf = (id: OrderId) =>
  Effect.flatMap(
    ConsoleWorld,
    (world) => Effect.map(Effect.orDie(world.orders.show(id, undefined)), (view) => view.order.state)
  )

const balanceOf = (userId: UserId) =>
  Effect.gen(function*() {
    const { sql } = yield* ConsoleWorld
    const [row] = yield* sql<{ usd: bigint }>`SELECT usd_micros AS usd FROM user_balances WHERE user_id = ${userId}`
    return row?.usd
  }).pipe(Effect.orDie)

/** An exception: a payment of an order that nobody knows, told by the gateway. */
const exceptionOf = Effect.fnUntraced(function*(payment: string, orderReference: string | null = null) {
  const { sql } = yield* ConsoleWorld
  const [row] = yield* sql<{ id: EventId }>`
    WITH payment AS (INSERT INTO payments (provider, payment_id, state, paid_minor, currency)
      VALUES ('epay', ${payment}, 'in_review', 500, 'cny') RETURNING id)
    INSERT INTO payment_events (provider, event_key, kind, fact, payment_id, payment_reference, merchant_reference,
        amount_minor, currency, outcome, note)
      SELECT 'epay', ${payment}, 'TRADE_SUCCESS', 'Paid', id, ${payment}, ${orderReference}, 500, 'cny', 'needs_review',
        'paid 500 <b>cny</b>' FROM payment RETURNING id`
  return row?.id ?? 0n
}, Effect.orDie)

const done = { note: "by bank transfer", provider: "manual" }

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("root's orders and payments", (it) => {
  it.effect("are nobody else's", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { order, user } = yield* orderOf()
      const event = yield* exceptionOf("nobodys")
      const client = yield* world.signedIn(user.id)
      yield* client.get("/")
      const pages = ["", "/complete", "/cancel", "/refund", "/refunds/1"].map((path) =>
        `/admin/orders/${order.id}${path}`
      )
      for (const path of [...pages, "/admin/orders", "/admin/payments", `/admin/payments/${event}`]) {
        assert.strictEqual((yield* client.get(path)).status, 404, path)
      }
      const forms = ["complete", "cancel", "refund", "refunds/1", "refunds/1/retry"].map((path) =>
        `/admin/orders/${order.id}/${path}`
      )
      for (const path of [...forms, `/admin/payments/${event}/dismiss`]) {
        assert.strictEqual((yield* client.post(path, { ...done, reference: "mine" })).status, 404, path)
      }
      assert.strictEqual(yield* stateOf(order.id), "pending")
    }))

  it.effect("are counted on the overview as the queue shows them", () =>
    Effect.gen(function*() {
      const { client, world } = yield* asRoot
      const counted = Effect.gen(function*() {
        const overview = yield* client.get("/admin")
        const figure = /Needs attention<[\s\S]*?>(\d+)</.exec(overview.text)?.[1]
        const api = yield* client.get("/api/admin/overview")
        const queue = yield* client.get("/api/admin/payments?open=true&limit=200")
        const badge = /bg-red-lt ms-2">(\d+)</.exec((yield* client.get("/admin/payments")).text)?.[1] ?? "0"
        const { reviews_open } = JSON.parse(api.text)
        assert.deepStrictEqual([figure, badge, JSON.parse(queue.text).items.length].map(Number), [
          reviews_open,
          reviews_open,
          reviews_open
        ])
        return reviews_open
      })
      const before = yield* counted
      const event = yield* exceptionOf("counted")
      yield* world
        .sql`INSERT INTO payment_events (provider, event_key, kind, fact, payment_reference, outcome, received_at)
        VALUES ('stripe', 'deferred', 'charge.refunded', 'Refunded', 'pi_deferred_long', 'deferred', now() - interval '25 hours'),
          ('stripe', 'young', 'charge.refunded', 'Refunded', 'pi_deferred_now', 'deferred', now())`
      assert.strictEqual(yield* counted, before + 2)
      yield* world.sql`UPDATE payment_events SET resolution = 'dismissed', resolution_note = 'n', resolved_by = 'cli',
        resolved_at = now() WHERE id = ${event} OR event_key = 'deferred'`
      assert.strictEqual(yield* counted, before)
    }))

  it.effect("find orders by all that is known of them, page by page", () =>
    Effect.gen(function*() {
      const { client, world } = yield* asRoot
      const { order, user } = yield* orderOf()
      const other = yield* orderOf()
      yield* Effect.orDie(world.orders.cancel(other.order.id, undefined))
      const has = (path: string, id: bigint) =>
        Effect.map(client.get(`/admin/orders${path}`), ({ status, text }) => {
          assert.strictEqual(status, 200, path)
          return text.includes(`/admin/orders/${id}"`)
        })
      for (
        const path of [
          "",
          `?q=${order.id}`,
          `?q=%23${order.id}`,
          `?user=${user.id}`,
          `?user=${user.email.toUpperCase()}`,
          "?state=pending",
          "?kind=topup"
        ]
      ) {
        assert.isTrue(yield* has(path, order.id), path)
      }
      for (
        const path of [
          `?q=${other.order.id}`,
          `?user=${other.user.id}`,
          "?user=nobody@example.com",
          "?state=cancelled",
          "?kind=subscription",
          "?provider=stripe",
          "?to=2020-01-01",
          `?before=${order.id}`
        ]
      ) {
        assert.isFalse(yield* has(path, order.id), path)
      }
      // What is no filter is none, and an attack is a text.
      for (
        const path of ["?state=x&kind=y&provider=z&q=%00", "?from=2026-02-31", "?q='%20OR%201=1--&from=2020-01-01"]
      ) {
        assert.strictEqual((yield* client.get(`/admin/orders${path}`)).status, 200, path)
      }
      assert.strictEqual((yield* client.get("/admin/orders/999999999")).status, 404)
    }))

  it.effect("complete an order once, with a reference and a note, and show all that happened", () =>
    Effect.gen(function*() {
      const { client, root, world } = yield* asRoot
      const { order, user } = yield* orderOf()
      const path = `/admin/orders/${order.id}`
      assert.include((yield* client.get(path)).text, `${path}/complete`)
      assert.include((yield* client.get(`${path}/complete`)).text, "$1.40")
      const bad: ReadonlyArray<readonly [Record<string, string>, string]> = [
        [{ ...done, reference: "" }, "field-reference-problem"],
        [{ ...done, provider: "stripe", reference: "ch_1" }, "field-reference-problem"],
        [{ ...done, provider: "paypal", reference: "x" }, "field-provider-problem"],
        [{ provider: "manual", reference: "x", note: " " }, "field-note-problem"]
      ]
      for (const [fields, problem] of bad) {
        const refused = yield* client.post(`${path}/complete`, fields)
        assert.strictEqual(refused.status, 422)
        assert.include(refused.text, `id="${problem}"`)
      }
      assert.strictEqual(yield* stateOf(order.id), "pending")
      const paid = yield* client.post(`${path}/complete`, { ...done, reference: `cash ${order.id}` })
      assert.strictEqual(paid.headers.location, `${path}?done=completed`)
      assert.strictEqual(yield* balanceOf(user.id), order.creditMicros)
      const shown = yield* client.get(`${path}?done=completed`)
      for (
        const text of ["Order marked as paid.", root.email, "by bank transfer", `cash ${order.id}`, "Paid directly"]
      ) {
        assert.include(shown.text, text)
      }
      // Somebody else was shown the form before.
      const second = yield* asRoot
      const late = yield* second.client.post(`${path}/complete`, { ...done, reference: "another" })
      assert.strictEqual(late.status, 409)
      assert.include(late.text, "The order is now “Paid”")
      const next = yield* orderOf()
      const used = yield* client.post(`/admin/orders/${next.order.id}/complete`, {
        ...done,
        reference: `cash ${order.id}`
      })
      assert.strictEqual(used.status, 409)
      assert.include(used.text, "has already paid an order")
      assert.strictEqual((yield* client.get(`${path}/complete`)).status, 303, "nothing to complete")
      // The buyer is told, too.
      const buyer = yield* world.signedIn(user.id)
      assert.include((yield* buyer.get(`/orders/${order.id}`)).text, "paid directly")
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("cancel an order, under the name of the administrator", () =>
    Effect.gen(function*() {
      const { client, root, world } = yield* asRoot
      const { order } = yield* orderOf()
      const path = `/admin/orders/${order.id}`
      assert.strictEqual((yield* client.get(`${path}/cancel`)).status, 200)
      assert.strictEqual((yield* client.post(`${path}/cancel`, {})).headers.location, `${path}?done=cancelled`)
      assert.strictEqual(yield* stateOf(order.id), "cancelled")
      const rows = yield* world
        .sql`SELECT FROM audit_log WHERE action = 'order.cancelled' AND actor = ${`user:${root.id}`}
        AND target = ${`order:${order.id}`}`
      assert.lengthOf(rows, 1)
      assert.strictEqual((yield* client.get(`${path}/cancel`)).status, 303)
      assert.strictEqual((yield* client.post("/admin/orders/999999999/cancel", {})).status, 404)
    }))

  it.effect("refund a part and the rest, and settle by hand what has no answer", () =>
    Effect.gen(function*() {
      const { client, world } = yield* asRoot
      const { order, user } = yield* orderOf()
      const buyer = yield* world.signedIn(user.id)
      yield* buyer.get(`/pay/topup/${order.id}`)
      yield* buyer.post(`/pay/topup/${order.id}/start`, { provider: "stripe" })
      const { attempts } = yield* Effect.orDie(world.orders.show(order.id, undefined))
      const { paymentIntent } = world.stripe.pay(attempts[0]?.session ?? "")
      yield* Effect.promise(() => world.stripe.idle())
      const path = `/admin/orders/${order.id}`
      const form = yield* client.get(`${path}/refund`)
      assert.include(form.text, 'value="10.00"')
      const key = /name="key" value="([^"]+)"/.exec(form.text)?.[1] ?? ""
      const fields = { key, note: "asked for it", amount: "4.00" }
      for (const amount of ["", "0", "-1", "10.01", "1.001", "x"]) {
        const refused = yield* client.post(`${path}/refund`, { ...fields, amount })
        assert.strictEqual(refused.status, 422, amount)
        assert.include(refused.text, "at most ¥10.00")
        assert.include(refused.text, key, "the form goes on with its key")
      }
      assert.strictEqual((yield* client.post(`${path}/refund`, { ...fields, note: "" })).status, 422)
      for (let times = 0; times < 2; times++) {
        const refunded = yield* client.post(`${path}/refund`, fields)
        assert.strictEqual(refunded.headers.location, `${path}?done=refund-succeeded`)
      }
      assert.strictEqual(world.stripe.charge(paymentIntent).amount_refunded, 400)
      assert.strictEqual(yield* balanceOf(user.id), 840_000n)
      const [lost] = yield* world.sql<{ id: RefundId }>`
        INSERT INTO payment_refunds (provider, payment_reference, payment_id, amount_minor, currency, state, request_key,
            requested_by, note, problem)
          SELECT p.provider, p.payment_id, p.id, 100, p.currency, 'pending', 'lost-answer', 'user:1', 'n', 'no answer'
            FROM payments p WHERE p.attempt_id = ${attempts[0]?.id} RETURNING id`
      const blocked = yield* client.post(`${path}/refund`, { ...fields, key: "another-key" })
      assert.strictEqual(blocked.status, 409)
      assert.include(blocked.text, "is still unknown")
      const settle = `${path}/refunds/${lost?.id}`
      const shown = yield* client.get(path)
      assert.include(shown.text, "Outcome unknown")
      assert.include(shown.text, `action="${settle}/retry"`)
      assert.include(shown.text, `href="${settle}"`)
      assert.strictEqual((yield* client.get(settle)).status, 200)
      assert.strictEqual((yield* client.post(settle, { note: "n" })).status, 422)
      assert.strictEqual((yield* client.post(settle, { outcome: "failed", note: "" })).status, 422)
      const settled = yield* client.post(settle, { outcome: "failed", note: "Stripe lists none" })
      assert.strictEqual(settled.headers.location, `${path}?done=settled`)
      assert.strictEqual((yield* client.post(`${settle}/retry`, {})).status, 409)
      assert.strictEqual((yield* client.get(settle)).status, 303)
      const others = yield* orderOf()
      assert.strictEqual((yield* client.get(`/admin/orders/${others.order.id}/refunds/${lost?.id}`)).status, 404)
      assert.strictEqual((yield* client.get(`/admin/orders/${others.order.id}/refund`)).status, 303, "nothing was paid")
      yield* Effect.promise(() => world.stripe.idle())
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("resolve an exception once, with a note", () =>
    Effect.gen(function*() {
      const { client, root, world } = yield* asRoot
      const { order, user } = yield* orderOf()
      yield* Effect.orDie(
        world.sql`INSERT INTO payment_attempts (order_kind, order_id, provider, amount_minor, currency,
          merchant_reference) VALUES ('topup', ${order.id}, 'epay', 1000, 'cny', ${`topup_${order.id}_x`})`
      )
      const event = yield* exceptionOf(`t${order.id}`, `topup_${order.id}_x`)
      const path = `/admin/payments/${event}`
      const queue = yield* client.get("/admin/payments?view=review")
      assert.include(queue.text, path)
      assert.notInclude(queue.text, "<b>cny</b>")
      const form = yield* client.get(`${path}/credit`)
      assert.include(form.text, `value="${user.email}"`)
      assert.include(form.text, 'value="0.70"')
      const fields = { user: user.email, amount: "0.70", note: "paid too little, agreed" }
      const bad = [
        { ...fields, note: "" },
        { ...fields, user: "nobody@example.com" },
        { ...fields, amount: "0" },
        { ...fields, amount: "-1" },
        { ...fields, amount: "0.0000001" },
        { ...fields, amount: "1000000.01" }
      ]
      for (const wrong of bad) {
        const refused = yield* client.post(`${path}/credit`, wrong)
        assert.strictEqual(refused.status, 422)
        assert.include(refused.text, "invalid-feedback")
      }
      assert.strictEqual(yield* balanceOf(user.id), 0n)
      // It came to another merchant than the one in the settings.
      const giveBack = yield* client.get(`${path}/refund`)
      const key = /name="key" value="([^"]+)"/.exec(giveBack.text)?.[1] ?? ""
      assert.isAbove(key.length, 8)
      const impossible = yield* client.post(`${path}/refund`, { key, note: "paid too little" })
      assert.strictEqual(impossible.status, 409)
      assert.include(impossible.text, "cannot be refunded from here")
      assert.strictEqual((yield* client.post(`${path}/refund`, { key, note: "" })).status, 422)
      const credited = yield* client.post(`${path}/credit`, fields)
      assert.strictEqual(credited.headers.location, `${path}?done=resolved`)
      assert.strictEqual(yield* balanceOf(user.id), 700_000n)
      const second = yield* asRoot
      const late = yield* second.client.post(`${path}/dismiss`, { note: "me too" })
      assert.strictEqual(late.status, 409)
      assert.include(late.text, `${root.email} has already resolved it`)
      assert.include((yield* client.get(path)).text, "paid too little, agreed")
      assert.strictEqual((yield* client.get(`${path}/dismiss`)).status, 303)
      assert.notInclude((yield* client.get("/admin/payments?view=review")).text, path)
      const found = `/admin/payments?view=events&q=t${order.id}&outcome=exception&provider=epay`
      assert.include((yield* client.get(found)).text, path)
      for (const wrong of [`${path}/bribe`, "/admin/payments/999999999", "/admin/payments/x"]) {
        assert.strictEqual((yield* client.get(wrong)).status, 404, wrong)
      }
      const audited = yield* world.sql`SELECT FROM audit_log WHERE target = ${`payment:${event}`}
        AND action = 'payment.credited' AND actor = ${`user:${root.id}`}`
      assert.lengthOf(audited, 1)
      for (const [action, resolution] of [["refunded", "refunded"], ["dismiss", "dismissed"]] as const) {
        const other = yield* exceptionOf(`${action}${order.id}`)
        const answer = yield* client.post(`/admin/payments/${other}/${action}`, { note: "n" })
        assert.strictEqual(answer.status, 303)
        const [row] = yield* world.sql`SELECT resolution FROM payment_events WHERE id = ${other}`
        assert.deepStrictEqual(row, { resolution })
      }
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("read in both languages", () =>
    Effect.gen(function*() {
      const { root, world } = yield* asRoot
      const { order } = yield* orderOf()
      const event = yield* exceptionOf(`zh${order.id}`)
      const client = new ConsoleClient(world.origin, {
        session: yield* world.session(root.id),
        headers: { "accept-language": "zh-CN" }
      })
      for (
        const [path, text] of [
          ["/admin/orders", "所有用户的订单"],
          [`/admin/orders/${order.id}`, "标记为已支付"],
          ["/admin/payments", "待处理"],
          [`/admin/payments/${event}`, "为付款人入账"]
        ] as const
      ) {
        assert.include((yield* client.get(path)).text, text, path)
      }
    }))
})
