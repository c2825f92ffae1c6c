/**
 * What one person may not do alone, by every way there is: nothing happens until somebody else confirms it, and then once.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer, Redacted, References } from "effect"
import { basicPlan } from "../../src/cli/DemoConfig.ts"
import { mayDo } from "../../src/confirmations/ActionRoles.ts"
import { PENDING_OF_ONE_MAX } from "../../src/confirmations/SecondPersonRule.ts"
import type { ApiKeyId } from "../../src/domain/Ids.ts"
import { mayUse } from "../../src/http/AdminPolicy.ts"
import { roles } from "../../src/identity/Roles.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { type ConfirmedAction, confirmedActions } from "../../src/platform/SecondPerson.ts"
import { PaymentWorld } from "../support/PaymentWorld.ts"
import { type Staff, staff } from "../support/StaffClients.ts"
import { send } from "../support/TestHttp.ts"
import { type Case, cases, confirmationLimits, smallPlan } from "./ConfirmationCases.ts"

const Worlds = PaymentWorld.layerOf({ finance: confirmationLimits, plans: [basicPlan, smallPlan] }).pipe(
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
)

/** A path of each action, for the roles that may use it. */
const paths: Readonly<Record<ConfirmedAction, string>> = {
  "balance.adjust": "/users/1/adjustments",
  "debt.waive": "/users/1/waive",
  "codes.create": "/redemption-batches",
  "plan.grant": "/users/1/subscriptions",
  "payment.accept": "/payments/1/accept",
  "payment.credit": "/payments/1/credit",
  "payment.refund": "/payments/1/refund",
  "order.complete": "/orders/1/complete",
  "order.refund": "/orders/1/refunds",
  "refund.fail": "/orders/1/refunds/1/settle",
  "settings.limits": "/settings"
}

const two = Effect.gen(function*() {
  return { ada: yield* staff("root"), bob: yield* staff("root") }
})

/** Asks, and answers the id of what waits. */
const asking = Effect.fnUntraced(function*(who: Staff, { body, path }: Case) {
  const asked = yield* who.post(path, body)
  assert.strictEqual(asked.status, 202, JSON.stringify(asked.json))
  assert.strictEqual(asked.json._tag, "ConfirmationPending")
  return String(asked.json.confirmation_id)
})

/** What waits for a second person: who asked and who may confirm it, what it is, and what there was before. */
const waiting = Effect.fnUntraced(function*(name: keyof typeof cases) {
  const { ada, bob } = yield* two
  const asked = yield* cases[name](true)
  const before = yield* asked.state
  return { ada, asked, before, bob, id: yield* asking(ada, asked) }
})

describe("a second person", () => {
  layer(Worlds, { excludeTestServices: true, timeout: 120_000 })((it) => {
    it.effect.each(Object.entries(cases))(
      "confirms %s above the limit; nothing happens before, and it happens once",
      ([, make]) =>
        Effect.gen(function*() {
          const { ada, bob } = yield* two
          const asked = yield* make(true)
          const before = yield* asked.state
          const id = yield* asking(ada, asked)
          assert.deepStrictEqual(yield* asked.state, before)
          // The same again waits already.
          assert.strictEqual(yield* asking(ada, asked), id)
          const own = yield* ada.post(`/confirmations/${id}/confirm`)
          assert.deepStrictEqual([own.status, own.json.message], [409, "requesters cannot confirm their own requests"])
          const support = yield* staff("support")
          assert.strictEqual((yield* support.post(`/confirmations/${id}/confirm`)).status, 403)
          assert.deepStrictEqual(yield* asked.state, before)
          const cy = yield* staff("root")
          const tries = yield* Effect.forEach(
            [bob, cy, bob, cy],
            (who) => who.post(`/confirmations/${id}/confirm`),
            { concurrency: "unbounded" }
          )
          const done = tries.filter(({ status }) => status === 200)
          assert.isAtLeast(done.length, 1, JSON.stringify(tries))
          for (const { json, status } of tries) {
            if (status !== 200) assert.strictEqual(status, 409, JSON.stringify(json))
          }
          const [closer] = done.map(({ json }) => json.closed_by)
          assert.include([String(bob.id), String(cy.id)], closer)
          const after = yield* asked.state
          assert.notDeepEqual(after, before)
          const shown = yield* ada.get(`/confirmations/${id}`)
          assert.deepInclude(shown.json, { state: "confirmed", requested_by: String(ada.id) })
          assert.strictEqual((yield* ada.post(`/confirmations/${id}/reject`)).status, 409)
          const world = yield* PaymentWorld
          const recorded = yield* world.sql<{ actor: string; action: string }>`
          SELECT actor, action FROM audit_log WHERE target = ${`confirmation:${id}`} ORDER BY id`
          assert.deepStrictEqual(recorded, [
            { actor: recorded[0]?.actor ?? "", action: "confirmation.requested" },
            { actor: recorded[1]?.actor ?? "", action: "confirmation.confirmed" }
          ])
          const named = yield* world.sql`SELECT FROM audit_log WHERE actor = ${recorded[0]?.actor ?? ""}
          AND after ->> 'confirmed_by' = ${recorded[1]?.actor ?? ""} AND after ->> 'confirmation' = ${id}`
          assert.isAtLeast(named.length, 1, "the record of the change names both")
          // Sent again it is what it was, or is refused: it happens no second time.
          yield* ada.post(asked.path, asked.body)
          yield* bob.post(`/confirmations/${id}/confirm`)
          assert.deepStrictEqual(yield* asked.state, after)
        })
    )

    it.effect.each(Object.entries(cases))("is not needed for %s up to the limit", ([, make]) =>
      Effect.gen(function*() {
        const { ada } = yield* two
        const asked = yield* make(false)
        const before = yield* asked.state
        const done = yield* ada.post(asked.path, asked.body)
        assert.oneOf(done.status, [200, 201], JSON.stringify(done.json))
        assert.notDeepEqual(yield* asked.state, before)
      }))

    it.effect("is asked for by every action that there is", () =>
      Effect.sync(() => {
        const tried = new Set(Object.keys(cases).map((name) => name.split(" ")[0]))
        assert.deepStrictEqual(confirmedActions.filter((action) => !tried.has(action)), ["settings.limits"])
      }))

    it.effect("may confirm what the same role may do alone below the limit", () =>
      Effect.sync(() => {
        for (const role of roles) {
          for (const action of confirmedActions) {
            const method = action === "settings.limits" ? "PATCH" : "POST"
            assert.strictEqual(
              mayDo(role, action),
              mayUse(role, method, `/api/admin${paths[action]}`),
              `${role} ${action}`
            )
          }
        }
      }))

    it.effect("of another role confirms only what that role may do", () =>
      Effect.gen(function*() {
        const { ada } = yield* two
        const fin = yield* staff("finance")
        const adjusted = yield* cases["balance.adjust"](true)
        const id = yield* asking(ada, adjusted)
        const refused = yield* fin.post(`/confirmations/${id}/confirm`)
        assert.strictEqual(refused.status, 409)
        assert.strictEqual((yield* fin.post(`/confirmations/${id}/reject`)).status, 409)
        assert.strictEqual((yield* fin.get(`/confirmations/${id}`)).json.state, "pending")
        const credited = yield* cases["payment.credit"](true)
        const own = yield* asking(fin, credited)
        const other = yield* staff("finance")
        assert.strictEqual((yield* other.post(`/confirmations/${own}/confirm`)).status, 200)
      }))

    it.effect("rejects a request, or lets its requester withdraw it; then a new request is needed", () =>
      Effect.gen(function*() {
        const { ada, asked, before, bob, id: first } = yield* waiting("balance.adjust")
        const rejected = yield* bob.post(`/confirmations/${first}/reject`, { note: "who is that?" })
        assert.deepInclude(rejected.json, { state: "rejected", close_note: "who is that?", closer: bob.email })
        assert.strictEqual((yield* bob.post(`/confirmations/${first}/confirm`)).status, 409)
        const second = yield* asking(ada, asked)
        assert.notStrictEqual(second, first)
        assert.strictEqual((yield* ada.post(`/confirmations/${second}/reject`)).json.state, "rejected")
        assert.strictEqual((yield* bob.post(`/confirmations/${second}/confirm`)).status, 409)
        assert.deepStrictEqual(yield* asked.state, before)
        assert.strictEqual((yield* bob.post("/confirmations/999999/confirm")).status, 404)
      }))

    it.effect("comes too late after seven days", () =>
      Effect.gen(function*() {
        const { sql } = yield* PaymentWorld
        const { ada, asked, before, bob, id } = yield* waiting("balance.adjust")
        const [row] = yield* sql<{ days: number }>`
          SELECT extract(day FROM expires_at - requested_at)::integer AS days FROM confirmations WHERE id = ${
          BigInt(id)
        }`
        assert.strictEqual(row?.days, 7)
        yield* sql.withTransaction(Effect.gen(function*() {
          yield* sql`ALTER TABLE confirmations DISABLE TRIGGER keep_confirmations_closed`
          yield* sql`UPDATE confirmations SET requested_at = now() - interval '7 days 1 second',
            expires_at = now() - interval '1 second' WHERE id = ${BigInt(id)}`
          yield* sql`ALTER TABLE confirmations ENABLE TRIGGER keep_confirmations_closed`
        }))
        const late = yield* bob.post(`/confirmations/${id}/confirm`)
        assert.strictEqual(late.status, 409)
        assert.include(late.json.message, "not confirmed in time")
        assert.strictEqual((yield* bob.get(`/confirmations/${id}`)).json.state, "expired")
        assert.deepStrictEqual(yield* asked.state, before)
        assert.notStrictEqual(yield* asking(ada, asked), id)
      }))

    it.effect("does not confirm a request whose requester was disabled, or has another role by now", () =>
      Effect.gen(function*() {
        const { sql } = yield* PaymentWorld
        for (const change of [sql`disabled_at = now()`, sql`role = 'support'`]) {
          const { ada, asked, before, bob, id } = yield* waiting("balance.adjust")
          yield* sql`UPDATE users SET ${change} WHERE id = ${ada.id}`
          assert.strictEqual((yield* bob.post(`/confirmations/${id}/confirm`)).status, 409)
          assert.deepStrictEqual(yield* asked.state, before)
        }
      }))

    it.effect("confirms a plan as it was shown, not as it has become", () =>
      Effect.gen(function*() {
        const { sql } = yield* PaymentWorld
        const { asked, bob, id } = yield* waiting("plan.grant")
        yield* sql`UPDATE subscription_plans SET limit_30d_micros = limit_30d_micros + 1 WHERE code = 'basic'`
        const changed = yield* bob.post(`/confirmations/${id}/confirm`)
        assert.deepStrictEqual([changed.status, yield* asked.state], [409, []])
        assert.include(changed.json.message, "has changed")
        yield* sql`UPDATE subscription_plans SET limit_30d_micros = limit_30d_micros - 1 WHERE code = 'basic'`
        assert.strictEqual((yield* bob.post(`/confirmations/${id}/confirm`)).status, 200)
      }))

    it.effect("says why an action failed, and its request keeps waiting", () =>
      Effect.gen(function*() {
        const { asked, bob, id } = yield* waiting("payment.credit")
        const dismissed = asked.path.replace(/credit$/, "dismiss")
        assert.strictEqual((yield* bob.post(dismissed, { note: "n" })).status, 200)
        const refused = yield* bob.post(`/confirmations/${id}/confirm`)
        assert.strictEqual(refused.status, 409)
        assert.include(refused.json.message, "cannot be done now")
        assert.strictEqual((yield* bob.get(`/confirmations/${id}`)).json.state, "pending")
      }))

    it.effect("agrees to nothing that was done meanwhile without a limit", () =>
      Effect.gen(function*() {
        const { sql } = yield* PaymentWorld
        const { ada, asked, bob, id } = yield* waiting("balance.adjust")
        yield* sql`INSERT INTO app_settings (key, value) VALUES ('finance.confirm_above_usd', '""')`
        assert.strictEqual((yield* ada.post(asked.path, asked.body)).status, 200)
        yield* sql`DELETE FROM app_settings WHERE key = 'finance.confirm_above_usd'`
        const after = yield* asked.state
        const late = yield* bob.post(`/confirmations/${id}/confirm`)
        assert.strictEqual(late.status, 409)
        assert.include(late.json.message, "it has been done already")
        assert.strictEqual((yield* bob.get(`/confirmations/${id}`)).json.state, "pending")
        assert.deepStrictEqual(yield* asked.state, after)
      }))

    it.effect("credits whom it was shown, though the same person credited somebody else by the same words", () =>
      Effect.gen(function*() {
        const world = yield* PaymentWorld
        const { ada, asked, before, bob, id } = yield* waiting("payment.credit")
        const other = yield* world.user()
        const small = { ...asked.body, user: String(other), amount_micros: "4000000" }
        assert.strictEqual((yield* ada.post(asked.path, small)).status, 200)
        assert.strictEqual((yield* bob.post(`/confirmations/${id}/confirm`)).status, 409)
        assert.strictEqual((yield* bob.get(`/confirmations/${id}`)).json.state, "pending")
        assert.deepStrictEqual(yield* asked.state, before)
        // The same words for another user or amount are another request.
        assert.strictEqual((yield* ada.post(asked.path, { ...small, amount_micros: "3000000" })).status, 409)
      }))

    it.effect("is asked again where the payment has come in meanwhile with another sum", () =>
      Effect.gen(function*() {
        const world = yield* PaymentWorld
        const { ada, bob } = yield* two
        const order = yield* world.orders.topup(yield* world.user(), 3_000n)
        const reference = `T${order.id}`
        const completion = { provider: "epay", reference, note: "why" }
        const id = yield* asking(ada, { path: `/orders/${order.id}/complete`, body: completion, state: Effect.void })
        yield* world.sql`INSERT INTO payments (provider, merchant_scope, payment_id, state, paid_minor, currency)
          VALUES ('epay', 'elsewhere|1', ${reference}, 'in_review', 1, 'cny')`
        const changed = yield* bob.post(`/confirmations/${id}/confirm`)
        assert.strictEqual(changed.status, 409)
        assert.include(changed.json.message, "has changed")
        assert.strictEqual(yield* world.stateOf(order), "pending")
      }))

    it.effect("either confirms or rejects", () =>
      Effect.gen(function*() {
        const { ada, bob } = yield* two
        const cy = yield* staff("root")
        for (let round = 0; round < 4; round++) {
          const asked = yield* cases["balance.adjust"](true)
          const before = yield* asked.state
          const id = yield* asking(ada, asked)
          const [confirmed, rejected] = yield* Effect.all(
            [bob.post(`/confirmations/${id}/confirm`), cy.post(`/confirmations/${id}/reject`)],
            { concurrency: "unbounded" }
          )
          assert.deepStrictEqual([confirmed.status, rejected.status].toSorted(), [200, 409])
          const changed = JSON.stringify(yield* asked.state) !== JSON.stringify(before)
          assert.strictEqual(changed, confirmed.status === 200)
        }
      }))

    it.effect("is asked by each person so often at most, which keeps nobody else from asking", () =>
      Effect.gen(function*() {
        const { ada, bob } = yield* two
        const asked = yield* cases["payment.credit"](true)
        for (let count = 0; count < PENDING_OF_ONE_MAX; count++) {
          yield* asking(ada, { ...asked, body: { ...asked.body, note: `note ${count}` } })
        }
        const many = yield* ada.post(asked.path, asked.body)
        assert.strictEqual(many.status, 409)
        assert.include(many.json.message, "too many requests wait")
        yield* asking(bob, asked)
      }))

    const ends: Readonly<Record<string, (id: ApiKeyId) => Effect.Effect<unknown, unknown, PaymentWorld>>> = {
      revoked: (id) => Effect.flatMap(PaymentWorld, ({ adminKeys }) => adminKeys.revoke(cliActor, id)),
      paused: (id) =>
        Effect.flatMap(PaymentWorld, ({ sql }) => sql`UPDATE api_keys SET paused_at = now() WHERE id = ${id}`),
      expired: (id) =>
        Effect.flatMap(PaymentWorld, ({ sql }) => sql`UPDATE api_keys SET expires_at = now() WHERE id = ${id}`)
    }
    for (const [state, end] of Object.entries(ends)) {
      it.effect(`confirms nothing that was asked for with a key that is ${state} by now`, () =>
        Effect.gen(function*() {
          const { adminKeys, origin } = yield* PaymentWorld
          const { ada, bob } = yield* two
          const actor = { name: `user:${ada.id}`, userId: ada.id, address: "" }
          const { id: keyId, key } = yield* adminKeys.create(actor, { name: "program", expiresAt: null }, null)
          const asked = yield* cases["balance.adjust"](true)
          const before = yield* asked.state
          const ask = send(`${origin}/api/admin${asked.path}`, {
            method: "POST",
            headers: { authorization: `Bearer ${Redacted.value(key)}` },
            body: asked.body
          })
          const { status, text } = yield* ask
          assert.strictEqual(status, 202)
          const id = JSON.parse(text).confirmation_id
          assert.strictEqual((yield* bob.get(`/confirmations/${id}`)).json.requested_as, `key:${keyId}`)
          assert.strictEqual((yield* ada.post(`/confirmations/${id}/confirm`)).status, 409, "her own key")
          yield* end(keyId)
          const refused = yield* bob.post(`/confirmations/${id}/confirm`)
          assert.deepStrictEqual([refused.status, refused.json.message], [
            409,
            "the admin key that it was asked for with is revoked, paused or expired: make a new request"
          ])
          assert.deepStrictEqual(yield* asked.state, before)
          assert.strictEqual((yield* ask).status, 401, "nor does it open anything")
        }))
    }

    it.effect("rows are closed once and never changed", () =>
      Effect.gen(function*() {
        const { sql } = yield* PaymentWorld
        const { ada, bob, id: shown } = yield* waiting("balance.adjust")
        const id = BigInt(shown)
        for (
          const change of [
            sql`UPDATE confirmations SET expires_at = now() + interval '1 year' WHERE id = ${id}`,
            sql`UPDATE confirmations SET asked = '{}' WHERE id = ${id}`,
            sql`UPDATE confirmations SET state = 'confirmed', closed_by = ${ada.id}, closed_at = now() WHERE id = ${id}`,
            sql`DELETE FROM confirmations WHERE id = ${id}`,
            sql`TRUNCATE confirmations`
          ]
        ) assert.strictEqual((yield* Effect.flip(change))._tag, "SqlError")
        yield* bob.post(`/confirmations/${id}/reject`)
        const reopened =
          sql`UPDATE confirmations SET state = 'pending', closed_by = NULL, closed_at = NULL WHERE id = ${id}`
        assert.strictEqual((yield* Effect.flip(reopened))._tag, "SqlError")
        yield* (yield* PaymentWorld).clean
      }))
  })
})
