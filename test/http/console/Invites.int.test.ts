/**
 * Invitations over HTTP: made by an administrator, shown once, used by somebody who registers, and revoked; and what registration says
 * where it needs one, or an address of some domain.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { adminClient } from "../../support/AdminClient.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"

const PASSWORD = "correct horse battery"

const linkIn = (text: string): string => /id="invite-link"[^>]*><code>[^<]*(\/invite\/[\w-]{43})</.exec(text)?.[1] ?? ""

const invite = Effect.fnUntraced(function*(fields: Readonly<Record<string, string>> = {}) {
  const { client, world } = yield* signedInRoot
  yield* client.get("/admin/invites/new")
  const made = yield* client.post("/admin/invites/new", { note: "", uses: "1", days: "7", email: "", ...fields })
  assert.strictEqual(made.status, 200, made.text)
  return { client, world, path: linkIn(made.text) }
})

describe("invitations", () => {
  layer(
    ConsoleWorld.layerOf({
      registration: { mode: "invite", email_domains: ["company.example"] },
      security: { keys_per_hour: 2 }
    }),
    { excludeTestServices: true }
  )((it) => {
    it.effect("lead to an account where registration needs one", () =>
      Effect.gen(function*() {
        const { client, path, world } = yield* invite({ note: "for Ada" })
        assert.notInclude((yield* client.get("/admin/invites")).text, path)
        const visitor = new ConsoleClient(world.origin)
        assert.notInclude((yield* visitor.get("/login")).text, `href="/register"`)
        assert.include((yield* visitor.get("/register")).text, "Registration is by invitation")
        const without = yield* visitor.post("/register", { email: "ada@company.example", password: PASSWORD })
        assert.strictEqual(without.status, 403)
        const form = yield* visitor.get(path)
        assert.include(form.text, "Only with an e-mail address of company.example.")
        const elsewhere = yield* visitor.post(path, { email: "ada@example.com", password: PASSWORD })
        assert.strictEqual(elsewhere.status, 422)
        const done = yield* visitor.post(path, { email: `${randomUUID()}@company.example`, password: PASSWORD })
        assert.strictEqual(done.headers.location, "/")
        assert.strictEqual((yield* visitor.get("/account")).status, 200)
        const other = new ConsoleClient(world.origin)
        assert.strictEqual((yield* other.get(path)).status, 404)
        assert.include((yield* client.get("/admin/invites")).text, "Used up")
      }))

    it.effect("for one address name it, and are revoked", () =>
      Effect.gen(function*() {
        const email = `${randomUUID()}@example.com`
        const { client, path, world } = yield* invite({ email })
        const visitor = new ConsoleClient(world.origin)
        assert.include((yield* visitor.get(path)).text, `value="${email}"`)
        const wrong = yield* visitor.post(path, { email: "eve@company.example", password: PASSWORD })
        assert.strictEqual(wrong.status, 422)
        const list = yield* client.get("/admin/invites")
        const revoke = /href="(\/admin\/invites\/\d+\/revoke)"/.exec(list.text)?.[1] ?? ""
        yield* client.get(revoke)
        assert.strictEqual((yield* client.post(revoke, {})).headers.location, "/admin/invites?done=revoked")
        assert.strictEqual((yield* visitor.get(path)).status, 404)
        const late = yield* visitor.post(path, { email, password: PASSWORD })
        assert.notStrictEqual(late.status, 303)
      }))

    it.effect("are refused with what is wrong beside each field", () =>
      Effect.gen(function*() {
        const { client } = yield* signedInRoot
        yield* client.get("/admin/invites/new")
        const table = [[{ uses: "0" }, "uses"], [{ days: "many" }, "days"], [{ email: "x" }, "email"]] as const
        for (const [fields, name] of table) {
          const refused = yield* client.post("/admin/invites/new", { uses: "1", days: "7", ...fields })
          assert.strictEqual(refused.status, 422)
          assert.include(refused.text, `field-${name}-problem`)
        }
      }))

    it.effect("are made, listed and revoked by a program", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const root = yield* world.root
        const api = yield* adminClient(world.origin, yield* world.session(root.id))
        const made = yield* api.post("/invites", { uses_max: 2, note: "by a program" })
        assert.strictEqual(made.status, 201)
        assert.match(made.json.url, /\/invite\/[\w-]{43}$/)
        const { json } = yield* api.get("/invites?limit=1")
        assert.deepInclude(json.items[0], { id: made.json.id, note: "by a program", uses_max: 2, uses: 0, email: null })
        assert.notInclude(JSON.stringify(json), made.json.url.slice(-43))
        assert.strictEqual((yield* api.post("/invites", { valid_days: 0 })).status, 422)
        assert.strictEqual((yield* api.post(`/invites/${made.json.id}/revoke`)).status, 204)
        assert.strictEqual((yield* api.post("/invites/999999999999/revoke")).status, 404)
      }))

    it.effect("keys are made so many an hour, and the page says so", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const user = yield* world.user(0n)
        const client = yield* world.signedIn(user.id)
        for (const status of [200, 200, 429]) {
          yield* client.get("/keys/new")
          const made = yield* client.post("/keys", { name: randomUUID() })
          assert.strictEqual(made.status, status)
          if (status === 429) assert.include(made.text, "2 keys within the last hour")
        }
      }))
  })
})
