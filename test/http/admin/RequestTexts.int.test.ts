/**
 * Characters that no row can hold, sent wherever the administration and the console take texts: never a failure of the server.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { OpenApi } from "effect/http-api"
import { AdminApi } from "../../../src/http/admin/AdminApi.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { send } from "../../support/TestHttp.ts"

const NOBODYS_ID = "999999999999"

const operations = Object.entries(OpenApi.fromApi(AdminApi).paths).flatMap(([path, methods]) =>
  Object.keys(methods).map((method) => ({ method: method.toUpperCase(), path }))
)

const asRoot = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const cookie = `realms_session=${yield* world.session((yield* world.root).id)}`
  const me = yield* send(`${world.origin}/api/admin/me`, { method: "GET", headers: { cookie } })
  return { world, headers: { cookie, "x-csrf-token": String(JSON.parse(me.text).csrf_token) } }
})

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("texts that cannot be stored", (it) => {
  it.effect("are a bad request in the body of every endpoint, deep within it and in names too", () =>
    Effect.gen(function*() {
      const { headers, world } = yield* asRoot
      const unsafe = operations.filter(({ method }) => method !== "GET")
      assert.isAbove(unsafe.length, 20)
      const bodies = [`{"note":"a\\u0000"}`, `{"a":[{"b\\u0000":1}]}`, `{"note":"\\ud800"}`, `"\\u0000"`]
      for (const { method, path } of unsafe) {
        for (const body of bodies) {
          const filled = path.replaceAll(/\{\w+\}/g, NOBODYS_ID)
          const answer = yield* send(`${world.origin}${filled}`, { method, headers, body })
          assert.deepStrictEqual([answer.status, JSON.parse(answer.text)._tag], [400, "BadRequest"], `${path} ${body}`)
        }
      }
    }))

  it.effect("are told to nobody who may not ask", () =>
    Effect.gen(function*() {
      const { origin } = yield* ConsoleWorld
      const answer = yield* send(`${origin}/api/admin/users`, { method: "POST", body: `{"email":"\\u0000"}` })
      assert.strictEqual(answer.status, 401)
    }))

  it.effect("are taken where they only look like it", () =>
    Effect.gen(function*() {
      const { headers, world } = yield* asRoot
      const user = yield* world.user(0n)
      const answer = yield* send(`${world.origin}/api/admin/users/${user.id}/adjustments`, {
        method: "POST",
        headers,
        body: { amount_micros: "1", note: "the six characters \\u0000 😀", idempotency_key: "looks-like-nul" }
      })
      assert.strictEqual(answer.status, 200, answer.text)
    }))

  it.effect("are a bad request in the address of every endpoint", () =>
    Effect.gen(function*() {
      const { headers, world } = yield* asRoot
      for (const { method, path } of operations) {
        const named = path.replaceAll(/\{\w+\}/g, "%00")
        const asked = `${path.replaceAll(/\{\w+\}/g, NOBODYS_ID)}?q=%00`
        for (const target of path === named ? [asked] : [asked, named]) {
          const answer = yield* send(`${world.origin}${target}`, {
            method,
            headers,
            body: method === "GET" ? undefined : {}
          })
          assert.strictEqual(answer.status, 400, `${method} ${target}`)
        }
      }
    }))

  it.effect("are refused in forms, and no failure in the searches of pages", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const client = new ConsoleClient(world.origin, { session: yield* world.session((yield* world.root).id) })
      yield* client.get("/admin/users")
      for (
        const path of ["/admin/users", "/admin/settings", "/admin/keys", "/keys", "/account/password", "/topup/create"]
      ) {
        const { status } = yield* client.post(path, { name: "a\0", note: "b\0", "site.name": "c\0" })
        assert.include([400, 404], status, path)
      }
      for (
        const path of [
          "/usage",
          "/admin/users",
          "/admin/orders",
          "/admin/payments",
          "/admin/usage/calls",
          "/admin/audit"
        ]
      ) {
        const names = ["q", "user", "model", "channel", "key", "actor", "target", "action", "reference", "text", "from"]
        for (const name of names) {
          const { status } = yield* client.get(`${path}?${name}=%00&${name}=a%00b`)
          assert.isBelow(status, 500, `${path} ${name}`)
        }
      }
    }))
})
