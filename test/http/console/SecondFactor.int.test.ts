/**
 * The second factor in a browser: set up on its page, asked for after the password, needed for the administration where the setting
 * says so, and removed by an administrator for somebody who has lost it.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Clock, Effect, Redacted } from "effect"
import type { UserId } from "../../../src/domain/Ids.ts"
import { totpCode } from "../../../src/identity/Totp.ts"
import { adminClient } from "../../support/AdminClient.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"

const PAGE = "/account/second-factor"
const LOGIN = "/login/second-factor"
const STEP_MS = 30_000

/** What the app of this secret shows now, or so many steps later. */
const codeOf = (secret: string, steps = 0) =>
  Effect.map(Clock.currentTimeMillis, (nowMs) => totpCode(Redacted.make(secret), nowMs + steps * STEP_MS))

const secretIn = (text: string): string => /id="totp-secret"[^>]*><code>([A-Z2-7]{32})</.exec(text)?.[1] ?? ""
const sealedIn = (text: string): string => /name="sealed" value="([^"]+)"/.exec(text)?.[1] ?? ""
const codesIn = (text: string): ReadonlyArray<string> => text.match(/\b(?:[0-9a-z]{4}-){3}[0-9a-z]{4}\b/g) ?? []

/** Sets up a second factor as its page asks for it. */
const setUp = Effect.fnUntraced(function*(client: ConsoleClient, password: string) {
  const page = yield* client.get(PAGE)
  const secret = secretIn(page.text)
  assert.include(page.text, "<svg", "the QR code")
  const sent = { sealed: sealedIn(page.text), password, app_code: yield* codeOf(secret) }
  const done = yield* client.post(`${PAGE}/set-up`, sent)
  assert.strictEqual(done.status, 200, done.text)
  return { secret, codes: codesIn(done.text), page: done }
})

const asFinance = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  const user = yield* world.user(0n)
  yield* Effect.orDie(world.sql`UPDATE users SET role = 'finance' WHERE id = ${user.id}`)
  return { world, user, client: yield* world.signedIn(user.id) }
})

const csrfOf = (origin: string, session: string) => adminClient(origin, session)

describe("the second factor", () => {
  layer(ConsoleWorld.layerOf(), { excludeTestServices: true })((it) => {
    it.effect("is set up, then asked for after the password", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const user = yield* world.user(0n)
        const client = yield* world.signedIn(user.id)
        const page = yield* client.get(PAGE)
        const wrong = yield* client.post(`${PAGE}/set-up`, {
          sealed: sealedIn(page.text),
          password: world.password,
          app_code: "12"
        })
        assert.strictEqual(wrong.status, 422)
        assert.include(wrong.text, "field-app_code-problem")
        assert.strictEqual(secretIn(wrong.text), secretIn(page.text), "the app that was scanned stays the one")
        const copied = new ConsoleClient(world.origin, { session: client.cookies.get("realms_session") ?? "" })
        assert.strictEqual((yield* copied.get("/account")).status, 200)
        const { codes, page: shown, secret } = yield* setUp(client, world.password)
        assert.strictEqual((yield* copied.get("/account")).status, 303, "a cookie that was copied before is out")
        const look = yield* client.post("/look", { next: "/account", theme: "dark" })
        assert.strictEqual(look.headers.location, "/account", "forms of the page that was shown are good")
        assert.strictEqual(codes.length, 10)
        assert.include(shown.text, "shown only once")
        assert.notInclude((yield* client.get(PAGE)).text, secret)

        const visitor = new ConsoleClient(world.origin)
        yield* visitor.get("/login")
        const first = yield* visitor.post("/login", { email: user.email, password: world.password, next: "/keys" })
        assert.strictEqual(first.headers.location, `${LOGIN}?next=%2Fkeys`)
        const cookie = first.headers["set-cookie"]?.find((text) => text.startsWith("realms_login=")) ?? ""
        for (const part of [/; HttpOnly/, /; SameSite=Lax/, /; Path=\//, /; Max-Age=600(;|$)/]) {
          assert.match(cookie, part)
        }
        assert.isFalse(visitor.cookies.has("realms_session"))
        // What was given so far opens no page, not even under the name of a session's cookie.
        assert.strictEqual((yield* visitor.get("/account")).status, 303)
        const other = new ConsoleClient(world.origin, { session: visitor.cookies.get("realms_login") ?? "" })
        assert.strictEqual((yield* other.get("/account")).status, 303)
        const asked = yield* visitor.get(`${LOGIN}?next=%2Fkeys`)
        assert.include(asked.text, 'autocomplete="one-time-code"')
        const refused = yield* visitor.post(LOGIN, { code: "000000", next: "/keys" })
        assert.strictEqual(refused.status, 422)
        assert.include(refused.text, "This code is wrong or was already used")
        assert.include(refused.text, `name="next" value="/keys"`)
        const done = yield* visitor.post(LOGIN, { code: yield* codeOf(secret, 1), next: "/keys" })
        assert.strictEqual(done.headers.location, "/keys")
        assert.isTrue(visitor.cookies.has("realms_session"))
        assert.isFalse(visitor.cookies.has("realms_login"))
        assert.strictEqual((yield* visitor.get("/account")).status, 200)
        assert.strictEqual((yield* visitor.get(LOGIN)).headers.location, "/")
      }))

    it.effect("begins again when nobody's is asked for, and leads to no other site", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const visitor = new ConsoleClient(world.origin)
        assert.strictEqual((yield* visitor.get(LOGIN)).headers.location, "/login")
        assert.strictEqual((yield* visitor.get(`${LOGIN}?next=%2Fkeys`)).headers.location, "/login?next=%2Fkeys")
        assert.strictEqual((yield* visitor.get(`${LOGIN}?next=%2F%2Fevil.example`)).headers.location, "/login")
        yield* visitor.get("/login")
        assert.strictEqual((yield* visitor.post(LOGIN, { code: "000000" })).headers.location, "/login")
        visitor.cookies.set("realms_login", "x".repeat(43))
        assert.strictEqual((yield* visitor.get(LOGIN)).headers.location, "/login")
        const user = yield* world.user(0n)
        const { codes } = yield* setUp(yield* world.signedIn(user.id), world.password)
        const next = "//evil.example"
        yield* visitor.get("/login")
        yield* visitor.post("/login", { email: user.email, password: world.password, next })
        yield* visitor.get(LOGIN)
        assert.strictEqual((yield* visitor.post(LOGIN, { code: codes[0] ?? "", next })).headers.location, "/")
      }))

    it.effect("has its codes replaced, and is turned off, with the password and a code", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const user = yield* world.user(0n)
        const client = yield* world.signedIn(user.id)
        const { codes, secret } = yield* setUp(client, world.password)
        yield* client.get(PAGE)
        const wrong = yield* client.post(`${PAGE}/codes`, { password: "wrong password", code: codes[0] ?? "" })
        assert.strictEqual(wrong.status, 422)
        assert.include(wrong.text, "This is not your current password.")
        const renewed = yield* client.post(`${PAGE}/codes`, { password: world.password, code: codes[0] ?? "" })
        assert.strictEqual(codesIn(renewed.text).length, 10)
        yield* client.get(PAGE)
        const refused = yield* client.post(`${PAGE}/remove`, { password: world.password, code: codes[1] ?? "" })
        assert.strictEqual(refused.status, 422, "replaced")
        const account = yield* client.get("/account")
        assert.include(account.text, 'id="field-code"', "a change of the password asks for it, too")
        const off = yield* client.post(`${PAGE}/remove`, { password: world.password, code: yield* codeOf(secret, 1) })
        assert.strictEqual(off.headers.location, `${PAGE}?done=removed`)
        assert.notInclude((yield* client.get("/account")).text, 'id="field-code"')
      }))

    it.effect("is reset by a program, and said of a user", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const root = yield* world.root
        const user = yield* world.user(0n)
        const api = yield* csrfOf(world.origin, yield* world.session(root.id))
        yield* setUp(yield* world.signedIn(user.id), world.password)
        const before = yield* api.get(`/users/${user.id}`)
        assert.deepInclude(before.json, { has_second_factor: true })
        const reset = yield* api.post(`/users/${user.id}/second_factor/reset`)
        assert.strictEqual(reset.status, 200)
        assert.deepInclude(reset.json, { has_second_factor: false, sessions: [] })
        assert.strictEqual((yield* api.post(`/users/${user.id}/second_factor/reset`)).status, 409)
        assert.strictEqual((yield* api.post(`/users/${root.id}/second_factor/reset`)).status, 409)
        assert.strictEqual((yield* api.post("/users/999999999999/second_factor/reset")).status, 404)
      }))

    it.effect("is asked of root and finance where the setting says so, before any page or answer of the administration", () =>
      Effect.gen(function*() {
        const { client, root, world } = yield* signedInRoot
        const finance = yield* asFinance
        const support = yield* asFinance
        yield* Effect.orDie(world.sql`UPDATE users SET role = 'support' WHERE id = ${support.user.id}`)
        const api = (userId: UserId) =>
          Effect.flatMap(world.session(userId), (session) => csrfOf(world.origin, session))
        const rootApi = yield* api(root.id)
        const settings = yield* client.get("/admin/settings/security")
        const revision = /name="revision" value="([^"]+)"/.exec(settings.text)?.[1] ?? ""
        const saved = yield* client.post("/admin/settings", {
          section: "security",
          revision,
          "security.second_factor": "root_and_finance",
          password: world.password
        })
        assert.strictEqual(saved.status, 303)
        for (
          const [who, path] of [[client, "/admin"], [client, "/admin/settings"], [finance.client, "/admin"]] as const
        ) {
          assert.strictEqual((yield* who.get(path)).headers.location, PAGE)
        }
        yield* client.get("/account")
        assert.strictEqual((yield* client.post("/admin/settings", { section: "security" })).headers.location, PAGE)
        assert.strictEqual((yield* rootApi.get("/users")).status, 403)
        assert.strictEqual((yield* support.client.get("/admin")).status, 200, "it moves no money")
        assert.include((yield* finance.client.get(PAGE)).text, "Your role needs a second factor")
        yield* setUp(finance.client, world.password)
        assert.strictEqual((yield* finance.client.get("/admin")).status, 200)
        const { codes } = yield* setUp(client, world.password)
        assert.strictEqual((yield* client.get("/admin")).status, 200)
        assert.strictEqual((yield* (yield* api(root.id)).get("/users")).status, 200)

        // Somebody who has lost it is helped by another administrator, who cannot help themselves.
        const path = `/admin/users/${finance.user.id}`
        assert.include((yield* client.get(path)).text, `${path}/second-factor`)
        yield* world.ageSessions
        yield* client.get(`${path}/second-factor`)
        const { password } = world
        for (const wrong of [{}, { password }, { password: "not the password", code: codes[1] ?? "" }]) {
          assert.strictEqual((yield* client.post(`${path}/second-factor`, wrong)).status, 422)
        }
        const reset = yield* client.post(`${path}/second-factor`, { password, code: codes[1] ?? "" })
        assert.strictEqual(reset.headers.location, `${path}?done=second_factor`)
        assert.strictEqual((yield* finance.client.get("/account")).status, 303, "signed out")
        assert.notInclude((yield* client.get(path)).text, `${path}/second-factor`)
        const proof = { password, code: codes[2] ?? "" }
        const own = yield* client.post(`/admin/users/${root.id}/second-factor`, proof)
        assert.strictEqual(own.status, 422)
        yield* client.get(PAGE)
        yield* client.post(`${PAGE}/remove`, { password: world.password, code: codes[0] ?? "" })
        assert.strictEqual((yield* client.get("/admin")).headers.location, PAGE)
      }))
  })
})
