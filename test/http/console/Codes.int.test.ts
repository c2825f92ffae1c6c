/**
 * Redemption codes over HTTP: root makes a batch, downloads it and disables it; users redeem on either page; programs do the same
 * by the API; and no page but the download has a code in full.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import type { UserId } from "../../../src/domain/Ids.ts"
import type { ConsoleClient } from "../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"
import { send } from "../../support/TestHttp.ts"

const locationOf = (answer: { readonly headers: { readonly location?: string | undefined } }): string =>
  answer.headers.location ?? ""

const asRoot = Effect.tap(signedInRoot, ({ client }) => client.get("/admin/codes/new"))

const fields = {
  key: "key-of-a-test",
  name: "Spring",
  note: "",
  gives: "balance",
  amount: "2.50",
  codes: "2",
  uses: "1",
  expiry: ""
}

/** Makes a batch; answers its path and its codes. */
const makeBatch = (client: ConsoleClient, more: Partial<typeof fields>) =>
  Effect.gen(function*() {
    const made = yield* client.post("/admin/codes/new", { ...fields, key: randomUUID(), ...more })
    assert.strictEqual(made.status, 303)
    const path = locationOf(made).replace("?done=created", "")
    const file = yield* client.post(`${path}/csv`, {})
    return { path, file, codes: Array.from(file.text.matchAll(/^RLM-[\dA-Z-]+/gm), ([code]) => code) }
  })

const balanceOf = (userId: UserId) =>
  Effect.gen(function*() {
    const { sql } = yield* ConsoleWorld
    const [row] = yield* Effect.orDie(
      sql<{ usd_micros: bigint }>`SELECT usd_micros FROM user_balances WHERE user_id = ${userId}`
    )
    return row?.usd_micros
  })

layer(ConsoleWorld.layerOf(), { excludeTestServices: true })("redemption codes in the console", (it) => {
  it.effect("are made, downloaded, redeemed and disabled, and shown in full by the download alone", () =>
    Effect.gen(function*() {
      const { client: root, world } = yield* asRoot
      const { client, user } = yield* asUser
      const { codes, file, path } = yield* makeBatch(root, { name: "=1+1", codes: "3" })
      const [first = "", second = "", third = ""] = codes
      assert.strictEqual(codes.length, 3)
      assert.strictEqual(file.headers["content-type"], "text/csv; charset=utf-8")
      assert.match(String(file.headers["content-disposition"]), /^attachment; filename="realms-codes-\d+\.csv"$/)
      assert.include(file.text, ",'=1+1,2.50,,active,0,1,\r\n", "no formula")

      const page = yield* client.get("/topup")
      assert.include(page.text, "Redeem a code")
      for (const [typed, says] of [["", "Enter a code."], ["RLM-00000-00000-00000-00000", "no such code"]] as const) {
        const refused = yield* client.post("/topup/redeem", { code: typed })
        assert.strictEqual(refused.status, 422)
        assert.include(refused.text, says)
      }
      const redeemed = yield* client.post("/topup/redeem", { code: ` ${first.toLowerCase().replaceAll("-", " ")}` })
      assert.strictEqual(redeemed.status, 303)
      assert.match(locationOf(redeemed), /^\/topup\?redeemed=\d+$/)
      const shown = yield* client.get(locationOf(redeemed))
      assert.include(shown.text, "Redeemed: $2.50 has been added")
      assert.strictEqual(yield* balanceOf(user.id), 2_500_000n)
      assert.include(
        (yield* client.post("/topup/redeem", { code: first })).text,
        "You have redeemed this code already."
      )
      // What an address says is no news of somebody else's code.
      const stranger = (yield* asUser).client
      assert.notInclude((yield* stranger.get(locationOf(redeemed))).text, "Redeemed:")
      assert.include((yield* stranger.post("/topup/redeem", { code: first })).text, "has been used already")

      const batch = yield* root.get(path)
      assert.include(batch.text, user.email)
      assert.include(batch.text, "1 of 3")
      const codeId = /codes\/\d+\/codes\/(\d+)\/disable/.exec(batch.text)?.[1] ?? ""
      const ask = yield* root.get(`${path}/codes/${codeId}/disable`)
      assert.include(ask.text, "Disable this code?")
      assert.strictEqual((yield* root.post(`${path}/codes/${codeId}/disable`, {})).status, 303)
      assert.strictEqual((yield* client.post("/topup/redeem", { code: third })).status, 422)
      const question = yield* root.get(`${path}/disable`)
      const revision = /name="revision" value="(\d+)"/.exec(question.text)?.[1] ?? ""
      assert.strictEqual((yield* root.post(`${path}/disable`, { revision })).status, 303)
      assert.include((yield* client.post("/topup/redeem", { code: second })).text, "no such code")
      const conflict = yield* root.post(`${path}/enable`, { revision })
      assert.strictEqual(conflict.status, 409)
      assert.include(conflict.text, "Somebody else changed this batch in the meantime")
      assert.include((yield* root.get("/admin/codes?state=disabled")).text, "=1+1")
      assert.notInclude((yield* root.get("/admin/codes?state=active")).text, "=1+1")

      const pages = [
        batch,
        ask,
        question,
        conflict,
        yield* root.get("/admin/codes"),
        yield* root.get("/admin/audit"),
        shown
      ]
      for (const { text } of pages) {
        for (const code of codes) assert.notInclude(text, code.slice(4))
      }
      const log = yield* world.sql<{ action: string; log: string; actor: string }>`
        SELECT action, actor, l::text AS log FROM audit_log l WHERE target LIKE 'redemption%' ORDER BY id`
      assert.deepStrictEqual(log.map(({ action }) => action), [
        "redemption_batch.created",
        "redemption_batch.exported",
        "redemption_code.disabled",
        "redemption_batch.disabled"
      ])
      for (const code of codes) assert.isFalse(log.some((entry) => entry.log.includes(code.slice(4))))
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("give a plan on either page, once to each of many users", () =>
    Effect.gen(function*() {
      const { client: root, world } = yield* asRoot
      const { codes: [code = ""] } = yield* makeBatch(root, { gives: "plan:basic", amount: "", codes: "1", uses: "2" })
      for (const page of ["/subscription", "/topup"]) {
        const { client } = yield* asUser
        yield* client.get(page)
        const redeemed = yield* client.post(`${page}/redeem`, { code })
        assert.strictEqual(redeemed.status, 303)
        assert.match((yield* client.get(locationOf(redeemed))).text, /Redeemed: you have the plan “Basic” for 30 days/)
        assert.include((yield* client.get("/subscription")).text, "Running")
      }
      const { client } = yield* asUser
      yield* client.get("/subscription")
      const late = yield* client.post("/subscription/redeem", { code })
      assert.strictEqual(late.status, 422)
      assert.include(late.text, "has been used already")
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("are not made of bad input, and nobody but root has the pages", () =>
    Effect.gen(function*() {
      const { client: root, world } = yield* asRoot
      const count = Effect.map(
        Effect.orDie(world.sql<{ count: bigint }>`SELECT count(*) FROM redemption_batches`),
        ([row]) => row?.count
      )
      const before = yield* count
      const bad: ReadonlyArray<readonly [more: Partial<typeof fields>, problem: string]> = [
        [{ name: "" }, "field-name-problem"],
        [{ amount: "0" }, "field-amount-problem"],
        [{ amount: "-5" }, "field-amount-problem"],
        [{ amount: "1.0000001" }, "field-amount-problem"],
        [{ amount: "10000.01" }, "field-amount-problem"],
        [{ gives: "plan:none" }, "field-gives-problem"],
        [{ gives: "" }, "field-gives-problem"],
        [{ codes: "1001" }, "field-codes-problem"],
        [{ codes: "1e2" }, "field-codes-problem"],
        [{ uses: "0" }, "field-uses-problem"],
        [{ expiry: "2020-01-01" }, "field-expiry-problem"],
        [{ expiry: "2099-02-30" }, "field-expiry-problem"]
      ]
      for (const [more, problem] of bad) {
        const refused = yield* root.post("/admin/codes/new", { ...fields, ...more })
        assert.strictEqual(refused.status, 422, problem)
        assert.include(refused.text, `id="${problem}"`)
        assert.strictEqual(refused.text.match(/id="field-\w+-problem"/g)?.length, 1, "and nothing else")
      }
      assert.strictEqual(yield* count, before)
      const { client } = yield* asUser
      yield* client.get("/topup")
      for (const path of ["/admin/codes", "/admin/codes/new", "/admin/codes/1"]) {
        assert.strictEqual((yield* client.get(path)).status, 404, path)
      }
      assert.strictEqual((yield* client.post("/admin/codes/new", fields)).status, 404)
      assert.strictEqual((yield* client.post("/admin/codes/1/csv", {})).status, 404)
      assert.strictEqual((yield* root.get("/admin/codes/999999")).status, 404)
    }))

  it.effect("are made once by a double click, and by another form once more", () =>
    Effect.gen(function*() {
      const { client: root, world } = yield* asRoot
      const keyOf = ({ text }: { readonly text: string }) => /name="key" value="([^"]+)"/.exec(text)?.[1] ?? ""
      const form = { ...fields, name: `double ${randomUUID()}`, key: keyOf(yield* root.get("/admin/codes/new")) }
      assert.isAbove(form.key.length, 8)
      const answers = yield* Effect.all(
        Array.from({ length: 5 }, () => root.post("/admin/codes/new", form)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(answers.map(locationOf)).size, 1)
      assert.match(locationOf(answers[0] ?? { headers: {} }), /^\/admin\/codes\/\d+\?done=created$/)
      const made = world.sql`SELECT id FROM redemption_batches WHERE name = ${form.name}`
      assert.strictEqual((yield* made).length, 1)
      // With other values, or somebody else's, it is no repetition.
      const other = yield* root.post("/admin/codes/new", { ...form, amount: "3" })
      assert.strictEqual(other.status, 409)
      assert.include(other.text, "already sent with other values")
      assert.notStrictEqual(keyOf(other), form.key)
      const { client: second } = yield* asRoot
      assert.strictEqual((yield* second.post("/admin/codes/new", form)).status, 409)
      assert.strictEqual((yield* root.post("/admin/codes/new", { ...form, key: "" })).status, 422)
      assert.strictEqual((yield* made).length, 1)
      yield* root.post("/admin/codes/new", { ...form, key: keyOf(other) })
      assert.strictEqual((yield* made).length, 2)
    }))

  it.effect("are edited as somebody has seen them, in what may change of a batch", () =>
    Effect.gen(function*() {
      const { client: root, world } = yield* asRoot
      const { path, codes: [code = ""] } = yield* makeBatch(root, { codes: "1", expiry: "2099-12-31" })
      const form = yield* root.get(`${path}/edit`)
      assert.include(form.text, 'value="2099-12-31"')
      const revision = /name="revision" value="(\d+)"/.exec(form.text)?.[1] ?? ""
      const edit = {
        revision,
        name: "Summer",
        note: "moved",
        expiry: "2099-12-31",
        amount: "100",
        codes: "9",
        uses: "9"
      }
      for (
        const [more, problem] of [
          [{ name: " " }, "field-name-problem"],
          [{ expiry: "2020-01-01" }, "field-expiry-problem"],
          [{ expiry: "soon" }, "field-expiry-problem"]
        ] as const
      ) {
        const refused = yield* root.post(`${path}/edit`, { ...edit, ...more })
        assert.strictEqual(refused.status, 422)
        assert.include(refused.text, `id="${problem}"`)
      }
      const [before] = yield* world.sql<{ expires_at: Date }>`
        SELECT expires_at FROM redemption_batches WHERE id = ${path.slice("/admin/codes/".length)}`
      assert.strictEqual(locationOf(yield* root.post(`${path}/edit`, edit)), `${path}?done=changed`)
      // The same again changes nothing, and another change on the old revision is refused.
      assert.strictEqual((yield* root.post(`${path}/edit`, edit)).status, 303)
      const conflict = yield* root.post(`${path}/edit`, { ...edit, name: "Autumn" })
      assert.strictEqual(conflict.status, 409)
      assert.include(conflict.text, "Somebody else changed this batch")
      const [row] = yield* world.sql`SELECT name, note, usd_micros, codes, uses_max, expires_at
        FROM redemption_batches WHERE id = ${path.slice("/admin/codes/".length)}`
      assert.deepStrictEqual(row, {
        name: "Summer",
        note: "moved",
        usd_micros: 2_500_000n,
        codes: 1,
        uses_max: 1,
        expires_at: before?.expires_at
      })
      const log = yield* world.sql`SELECT before, after FROM audit_log WHERE action = 'redemption_batch.edited'
        AND target = ${`redemption_batch:${path.slice("/admin/codes/".length)}`}`
      assert.deepStrictEqual(log, [{ before: { name: "Spring", note: "" }, after: { name: "Summer", note: "moved" } }])
      const { client } = yield* asUser
      yield* client.get("/topup")
      assert.strictEqual((yield* client.post("/topup/redeem", { code })).status, 303)
      assert.strictEqual((yield* client.get(`${path}/edit`)).status, 404)
      assert.strictEqual((yield* client.post(`${path}/edit`, edit)).status, 404)
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("cannot be guessed for long", () =>
    Effect.gen(function*() {
      const { client } = yield* asUser
      yield* client.get("/topup")
      let status = 422
      for (let tries = 0; status === 422 && tries < 60; tries++) {
        status = (yield* client.post("/topup/redeem", { code: `RLM-00000-00000-00000-${10_000 + tries}` })).status
      }
      assert.strictEqual(status, 429)
    }))

  it.effect("are run by programs through the same use cases", () =>
    Effect.gen(function*() {
      const { client: root, world } = yield* asRoot
      const cookie = `realms_session=${root.cookies.get("realms_session")}`
      const me = JSON.parse((yield* send(`${world.origin}/api/admin/me`, { method: "GET", headers: { cookie } })).text)
      const headers = { cookie, "x-csrf-token": String(me.csrf_token) }
      const api = (method: "GET" | "POST" | "PUT", path: string, body?: object) =>
        Effect.map(
          send(`${world.origin}/api/admin/redemption-batches${path}`, { method, headers, body }),
          ({ status, text }) => ({ status, text, json: text === "" ? {} : JSON.parse(text) })
        )
      for (
        const [body, field] of [
          [{ name: "api", codes: 1 }, "usd_micros"],
          [{ name: "api", codes: 1, usd_micros: "5", plan_code: "basic" }, "usd_micros"],
          [{ name: "api", codes: 1, usd_micros: "-5" }, "usd_micros"],
          [{ name: "api", codes: 1, plan_code: "none" }, "plan_code"],
          [{ name: "api", codes: 1, usd_micros: "5", expires_at: "soon" }, "expires_at"]
        ] as const
      ) {
        const refused = yield* api("POST", "", body)
        assert.strictEqual(refused.status, 422, refused.text)
        assert.deepStrictEqual(Object.keys(refused.json.problems), [field])
      }
      const made = yield* api("POST", "", { name: "api", codes: 2, usd_micros: "1000000", uses_max: 3 })
      assert.strictEqual(made.status, 201)
      assert.deepInclude(made.json, { usd_micros: "1000000", plan: null, codes: 2, uses_max: 3, state: "active" })
      const path = `/${made.json.id}`
      const exported = yield* api("POST", `${path}/export`)
      assert.match(exported.json.items[0].code, /^RLM(-[\dA-Z]{5}){4}$/)
      const { client, user } = yield* asUser
      yield* client.get("/topup")
      assert.strictEqual((yield* client.post("/topup/redeem", { code: exported.json.items[0].code })).status, 303)
      const redemptions = (yield* api("GET", `${path}/redemptions`)).json.items
      assert.deepInclude(redemptions[0], { user_id: user.id.toString(), email: user.email })
      const codes = yield* api("GET", `${path}/codes?limit=1`)
      assert.strictEqual(codes.json.items.length, 1)
      assert.notInclude(codes.text, "RLM-")
      assert.strictEqual((yield* api("POST", `${path}/codes/${codes.json.items[0].id}/disable`)).status, 204)
      const disabled = yield* api("POST", `${path}/disable`, { revision: made.json.revision })
      assert.deepInclude(disabled.json, { state: "disabled" })
      assert.strictEqual((yield* api("POST", `${path}/enable`, { revision: made.json.revision })).status, 409)
      assert.strictEqual((yield* api("POST", `${path}/enable`, { revision: disabled.json.revision })).status, 200)
      assert.strictEqual((yield* api("GET", `?state=active&limit=1`)).json.items[0].id, made.json.id)
      const keyed = { name: "keyed", codes: 1, usd_micros: "5", idempotency_key: "program-1" }
      const [once, twice] = [yield* api("POST", "", keyed), yield* api("POST", "", keyed)]
      assert.deepStrictEqual(twice.json, once.json)
      assert.strictEqual((yield* api("POST", "", { ...keyed, codes: 2 })).status, 409)
      assert.strictEqual((yield* api("POST", "", { ...keyed, idempotency_key: "x" })).status, 422)
      const { revision } = once.json
      const edit = { revision, name: "renamed", note: "", expires_at: "2099-01-01T00:00:00Z" }
      const edited = yield* api("PUT", `/${once.json.id}`, edit)
      assert.deepInclude(edited.json, { name: "renamed", expires_at: "2099-01-01T00:00:00.000Z" })
      assert.strictEqual((yield* api("PUT", `/${once.json.id}`, { ...edit, name: "again" })).status, 409)
      assert.strictEqual(
        (yield* api("PUT", `/${once.json.id}`, { ...edit, expires_at: "2020-01-01T00:00:00Z" })).status,
        422
      )
      for (const gone of ["/999999", "/999999/codes", "/999999/redemptions"]) {
        assert.strictEqual((yield* api("GET", gone)).status, 404, gone)
      }
      assert.strictEqual((yield* api("POST", "/999999/export")).status, 404)
      assert.deepStrictEqual(yield* world.problems, [])
    }))
})
