/**
 * Who gets into the administration's API: each kind of visitor at its door, and what a key can do there.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { createHash } from "node:crypto"
import { rootProgram } from "../../support/AdminClient.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { send } from "../../support/TestHttp.ts"

const json = { "content-type": "application/json" }

describe("the administration's API", () => {
  layer(ConsoleWorld.layerOf(), { timeout: 60_000 })((it) => {
    it.effect("lets administrators in, and nobody else", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const root = yield* world.root
        const user = yield* world.user(0n)
        const key = Redacted.value((yield* world.keys.create({ userId: root.id, name: "calls" })).key)
        const ask = (headers: Readonly<Record<string, string>>) =>
          Effect.map(send(`${world.origin}/api/admin/me`, { method: "GET", headers }), ({ status, text }) => ({
            status,
            tag: JSON.parse(text)._tag
          }))
        const cookie = (token: string) => ({ cookie: `realms_session=${token}` })
        const rootCookie = cookie(yield* world.session(root.id))
        assert.deepStrictEqual(yield* ask({}), { status: 401, tag: "Unauthorized" })
        assert.deepStrictEqual(yield* ask({ authorization: "Bearer sk-admin-nobody" }), {
          status: 401,
          tag: "Unauthorized"
        })
        assert.deepStrictEqual(yield* ask({ authorization: "Basic abc", ...rootCookie }), {
          status: 401,
          tag: "Unauthorized"
        })
        assert.deepStrictEqual(yield* ask({ authorization: `Bearer ${key}` }), { status: 403, tag: "Forbidden" })
        assert.deepStrictEqual(yield* ask(cookie(yield* world.session(user.id))), { status: 403, tag: "Forbidden" })
        assert.strictEqual((yield* ask(rootCookie)).status, 200)
      }))

    it.effect("makes keys that work until they are revoked, and pay for no call", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const root = yield* world.root
        const cookie = `realms_session=${yield* world.session(root.id)}`
        const post = (path: string, body: string, headers: Readonly<Record<string, string>>) =>
          send(`${world.origin}/api/admin${path}`, { method: "POST", body, headers: { ...json, ...headers } })
        const me = JSON.parse(
          (yield* send(`${world.origin}/api/admin/me`, { method: "GET", headers: { cookie } })).text
        )
        const asRoot = { cookie, "x-csrf-token": me.csrf_token }

        assert.strictEqual((yield* post("/keys", `{"name":"deploy"}`, { cookie })).status, 403)
        assert.strictEqual((yield* post("/keys", `{"name":" "}`, asRoot)).status, 422)
        const unreadable = yield* post("/keys", `{"name":7}`, asRoot)
        assert.strictEqual(unreadable.status, 400)
        assert.deepInclude(JSON.parse(unreadable.text), { _tag: "BadRequest" })

        const large = yield* post("/keys", `{"name":"${"x".repeat(11_000_000)}"}`, asRoot)
        assert.isAtLeast(large.status, 400)
        assert.isBelow(large.status, 500)

        const made = yield* post("/keys", `{"name":"deploy"}`, asRoot)
        assert.strictEqual(made.status, 201)
        const { id, key } = JSON.parse(made.text)
        const byKey = { authorization: `Bearer ${key}` }
        const list = yield* send(`${world.origin}/api/admin/keys`, { method: "GET", headers: byKey })
        assert.strictEqual(list.status, 200)
        assert.notInclude(list.text, key)
        const call = yield* send(`${world.origin}/v1/models`, { method: "GET", headers: byKey })
        assert.strictEqual(call.status, 401)
        const own = yield* (yield* world.signedIn(root.id)).get("/keys")
        assert.notInclude(own.text, "deploy")

        assert.strictEqual((yield* post(`/keys/${id}/revoke`, "", byKey)).status, 204)
        assert.strictEqual((yield* post(`/keys/${id}/revoke`, "", byKey)).status, 401)
        const rows = yield* world.sql<{ actor: string; action: string; after: unknown }>`
          SELECT actor, action, after FROM audit_log WHERE target = ${`admin_key:${id}`} ORDER BY id`
        assert.deepStrictEqual(rows.map(({ action, actor }) => [actor, action]), [
          [`user:${root.id}`, "admin_key.created"],
          [`key:${id}`, "admin_key.revoked"]
        ])
        assert.notInclude(JSON.stringify(rows), key)
      }))

    it.effect("lets a session give access to itself only for ten minutes, and a key always", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const { sql } = world
        const { ask, patch, post, root } = yield* rootProgram
        const made = yield* post("/keys", { name: "program" })
        const other = yield* world.root
        const disabled = yield* world.root
        const user = yield* world.user(0n)
        const email = (name: string) => ({ email: `${name}@staff.example.com`, role: "finance" })
        yield* sql`UPDATE users SET disabled_at = now() WHERE id = ${disabled.id}`
        const staffActions = [
          ["/keys", { name: "second" }],
          ["/users", email("thief")],
          [`/users/${user.id}/role`, { role: "root" }],
          [`/users/${other.id}/role`, { role: "user" }],
          [`/users/${other.id}/password_link`, ""],
          [`/users/${root.id}/password_link`, ""],
          [`/users/${disabled.id}/enable`, ""],
          [`/users/${other.id}/second_factor/reset`, ""]
        ] as const
        const rows = sql`SELECT (SELECT jsonb_agg(u ORDER BY id) FROM users u) AS users,
          (SELECT count(*) FROM api_keys) AS keys, (SELECT count(*) FROM password_links) AS links`
        const before = yield* rows
        yield* sql`UPDATE sessions SET created_at = now() - interval '10 minutes' WHERE user_id = ${root.id}`
        for (const [path, body] of staffActions) {
          const { json, status } = yield* post(path, body)
          assert.deepStrictEqual([status, json._tag], [403, "Forbidden"], path)
          assert.include(json.message, "10 minutes", path)
        }
        const guardedSettings = [
          ["smtp.host", "smtp.port", "server.public_url", "security.second_factor"],
          ["enabled", "gateway", "partner_id", "key"].map((name) => `payment.epay.${name}`),
          ["enabled", "secret_key", "webhook_secret", "api_base"].map((name) => `payment.stripe.${name}`),
          ["issuer", "client_id", "client_secret"].map((name) => `sign_in.oidc.${name}`),
          ["url", "client_id", "client_secret"].map((name) => `sign_in.github.${name}`)
        ]
        for (const key of guardedSettings.flat()) {
          for (const change of [{ set: { [key]: "" } }, { reset: [key] }]) {
            assert.strictEqual((yield* patch("/settings", change)).status, 403, key)
          }
        }
        assert.strictEqual((yield* patch("/settings", { set: { "site.name": "Ours" } })).status, 200)
        assert.deepStrictEqual(yield* rows, before)
        // What lets nobody into the administration is done as before.
        assert.strictEqual((yield* post(`/users/${user.id}/password_link`)).status, 201)
        assert.strictEqual((yield* post("/users", { email: "plain@example.com" })).status, 201)
        assert.strictEqual((yield* post(`/users/${other.id}/disable`)).status, 200)

        const headers = { cookie: "", "x-csrf-token": "", authorization: `Bearer ${made.json.key}` }
        const byKey = yield* ask("POST", `/users/${other.id}/enable`, "", headers)
        assert.strictEqual(byKey.status, 200)
        assert.strictEqual((yield* ask("POST", "/users", email("made"), headers)).status, 201)
        yield* sql`UPDATE sessions SET created_at = now() - interval '9 minutes' WHERE user_id = ${root.id}`
        assert.strictEqual((yield* post(`/users/${user.id}/role`, { role: "support" })).json.role, "support")
      }))

    it.effect("describes itself, with nothing from elsewhere", () =>
      Effect.gen(function*() {
        const { origin } = yield* ConsoleWorld
        const document = yield* send(`${origin}/api/openapi.json`, { method: "GET" })
        assert.strictEqual(document.status, 200)
        assert.property(JSON.parse(document.text).paths, "/api/admin/keys")
        const docs = yield* send(`${origin}/api/docs`, { method: "GET" })
        assert.strictEqual(docs.status, 200)
        assert.notMatch(docs.text.slice(0, 2_000), /src="https?:/)
        const policy = docs.headers["content-security-policy"] ?? ""
        for (const part of ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "connect-src 'self'"]) {
          assert.include(policy, part)
        }
        assert.notMatch(policy, /unsafe-|https?:|\*/)
        const [, script = ""] = /<script>([\s\S]*?)<\/script>/.exec(docs.text) ?? []
        assert.isAbove(script.length, 0)
        const digest = createHash("sha256").update(script).digest("base64")
        assert.include(policy, `script-src 'self' 'sha256-${digest}';`)
        const again = yield* send(`${origin}/api/docs`, { method: "GET" })
        assert.deepStrictEqual([again.text === docs.text, again.headers["content-security-policy"]], [true, policy])
      }))

    it.effect("is kept by no cache, answered or refused", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const root = yield* world.root
        const cookie = { cookie: `realms_session=${yield* world.session(root.id)}` }
        const key = Redacted.value((yield* world.keys.create({ userId: root.id, name: "reads" })).key)
        const bearer = { authorization: `Bearer ${key}` }
        const table: ReadonlyArray<readonly [path: string, status: number, headers: Record<string, string>]> = [
          ["/v1/models", 200, bearer],
          ["/v1/usage/00000000-0000-0000-0000-000000000000", 404, bearer],
          ["/api/admin/me", 200, cookie],
          ["/api/admin/settings", 200, cookie],
          ["/api/admin/users", 200, cookie],
          ["/api/admin/users/999999", 404, cookie],
          ["/api/admin/users/x", 400, cookie],
          ["/api/admin/me", 401, {}],
          ["/api/admin/nothing", 404, cookie],
          ["/v1/usage/00000000-0000-0000-0000-000000000000", 401, {}],
          ["/v1/models", 401, {}]
        ]
        for (const [path, status, headers] of table) {
          const answer = yield* send(`${world.origin}${path}`, { method: "GET", headers })
          assert.strictEqual(answer.status, status, path)
          assert.match(answer.headers["cache-control"] ?? "", /no-store/, path)
        }
      }))
  })
})
