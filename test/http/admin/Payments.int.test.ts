/**
 * Orders and payments in the administration's API: the same use cases as the pages, and the same refusals.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { AttemptId } from "../../../src/domain/Ids.ts"
import { rootProgram } from "../../support/AdminClient.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { unknownPayment } from "../../support/UnknownPayment.ts"

const program = Effect.gen(function*() {
  const root = yield* rootProgram
  const user = yield* root.world.user(0n)
  return { ...root, user, topup: Effect.orDie(root.world.orders.topup(user.id, 1_000n)) }
})

layer(ConsoleWorld.layerOf(), { excludeTestServices: true })("/api/admin/orders and payments", (it) => {
  it.effect("lists, completes and cancels orders", () =>
    Effect.gen(function*() {
      const { get, post, root, topup, user } = yield* program
      const order = yield* topup
      const path = `/orders/${order.id}`
      const found = yield* get(`/orders?user=${user.email}&state=pending&kind=topup&limit=5&from=2020-01-01T00:00:00Z`)
      assert.deepStrictEqual(found.json.items.map(({ id }: { readonly id: string }) => id), [String(order.id)])
      assert.strictEqual((yield* get("/orders?state=bought")).status, 400)
      assert.strictEqual((yield* get("/orders?from=yesterday")).status, 422)
      const completion = { provider: "manual", reference: `api ${order.id}`, note: "cash" }
      const refused = yield* post(`${path}/complete`, { ...completion, note: "" })
      assert.deepStrictEqual([refused.status, Object.keys(refused.json.problems)], [422, ["note"]])
      assert.strictEqual((yield* post(`${path}/complete`, { ...completion, provider: "cash" })).status, 400)
      const completed = yield* post(`${path}/complete`, completion)
      assert.strictEqual(completed.status, 200)
      assert.deepInclude(completed.json, { state: "paid", credit_micros: "1400000", refundable_minor: null })
      assert.strictEqual(completed.json.attempts[0].completed_by, `user:${root.id}`)
      assert.strictEqual(completed.json.events[0].outcome, "applied")
      assert.strictEqual((yield* post(`${path}/complete`, { ...completion, reference: "other" })).status, 409)
      assert.strictEqual((yield* post(`${path}/cancel`)).status, 409)
      const refund = { note: "n", idempotency_key: "api-refund-1" }
      assert.strictEqual((yield* post(`${path}/refunds`, refund)).status, 409, "paid outside")
      const other = yield* topup
      assert.strictEqual((yield* post(`/orders/${other.id}/cancel`)).json.state, "cancelled")
      for (const missing of ["/orders/999999", "/payments/999999"]) {
        assert.strictEqual((yield* get(missing)).status, 404, missing)
      }
      assert.strictEqual((yield* post("/orders/999999/complete", completion)).status, 404)
    }))

  it.effect("gives money back, once for a key", () =>
    Effect.gen(function*() {
      const { get, post, topup, world } = yield* program
      const order = yield* topup
      const [attempt] = yield* world.sql<{ id: AttemptId }>`
        INSERT INTO payment_attempts (order_kind, order_id, provider, amount_minor, currency, merchant, merchant_reference)
          VALUES ('topup', ${order.id}, 'epay', 1000, 'cny', 'elsewhere', ${`topup_${order.id}_api`}) RETURNING id`
      const completion = { provider: "epay", reference: `trade${order.id}`, note: "told by the gateway" }
      const completed = yield* post(`/orders/${order.id}/complete`, completion)
      assert.strictEqual(completed.json.refundable_minor, "1000")
      const path = `/orders/${order.id}/refunds`
      const refund = { note: "n", idempotency_key: "api-refund-2", amount_minor: "400" }
      assert.strictEqual((yield* post(path, refund)).status, 409, "another merchant's")
      yield* world.sql`UPDATE payments p SET merchant_scope = '|' || ${world.epay.pid}::text FROM payment_attempts a
        WHERE a.id = p.attempt_id AND a.order_id = ${order.id}`
      assert.strictEqual((yield* post(path, { ...refund, amount_minor: "1001" })).status, 422)
      assert.strictEqual((yield* post(path, { ...refund, idempotency_key: "x" })).status, 422)
      // The gateway knows nothing of it: it is on record as failed, and so it is for the same key.
      for (let times = 0; times < 2; times++) {
        const failed = yield* post(path, refund)
        assert.strictEqual(failed.status, 200)
        assert.deepInclude(failed.json, { state: "failed", amount_minor: "400" })
      }
      for (const changed of [{ amount_minor: "300" }, { note: "another" }]) {
        const reused = yield* post(path, { ...refund, ...changed })
        assert.deepStrictEqual([reused.status, reused.json._tag], [409, "Conflict"])
        assert.include(reused.json.message, "this idempotency key was used for another request")
      }
      const shown = yield* get(`/orders/${order.id}`)
      assert.lengthOf(shown.json.refunds, 1)
      const id = shown.json.refunds[0].id
      assert.strictEqual((yield* post(`${path}/${id}/retry`)).status, 409)
      assert.strictEqual((yield* post(`${path}/${id}/settle`, { outcome: "done", note: "n" })).status, 409)
      assert.strictEqual((yield* post(`${path}/999999/retry`)).status, 404)
      assert.isDefined(attempt)
    }))

  it.effect("resolves exceptions, once", () =>
    Effect.gen(function*() {
      const { get, post, root, user, world } = yield* program
      const path = `/payments/${yield* unknownPayment(world.sql, { provider: "epay", reference: "api" })}`
      const open = yield* get("/payments?open=true&provider=epay&reference=api")
      assert.lengthOf(open.json.items, 1)
      assert.deepInclude((yield* get(path)).json, { is_open: true, suggested_micros: "1400000", buyer: null })
      const credit = { user: String(user.id), amount_micros: "1400000", note: "paid without an order" }
      const refused = yield* post(`${path}/credit`, { ...credit, user: "nobody" })
      assert.deepStrictEqual([refused.status, Object.keys(refused.json.problems)], [422, ["user"]])
      assert.strictEqual((yield* post(`${path}/credit`, { ...credit, amount_micros: "1.5" })).status, 400)
      const credited = yield* post(`${path}/credit`, credit)
      assert.deepInclude(credited.json, {
        resolution: "credited",
        credited_micros: "1400000",
        credited_user_id: String(user.id),
        resolved_by: root.email
      })
      assert.strictEqual((yield* post(`${path}/dismiss`, { note: "n" })).status, 409)
      assert.strictEqual((yield* post(`${path}/refunded`, { note: "" })).status, 422)
      assert.strictEqual((yield* post("/payments/999999/dismiss", { note: "n" })).status, 404)
      assert.deepStrictEqual(yield* world.problems, [])
    }))
})
