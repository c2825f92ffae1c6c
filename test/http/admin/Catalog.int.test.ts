/**
 * Models, prices and plans as root manages them in a browser: what is sold and charged changes at once, what was
 * bought does not, bad input and the second of two administrators change nothing, and nobody else finds any of it.
 */
import type { UserId } from "../../../src/domain/Ids.ts"
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { liteLlm } from "../../catalog/PriceSamples.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { modelForm, revisionIn, signIn } from "../../support/RootClient.ts"
import { send } from "../../support/TestHttp.ts"
import { until } from "../../support/Until.ts"
import { countsOfCatalog, namesEach, refusesModels } from "../../support/WrongFields.ts"

const plan = (more: Readonly<Record<string, string>> = {}) => ({
  name: "Pro",
  price: "12.00",
  duration_days: "30",
  limit_5h: "6",
  limit_1d: "",
  limit_7d: "0",
  limit_30d: "80",
  multiplier: "1",
  ...more
})

const BOUNDARY = "----WebKitFormBoundaryq7hJ2vKx0Zs4TnBd"

/** A form with a file, as a browser sends it. */
const upload = (client: ConsoleClient, path: string, file: string, text = "") => {
  const part = (disposition: string, body: string) =>
    `--${BOUNDARY}\r\ncontent-disposition: form-data; ${disposition}\r\n\r\n${body}\r\n`
  const body = [
    part(`name="csrf_token"`, client.token),
    part(`name="file"; filename="p.json"\r\ncontent-type: application/json`, file),
    part(`name="text"`, text),
    `--${BOUNDARY}--\r\n`
  ].join("")
  return client.postText(path, body, { "content-type": `multipart/form-data; boundary=${BOUNDARY}` })
}

/** The audit log has each of the changes of a row, in the name of this administrator. */
const recordsAll = Effect.fnUntraced(function*(rootId: UserId, target: string) {
  const { sql } = yield* ConsoleWorld
  const rows = yield* sql<{ actor: string; action: string }>`SELECT actor, action FROM audit_log
    WHERE target = ${target} ORDER BY id`
  const [kind] = target.split(":")
  assert.deepStrictEqual(
    rows.map(({ action, actor }) => `${actor} ${action}`),
    ["created", "changed", "disabled", "enabled"].map((change) => `user:${rootId} ${kind}.${change}`)
  )
})

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("models and plans", (it) => {
  it.effect("are root's alone", () =>
    Effect.gen(function*() {
      const { client, user, world } = yield* asUser
      yield* client.get("/keys")
      const paths = [
        "/admin/models",
        "/admin/models/new",
        "/admin/models/edit?id=gpt-4o",
        "/admin/models/disable?id=gpt-4o",
        "/admin/models/import",
        "/admin/models/import/1",
        "/admin/plans",
        "/admin/plans/new",
        "/admin/plans/1",
        "/admin/plans/1/disable"
      ]
      for (const path of paths) assert.strictEqual((yield* client.get(path)).status, 404, path)
      const before = yield* countsOfCatalog
      for (const path of ["/admin/models/new", "/admin/models/edit?id=gpt-4o", "/admin/plans/new", "/admin/plans/1"]) {
        assert.strictEqual(
          (yield* client.post(path, { ...modelForm(), ...plan(), id: "x", code: "x" })).status,
          404,
          path
        )
      }
      assert.strictEqual((yield* upload(client, "/admin/models/import", liteLlm)).status, 404)
      const cookie = `realms_session=${yield* world.session(user.id)}`
      for (const path of ["/models", "/plans", "/price-imports/1"]) {
        const answer = yield* send(`${world.origin}/api/admin${path}`, { method: "GET", headers: { cookie } })
        assert.strictEqual(answer.status, 403, path)
      }
      assert.deepStrictEqual(yield* countsOfCatalog, before)
    }))

  it.effect("a model made in the browser is sold at its price, and at its new price from the next call on", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client, root } = yield* signIn
      yield* client.get("/admin/models/new")
      const made = yield* client.post("/admin/models/new", modelForm({ id: "lab/new-1", reasoning: "on" }))
      assert.strictEqual(made.headers.location, "/admin/models/edit?id=lab%2Fnew-1&done=created")
      const shown = yield* client.get("/admin/models/edit?id=lab%2Fnew-1")
      assert.include(shown.text, 'value="2.50"')
      assert.include(shown.text, "No enabled channel serves this model")
      yield* world.sql`INSERT INTO channel_models (channel_id, model_id, upstream_model)
        SELECT id, 'lab/new-1', 'gpt-4o' FROM channels`
      yield* world.sql`SELECT pg_notify('realms', 'channels:test')`

      const buyer = yield* world.user(5_000_000n)
      const key = Redacted.value((yield* world.keys.create({ userId: buyer.id, name: "k" })).key)
      const call = Effect.gen(function*() {
        const answer = yield* send(`${world.origin}/v1/chat/completions`, {
          key,
          body: { model: "lab/new-1", max_tokens: 50, messages: [{ role: "user", content: "Hello" }] }
        })
        assert.strictEqual(answer.status, 200, answer.text)
        const id = String(answer.headers["x-request-id"])
        const receipt = Effect.map(
          world.sql<{ input: bigint; cost: bigint | null }>`
            SELECT input_micros_per_1m AS input, cost_micros AS cost FROM calls WHERE id = ${id}`,
          ([row]) => row
        )
        yield* until("the call is settled", Effect.map(receipt, (row) => typeof row?.cost === "bigint"))
        return (yield* receipt)?.input
      })
      const price = (text: string) =>
        until(
          `the price list says ${text}`,
          Effect.map(client.get("/models"), (answer) =>
            answer.text.slice(answer.text.indexOf("lab/new-1")).split("</tr>")[0]?.includes(text) === true)
        )
      yield* price("$2.50")
      assert.strictEqual(yield* call, 2_500_000n)
      const edit = yield* client.get("/admin/models/edit?id=lab%2Fnew-1")
      assert.include(edit.text, "simulator")
      const saved = yield* client.post("/admin/models/edit?id=lab%2Fnew-1", {
        ...modelForm({ input: "5.000001" }),
        revision: revisionIn(edit.text)
      })
      assert.strictEqual(saved.status, 303, saved.text)
      yield* price("$5.000001")
      assert.strictEqual(yield* call, 5_000_001n)

      const asked = yield* client.get("/admin/models/disable?id=lab%2Fnew-1")
      assert.include(asked.text, "Disable this model?")
      const revision = revisionIn(asked.text)
      const off = yield* client.post("/admin/models/disable?id=lab%2Fnew-1", { revision })
      assert.strictEqual(off.status, 303)
      yield* until(
        "the model is gone",
        Effect.map(client.get("/models"), ({ text }) => !text.includes("lab/new-1"))
      )
      const back = yield* client.get("/admin/models/edit?id=lab%2Fnew-1")
      assert.include(back.text, "Disabled")
      yield* client.post("/admin/models/enable?id=lab%2Fnew-1", { revision: revisionIn(back.text) })
      yield* price("$5.000001")
      yield* recordsAll(root.id, "model:lab/new-1")
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("bad fields of a model are named beside them, and nothing is changed", () =>
    Effect.gen(function*() {
      const { client } = yield* signIn
      yield* refusesModels(client, [
        ...["", "a b", "x".repeat(201), ".."].map((text) => ["id", text] as const),
        ...["", "-1", "free", "1e3", "0.0000001", "100000.000001", "1,5", "９"].map((text) => ["input", text] as const),
        ["output", ""],
        ["output", "-0.01"],
        ["cached_input", "x"],
        ["cache_write", "1000000"],
        ...["", "0", "1.5", "-3", "100000001", "9".repeat(30)].map((text) => ["max_output_tokens", text] as const)
      ])
      const before = yield* countsOfCatalog
      const taken = yield* client.post("/admin/models/new", modelForm({ id: "gpt-4o" }))
      assert.strictEqual(taken.status, 409)
      assert.include(taken.text, "A model with this id already exists.")
      // What config.yaml declares has no form, and takes none.
      const declared = yield* client.get("/admin/models/edit?id=gpt-4o")
      assert.include(declared.text, "managed in config.yaml")
      assert.notInclude(declared.text, 'name="input"')
      const forced = yield* client.post("/admin/models/edit?id=gpt-4o", { ...modelForm(), revision: "1" })
      assert.strictEqual(forced.status, 409)
      assert.strictEqual((yield* client.get("/admin/models/disable?id=gpt-4o")).status, 303)
      assert.strictEqual((yield* client.post("/admin/models/disable?id=gpt-4o", { revision: "1" })).status, 409)
      assert.strictEqual((yield* client.get("/admin/models/edit?id=nothing")).status, 404)
      assert.strictEqual((yield* client.post("/admin/models/edit?id=nothing", modelForm())).status, 404)
      assert.deepStrictEqual(yield* countsOfCatalog, before)
      const found = yield* client.get("/admin/models?q=O4&state=enabled")
      assert.include(found.text, "o4-mini")
      assert.notInclude(found.text, "gpt-4o-mini")
    }))

  it.effect("the second of two administrators sees both versions, and decides", () =>
    Effect.gen(function*() {
      const ada = (yield* signIn).client
      const bob = (yield* signIn).client
      yield* ada.get("/admin/models/new")
      yield* ada.post("/admin/models/new", modelForm({ id: "shared" }))
      const path = "/admin/models/edit?id=shared"
      const revision = revisionIn((yield* ada.get(path)).text)
      yield* bob.get(path)
      assert.strictEqual((yield* ada.post(path, { ...modelForm({ input: "3" }), revision })).status, 303)
      const told = yield* bob.post(path, { ...modelForm({ input: "4" }), revision })
      assert.strictEqual(told.status, 409)
      assert.include(told.text, "Somebody else has changed this in the meantime")
      assert.include(told.text, "$3.00", "what it is now")
      assert.include(told.text, 'value="4"', "what was typed")
      assert.include((yield* ada.get(path)).text, 'value="3.00"')
      // A mistake on the way does not make the old revision good.
      const wrong = yield* bob.post(path, { ...modelForm({ input: "-4" }), revision })
      assert.strictEqual(revisionIn(wrong.text), revision)
      assert.strictEqual((yield* bob.post(path, { ...modelForm({ input: "4" }), revision })).status, 409)
      const decided = yield* bob.post(path, { ...modelForm({ input: "4" }), revision: revisionIn(told.text) })
      assert.strictEqual(decided.status, 303)
      assert.strictEqual((yield* ada.post("/admin/models/disable?id=shared", { revision })).status, 409)
    }))

  it.effect("a file of prices is looked at and applied by choice; what cannot be read is refused", () =>
    Effect.gen(function*() {
      const { client } = yield* signIn
      const { sql } = yield* ConsoleWorld
      yield* client.get("/admin/models/import")
      const before = yield* countsOfCatalog
      const bad: ReadonlyArray<readonly [file: string, text: string, status: number, says: string]> = [
        ["", "", 422, "Choose a file or paste its text."],
        ["{}", "{}", 422, "not both"],
        ["prices", "", 422, "Not valid JSON."],
        ["", `{"a":1}`, 422, "no prices in a known format"],
        [" ".repeat(9_000_000), "", 413, "too large to be sent"]
      ]
      for (const [file, text, status, says] of bad) {
        const refused = yield* upload(client, "/admin/models/import", file, text)
        assert.strictEqual(refused.status, status, says)
        assert.include(refused.text, says)
      }
      const foreign = new ConsoleClient((yield* ConsoleWorld).origin, {
        session: client.cookies.get("realms_session") ?? ""
      })
      assert.strictEqual((yield* upload(foreign, "/admin/models/import", liteLlm)).status, 403)
      assert.strictEqual((yield* client.post("/admin/models/import", { text: liteLlm })).status, 415)

      const read = yield* upload(client, "/admin/models/import", liteLlm)
      assert.strictEqual(read.status, 303, read.text)
      const path = String(read.headers.location)
      assert.deepStrictEqual(yield* countsOfCatalog, before)
      const fresh = yield* client.get(path)
      assert.include(fresh.text, "anthropic/claude-sonnet-4.5")
      assert.include(fresh.text, "$0.300001")
      assert.include(fresh.text, "rounded up")
      assert.include(fresh.text, "input $6.00, output $15.00, cached input $0.300001, cache write $3.75")
      assert.include(fresh.text, "2 entries were skipped")
      const declared = yield* client.get(`${path}?state=declared`)
      assert.include(declared.text, "gpt-4o-mini")
      assert.notInclude(declared.text, 'name="offers"')
      const ticks = [...fresh.text.matchAll(/name="offers" value="([\d:]+)"/g)].map(([, value]) => value ?? "")
      assert.deepStrictEqual(ticks, ["2:0", "3:0", "4:0"])
      assert.include((yield* client.get(`${path}?tick=all`)).text, "checked")
      for (const offers of ["", "x", "0:1", "2:1"]) {
        const refused = yield* client.post(path, offers === "" ? {} : { offers })
        assert.isTrue(refused.status === 422 || refused.status === 409, offers)
      }
      assert.deepStrictEqual(yield* countsOfCatalog, before)
      const applied = yield* client.post(path, { offers: "2:0" })
      assert.strictEqual(applied.headers.location, "/admin/models?done=imported&created=1&changed=0")
      assert.include((yield* client.get(String(applied.headers.location))).text, "1 new, 0 changed")
      const [row] = yield* sql<{ cached: bigint }>`SELECT cached_input_micros_per_1m AS cached FROM models
        WHERE id = 'anthropic/claude-sonnet-4.5'`
      assert.strictEqual(row?.cached, 300_001n)
      // Somebody edits it between the next preview and its application.
      yield* client.get("/admin/models/import")
      const again = yield* upload(client, "/admin/models/import", "", liteLlm.replace("1.5e-05", "1.6e-05"))
      const second = String(again.headers.location)
      const preview = yield* client.get(second)
      assert.match(preview.text, /<del[^>]*>\$15\.00<\/del>/)
      const tick = /name="offers" value="([\d:]+)"/.exec(preview.text)?.[1] ?? ""
      const edit = yield* client.get("/admin/models/edit?id=anthropic%2Fclaude-sonnet-4.5")
      yield* client.post("/admin/models/edit?id=anthropic%2Fclaude-sonnet-4.5", {
        ...modelForm({ output: "14" }),
        revision: revisionIn(edit.text)
      })
      const told = yield* client.post(second, { offers: tick })
      assert.strictEqual(told.status, 409)
      assert.include(told.text, "since this preview, so nothing was applied")
      assert.match(told.text, /<del[^>]*>\$14\.00<\/del>/, "what is there now")
      assert.notInclude(told.text, "checked")
      assert.strictEqual((yield* client.get("/admin/models/import/999999")).status, 404)
    }))

  it.effect("a plan made in the browser is for sale; what was ordered and bought keeps its terms", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client, root } = yield* signIn
      yield* client.get("/admin/plans/new")
      const before = yield* countsOfCatalog
      const table: ReadonlyArray<readonly [field: string, text: string]> = [
        ["code", ""],
        ["code", "Pro"],
        ["code", "a".repeat(41)],
        ["name", " "],
        ["name", "x".repeat(101)],
        ["price", ""],
        ["price", "-1"],
        ["price", "1.001"],
        ["price", "1000000.01"],
        ["duration_days", "0"],
        ["duration_days", "1.5"],
        ["limit_5h", "-1"],
        ["limit_30d", "lots"],
        ["multiplier", "1001"],
        ["multiplier", ""]
      ]
      yield* namesEach(table, (wrong) => client.post("/admin/plans/new", plan({ code: "good", ...wrong })))
      assert.strictEqual((yield* client.post("/admin/plans/new", plan({ code: "basic" }))).status, 409)
      assert.deepStrictEqual(yield* countsOfCatalog, before)
      const made = yield* client.post("/admin/plans/new", plan({ code: "pro-2" }))
      const path = String(made.headers.location).split("?")[0] ?? ""
      assert.match(path, /^\/admin\/plans\/\d+$/)
      assert.include((yield* client.get("/subscription")).text, "Pro")

      const buyer = yield* world.user(0n)
      const order = yield* world.orders.subscription(buyer.id, "pro-2")
      const waiting = yield* world.orders.subscription((yield* world.user(0n)).id, "pro-2")
      const shopper = yield* world.signedIn(buyer.id)
      yield* shopper.get(`/pay/subscription/${order.id}`)
      const went = yield* shopper.post(`/pay/subscription/${order.id}/start`, { provider: "stripe" })
      assert.strictEqual(went.status, 303)
      const session = world.stripe.sessionIds().at(-1) ?? ""

      const seen = yield* client.get(path)
      const changed = yield* client.post(path, {
        ...plan({ name: "Pro+", price: "99", limit_5h: "1", multiplier: "3", duration_days: "7" }),
        revision: revisionIn(seen.text)
      })
      assert.strictEqual(changed.status, 303, changed.text)
      const stale = yield* client.post(path, { ...plan({ name: "Other" }), revision: revisionIn(seen.text) })
      assert.strictEqual(stale.status, 409)
      assert.include(stale.text, "Somebody else has changed this in the meantime")
      assert.include(stale.text, "¥99.00")
      assert.include(stale.text, 'value="Other"')

      world.stripe.pay(session)
      const bought = Effect.map(
        world.sql<Record<string, unknown>>`SELECT plan_name, limit_5h_micros, limit_30d_micros, multiplier_micros,
          extract(day FROM ends_at - starts_at)::integer AS days FROM user_subscriptions WHERE user_id = ${buyer.id}`,
        ([row]) => row
      )
      yield* until("it is paid", Effect.map(bought, (row) => row !== undefined))
      const terms = {
        plan_name: "Pro",
        limit_5h_micros: 6_000_000n,
        limit_30d_micros: 80_000_000n,
        multiplier_micros: 1_000_000n,
        days: 30
      }
      assert.deepStrictEqual(yield* bought, terms)
      const shown = yield* client.get(path)
      const figures = [...shown.text.matchAll(/figure-value">(\d+)</g)].map(([, figure]) => figure)
      assert.deepStrictEqual(figures, ["1", "1"], "a subscription, and the order that waits")

      const asked = yield* client.get(`${path}/disable`)
      assert.strictEqual((yield* client.post(`${path}/disable`, { revision: revisionIn(asked.text) })).status, 303)
      assert.notInclude((yield* client.get("/subscription")).text, "Pro+")
      assert.deepStrictEqual(yield* bought, terms)
      assert.strictEqual((yield* world.orders.show(waiting.id, undefined)).order.state, "pending")
      const off = yield* client.get(path)
      assert.strictEqual((yield* client.post(`${path}/enable`, { revision: revisionIn(off.text) })).status, 303)
      assert.include((yield* client.get("/admin/plans")).text, "config.yaml")
      yield* recordsAll(root.id, path.replace("/admin/plans/", "plan:"))
      assert.deepStrictEqual(yield* world.problems, [])
    }))
})
