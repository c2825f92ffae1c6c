/**
 * Payments as root sees them: the list with its filters, the review of one that fits nothing with what each decision would do, and how
 * long a list of many takes.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { EventId, PaymentId } from "../../../../src/domain/Ids.ts"
import { ConsoleClient } from "../../../support/ConsoleClient.ts"
import { ConsoleWorld, signedInRoot } from "../../../support/ConsoleWorld.ts"

const asRoot = Effect.tap(signedInRoot, ({ client }) => client.get("/admin"))

/** A top-up of 10.00 CNY by Alipay of which only `paidFen` came in. */
const paidWrong = Effect.fnUntraced(function*(paidFen: number) {
  const { orders, sql, user } = yield* ConsoleWorld
  const buyer = yield* user(0n)
  const order = yield* orders.topup(buyer.id, 1_000n)
  const trade = `trade${order.id}`
  const [row] = yield* sql<{ event: EventId; payment: PaymentId }>`
    WITH attempt AS (INSERT INTO payment_attempts (order_kind, order_id, provider, method, amount_minor, currency,
        merchant_reference) VALUES ('topup', ${order.id}, 'epay', 'alipay', 1000, 'cny', ${`topup_${order.id}_x`})
        RETURNING id),
      payment AS (INSERT INTO payments (provider, payment_id, state, paid_minor, currency, attempt_id)
        SELECT 'epay', ${trade}, 'in_review', ${paidFen}, 'cny', id FROM attempt RETURNING id, attempt_id),
      event AS (INSERT INTO payment_events (provider, event_key, kind, fact, payment_id, attempt_id,
          payment_reference, merchant_reference, amount_minor, currency, outcome, note)
        SELECT 'epay', ${trade}, 'TRADE_SUCCESS', 'Paid', id, attempt_id, ${trade}, ${`topup_${order.id}_x`}, ${paidFen}, 'cny',
          'needs_review', 'another amount' FROM payment RETURNING id)
    SELECT event.id AS event, payment.id AS payment FROM event, payment`
  return { buyer, order, trade, event: row?.event ?? 0n, payment: row?.payment ?? 0n }
}, Effect.orDie)

const balanceOf = Effect.fnUntraced(function*(userId: bigint) {
  const { sql } = yield* ConsoleWorld
  const [row] = yield* sql<{ usd: bigint; owed: bigint }>`
    SELECT usd_micros AS usd, owed_micros AS owed FROM user_balances WHERE user_id = ${userId}`
  return row
}, Effect.orDie)

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("root's payments", (it) => {
  it.effect("show at a glance what came in, what was asked for, and what each decision would do", () =>
    Effect.gen(function*() {
      const { client, world } = yield* asRoot
      const { buyer, event, order } = yield* paidWrong(500)
      const path = `/admin/payments/${event}`
      const { text } = yield* client.get(path)
      for (
        const said of [
          "¥5.00",
          "¥10.00",
          "-¥5.00",
          "Less than asked for",
          "Nothing yet",
          `href="/admin/orders/${order.id}"`,
          buyer.email,
          `${buyer.email} gets $1.40. Balance: $0.00 now, $1.40 afterwards.`,
          `${buyer.email} gets $0.70. Balance: $0.00 now, $0.70 afterwards.`,
          "¥5.00 goes back through EPay. No balance changes.",
          "¥5.00 stays in the books as received, not allocated."
        ]
      ) {
        assert.include(text, said)
      }
      // The form says it once more, before it is done.
      assert.include((yield* client.get(`${path}/accept_part`)).text, "Balance: $0.00 now, $0.70 afterwards.")
      const accepted = yield* client.post(`${path}/accept_part`, { note: "the rest is forgiven" })
      assert.strictEqual(accepted.headers.location, `${path}?done=resolved`)
      assert.deepStrictEqual(yield* balanceOf(buyer.id), { usd: 700_000n, owed: 0n })
      const after = yield* client.get(path)
      assert.include(after.text, "Balance now: $0.70")
      assert.notInclude(after.text, `${path}/credit`)
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("offer only what fits, and do no more than that", () =>
    Effect.gen(function*() {
      const { client, world } = yield* asRoot
      const first = yield* paidWrong(500)
      const second = yield* paidWrong(1_500)
      // Another payment has paid the order meanwhile.
      yield* client.post(`/admin/orders/${second.order.id}/complete`, {
        provider: "manual",
        reference: `cash ${second.order.id}`,
        note: "by hand"
      })
      const path = `/admin/payments/${second.event}`
      const { text } = yield* client.get(path)
      assert.include(text, "Other payments for this order")
      assert.include(text, `cash ${second.order.id}`)
      for (const action of ["credit", "refund", "refunded", "dismiss"]) assert.include(text, `${path}/${action}"`)
      for (const action of ["accept", "accept_part"]) {
        assert.notInclude(text, `${path}/${action}"`)
        assert.strictEqual((yield* client.get(`${path}/${action}`)).status, 303)
        const forced = yield* client.post(`${path}/${action}`, { note: "all the same" })
        assert.strictEqual(forced.status, 409)
      }
      assert.deepStrictEqual(yield* balanceOf(second.buyer.id), { usd: 1_400_000n, owed: 0n })
      assert.deepStrictEqual(yield* balanceOf(first.buyer.id), { usd: 0n, owed: 0n })
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("say that debts are paid first", () =>
    Effect.gen(function*() {
      const { client, world } = yield* asRoot
      const { buyer, event } = yield* paidWrong(500)
      yield* world.sql`UPDATE user_balances SET owed_micros = 300000 WHERE user_id = ${buyer.id}`
      const { text } = yield* client.get(`/admin/payments/${event}/credit`)
      assert.include(text, "Of it, $0.30 pays what is owed.")
      assert.include(text, "Balance: $0.00, owes $0.30 now, $0.40 afterwards.")
      yield* world.sql`UPDATE user_balances SET owed_micros = 0 WHERE user_id = ${buyer.id}`
    }))

  it.effect("are listed with their customer, method, state and dispute, and found by all of it", () =>
    Effect.gen(function*() {
      const { client, world } = yield* asRoot
      const { buyer, event, order, payment, trade } = yield* paidWrong(700)
      const other = yield* paidWrong(900)
      const has = (query: string) =>
        Effect.map(client.get(`/admin/payments${query}`), ({ status, text }) => {
          assert.strictEqual(status, 200, query)
          return text.includes(`href="/admin/payments/${event}"`)
        })
      const { text } = yield* client.get(`/admin/payments?q=${trade}`)
      for (const said of [buyer.email, "Alipay", "¥7.00", "Needs attention", `#${order.id}`]) assert.include(text, said)
      for (
        const query of [
          "",
          `?q=${trade}`,
          `?q=topup_${order.id}_x`,
          `?q=%23${order.id}`,
          `?user=${buyer.id}`,
          `?user=${buyer.email.toUpperCase()}`,
          "?state=in_review",
          "?provider=epay"
        ]
      ) {
        assert.isTrue(yield* has(query), query)
      }
      for (
        const query of [
          `?q=${other.trade}`,
          `?user=${other.buyer.email}`,
          "?user=nobody@example.com",
          "?state=paid",
          "?dispute=any",
          "?provider=stripe",
          "?to=2020-01-01",
          `?before=${payment}`
        ]
      ) {
        assert.isFalse(yield* has(query), query)
      }
      // A dispute took a part of it after it was credited.
      yield* client.post(`/admin/payments/${event}/credit`, { user: buyer.email, amount: "1.00", note: "agreed" })
      assert.isTrue(yield* has("?state=credited"))
      yield* world
        .sql`INSERT INTO payment_disputes (provider, payment_reference, payment_id, dispute_id, amount_minor, currency,
          status, taken_minor) VALUES ('epay', ${trade}, ${payment}, ${`dispute ${trade}`}, 700, 'cny', 'needs_response', 200)`
      assert.isTrue(yield* has("?state=part_refunded&dispute=any"))
      const disputed = (yield* client.get(`/admin/payments?q=${trade}`)).text
      assert.include(disputed, "needs response")
      assert.include(disputed, "¥2.00 refunded or taken back")
      for (const query of ["?state=x&provider=y&dispute=z&view=w&q=%00", "?q='%20OR%201=1--", "?from=2026-02-31"]) {
        assert.strictEqual((yield* client.get(`/admin/payments${query}`)).status, 200, query)
      }
    }))

  it.effect("read in Chinese, too", () =>
    Effect.gen(function*() {
      const { root, world } = yield* asRoot
      const { buyer, event } = yield* paidWrong(500)
      const client = new ConsoleClient(world.origin, {
        session: yield* world.session(root.id),
        headers: { "accept-language": "zh-CN" }
      })
      const { text } = yield* client.get(`/admin/payments/${event}`)
      assert.include(text, `为 ${buyer.email} 入账 $1.40。余额：现在 $0.00，之后 $1.40。`)
      yield* client.post(`/admin/payments/${event}/accept_part`, { note: "其余免收" })
      const list = (yield* client.get("/admin/payments")).text
      for (const said of ["支付宝", "易支付", "已支付"]) assert.include(list, said)
      assert.notInclude(list, "支付时间")
    }))
})
