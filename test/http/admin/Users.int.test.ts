/**
 * Users and the audit log in the administration's API: the same use cases as the pages, and the same refusals.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { rootProgram } from "../../support/AdminClient.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { send } from "../../support/TestHttp.ts"
import { adjustIn } from "../../support/TestAccounts.ts"

layer(ConsoleWorld.layerOf(), { excludeTestServices: true })("/api/admin/users", (it) => {
  it.effect("lists, makes, disables, enables and promotes", () =>
    Effect.gen(function*() {
      const { get, post, root } = yield* rootProgram
      const made = yield* post("/users", { email: "Api@Example.com" })
      assert.deepInclude(made.json, { email: "api@example.com", role: "user", usd_micros: "0" })
      const path = `/users/${made.json.id}`
      assert.strictEqual((yield* post("/users", { email: "api@example.com" })).status, 409)
      assert.strictEqual((yield* post("/users", { email: "x" })).status, 422)
      assert.strictEqual((yield* post("/users", { email: "y@example.com", role: "king" })).status, 400)
      const found = yield* get("/users?q=API@exa&role=user&state=active&limit=5")
      assert.deepStrictEqual(found.json.items.map(({ id }: { readonly id: string }) => id), [made.json.id])
      assert.strictEqual((yield* get("/users?limit=0")).status, 400)
      assert.isNotNull((yield* post(`${path}/disable`)).json.disabled_at)
      assert.strictEqual((yield* post(`${path}/role`, { role: "root" })).status, 409)
      assert.strictEqual((yield* post(`${path}/password_link`)).status, 409)
      assert.isNull((yield* post(`${path}/enable`)).json.disabled_at)
      assert.strictEqual((yield* post(`${path}/role`, { role: "root" })).json.role, "root")
      assert.strictEqual((yield* post(`/users/${root.id}/disable`)).status, 409)
      for (const missing of ["/users/999999", "/users/999999/ledger", "/users/999999/subscriptions"]) {
        assert.strictEqual((yield* get(missing)).status, 404, missing)
      }
      assert.strictEqual((yield* post("/users/999999/disable")).status, 404)
      assert.strictEqual((yield* get("/users/0")).status, 400)
      const link = yield* post(`${path}/password_link`)
      assert.strictEqual(link.status, 201)
      assert.match(link.json.url, /\/reset\/[\w-]{43}$/)
      const log = yield* get(`/audit?target=user:${made.json.id}`)
      assert.notInclude(JSON.stringify(log.json), link.json.url.slice(-43))
    }))

  it.effect("waives a debt once for a key", () =>
    Effect.gen(function*() {
      const { get, post, world } = yield* rootProgram
      const user = yield* world.user(0n)
      yield* Effect.orDie(adjustIn(world.sql, user.id, { amountMicros: -900n, mode: "owe" }))
      const path = `/users/${user.id}/waive`
      const waiver = { amount_micros: "400", note: "goodwill", idempotency_key: "api-waive-1" }
      const sent = yield* Effect.forEach([1, 2], () => post(path, waiver), { concurrency: "unbounded" })
      assert.sameMembers(sent.map(({ json }) => json.repeated), [false, true])
      assert.deepStrictEqual(sent.map(({ json }) => [json.usd_micros, json.owed_micros]), [["0", "500"], ["0", "500"]])
      const bad = [
        [{ ...waiver, amount_micros: "1" }, 409],
        [{ ...waiver, amount_micros: "501", idempotency_key: "api-waive-2" }, 422],
        [{ ...waiver, amount_micros: "-1", idempotency_key: "api-waive-2" }, 422],
        [{ ...waiver, amount_micros: 1 }, 400],
        [{ ...waiver, note: " ", idempotency_key: "api-waive-2" }, 422],
        [{ ...waiver, idempotency_key: "x" }, 422]
      ] as const
      for (const [body, status] of bad) {
        assert.strictEqual((yield* post(path, body)).status, status, JSON.stringify(body))
      }
      assert.include(
        (yield* post(path, { ...waiver, note: "another" })).json.message,
        "this idempotency key was used for another request"
      )
      assert.strictEqual(
        (yield* post("/users/999999/waive", { ...waiver, idempotency_key: "api-waive-3" })).status,
        404
      )
      const ledger = yield* get(`/users/${user.id}/ledger`)
      assert.deepInclude(ledger.json.items[0], {
        kind: "waiver",
        amount_micros: "0",
        owed_micros: "-400",
        note: "goodwill"
      })
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("adjusts and grants once for a key", () =>
    Effect.gen(function*() {
      const { get, post, world } = yield* rootProgram
      const user = yield* world.user(0n)
      const path = `/users/${user.id}`
      const adjustment = { amount_micros: "1500000", note: "welcome", idempotency_key: "api-adjust-1" }
      const sent = yield* Effect.forEach([1, 2], () => post(`${path}/adjustments`, adjustment), {
        concurrency: "unbounded"
      })
      assert.sameMembers(sent.map(({ json }) => json.repeated), [false, true])
      assert.deepStrictEqual(sent.map(({ json }) => json.usd_micros), ["1500000", "1500000"])
      const bad = [
        [{ ...adjustment, amount_micros: "1" }, 409],
        [{ ...adjustment, amount_micros: 1 }, 400],
        [{ ...adjustment, amount_micros: "0.5" }, 400],
        [{ amount_micros: "1", note: "x" }, 400],
        [{ ...adjustment, idempotency_key: "x" }, 422],
        [{ ...adjustment, amount_micros: "0" }, 422],
        [{ ...adjustment, note: " \ud800" }, 400],
        [{ ...adjustment, amount_micros: "-1500001", idempotency_key: "api-adjust-2" }, 422]
      ] as const
      for (const [body, status] of bad) {
        assert.strictEqual((yield* post(`${path}/adjustments`, body)).status, status, JSON.stringify(body))
      }
      assert.include(
        (yield* post(`${path}/adjustments`, { ...adjustment, note: "another" })).json.message,
        "this idempotency key was used for another request"
      )
      assert.strictEqual(
        (yield* post("/users/999999/adjustments", { ...adjustment, idempotency_key: "api-adjust-3" })).status,
        404
      )
      const ledger = yield* get(`${path}/ledger`)
      assert.deepStrictEqual(
        ledger.json.items.map((item: { readonly amount_micros: string; readonly note: string }) => [
          item.amount_micros,
          item.note
        ]),
        [["1500000", "welcome"]]
      )

      const grant = { plan_code: "basic", note: "gift", idempotency_key: "api-grant-1" }
      const [first, second] = [yield* post(`${path}/subscriptions`, grant), yield* post(`${path}/subscriptions`, grant)]
      assert.deepStrictEqual(first.json, second.json)
      assert.strictEqual((yield* post(`${path}/subscriptions`, { ...grant, plan_code: "\0" })).status, 400)
      const reused = yield* post(`${path}/subscriptions`, { ...grant, note: "other" })
      assert.strictEqual(reused.status, 409)
      assert.include(reused.json.message, "this idempotency key was used for another request")
      const end = `${path}/subscriptions/${first.json.id}/end`
      assert.strictEqual((yield* post(end, { note: "abuse" })).status, 204)
      assert.strictEqual((yield* post(end, { note: "abuse" })).status, 409)
      assert.strictEqual((yield* post(`${path}/subscriptions/999999/end`, { note: "abuse" })).status, 404)
      const listed = yield* get(`${path}/subscriptions`)
      assert.deepInclude(listed.json.items[0], { plan_code: "basic", state: "over", order_id: null, note: "gift" })
    }))

  it.effect("tells what was changed, by whom", () =>
    Effect.gen(function*() {
      const { get, post, root, world } = yield* rootProgram
      const user = yield* world.user(0n)
      yield* post(`/users/${user.id}/disable`)
      const key = Redacted.value((yield* world.keys.create({ userId: user.id, name: "" })).key)
      const log = yield* get(`/audit?actor=${encodeURIComponent(root.email)}&action=user.&from=2020-01-01T00:00:00Z`)
      assert.strictEqual(log.json.items.length, 1)
      assert.deepInclude(log.json.items[0], {
        actor: `user:${root.id}`,
        email: root.email,
        action: "user.disabled",
        target: `user:${user.id}`,
        before: { disabled: false },
        after: { disabled: true }
      })
      assert.strictEqual((yield* get("/audit?from=yesterday")).status, 422)
      assert.deepStrictEqual((yield* get("/audit?to=2020-01-01T00:00:00Z")).json.items, [])
      assert.strictEqual((yield* get("/audit?actor=%00nobody")).status, 400)
      const refused = yield* send(`${world.origin}/api/admin/users`, { method: "GET", key })
      assert.strictEqual(refused.status, 401)
    }))
})
