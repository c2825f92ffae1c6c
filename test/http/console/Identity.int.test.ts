/**
 * Coming in and going out over HTTP: what a browser is given and what it is not, what limits there are, and that nobody's
 * keys or sessions are anybody else's.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { csrfToken, isCsrfToken, isForeign } from "../../../src/http/console/Csrf.ts"
import { localPath } from "../../../src/http/console/Params.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

const PASSWORD = "correct horse battery"

const makeEmail = () => `${randomUUID()}@example.com`

const cookieOf = (
  answer: { readonly headers: { readonly "set-cookie"?: ReadonlyArray<string> | undefined } },
  name: string
) => answer.headers["set-cookie"]?.find((cookie) => cookie.startsWith(`${name}=`)) ?? ""

/** A visitor at the login page, from an address of their own: limits count by address. */
const visitor = (address: string) =>
  Effect.gen(function*() {
    const client = new ConsoleClient((yield* ConsoleWorld).origin, { headers: { "x-forwarded-for": address } })
    yield* client.get("/login")
    return client
  })

const register = Effect.fnUntraced(function*(address: string) {
  const client = yield* visitor(address)
  const email = makeEmail()
  const answer = yield* client.post("/register", { email, password: PASSWORD })
  assert.strictEqual(answer.status, 303, answer.text)
  return { client, email }
})

layer(ConsoleWorld.layerOf({ server: { port: 0, trusted_proxies: ["127.0.0.1"] } }), { excludeTestServices: true })(
  "coming in and going out",
  (it) => {
    it.effect("a user registers, is in, goes out, and is out with that session", () =>
      Effect.gen(function*() {
        const client = yield* visitor("10.1.0.1")
        const email = makeEmail()
        const answer = yield* client.post("/register", { email: ` ${email.toUpperCase()} `, password: PASSWORD })
        assert.strictEqual(answer.status, 303)
        assert.strictEqual(answer.headers.location, "/")
        const cookie = cookieOf(answer, "realms_session")
        assert.match(cookie, /; Path=\//)
        assert.match(cookie, /; HttpOnly/)
        assert.match(cookie, /; SameSite=Lax/)
        assert.notMatch(cookie, /; Secure/, "over http")
        const under = client.cookies.get("realms_session") ?? ""
        const other = yield* visitor("10.1.0.1")
        other.cookies.set("__Host-realms_session", under)
        assert.strictEqual((yield* other.get("/account")).status, 303, "the name of an installation behind https")
        const dashboard = yield* client.get("/")
        assert.strictEqual(dashboard.status, 200)
        assert.strictEqual(dashboard.headers["cache-control"], "private, no-store")
        const kept = new Map(client.cookies)
        const out = yield* client.post("/logout", {})
        assert.strictEqual(out.headers.location, "/login")
        for (const [name, value] of kept) client.cookies.set(name, value)
        assert.strictEqual((yield* client.get("/keys")).status, 303, "the cookie is worth nothing any more")
        yield* client.get("/login")
        const again = yield* client.post("/login", { email, password: PASSWORD })
        assert.strictEqual(again.status, 303)
      }))

    it.effect("a wrong password and an unknown address are told the same", () =>
      Effect.gen(function*() {
        const { email } = yield* register("10.1.0.2")
        const client = yield* visitor("10.1.0.2")
        const wrong = yield* client.post("/login", { email, password: "wrong password" })
        const unknown = yield* client.post("/login", { email: makeEmail(), password: "wrong password" })
        assert.strictEqual(wrong.status, 422)
        assert.strictEqual(unknown.status, 422)
        const message = "The e-mail address or the password is wrong."
        assert.include(wrong.text, message)
        assert.include(unknown.text, message)
        assert.include(wrong.text, `value="${email}"`)
        assert.notInclude(wrong.text, 'wrong password"')
      }))

    it.effect("guessing ends, whatever is guessed at, and tells when to come back", () =>
      Effect.gen(function*() {
        const { email } = yield* register("10.1.0.3")
        for (const target of [email, makeEmail()]) {
          const client = yield* visitor("10.1.0.4")
          let status = 422
          let tries = 0
          while (status === 422 && tries < 40) {
            tries++
            status = (yield* client.post("/login", { email: target, password: "guess number one" })).status
          }
          assert.strictEqual(status, 429)
          assert.isBelow(tries, 40)
        }
        const elsewhere = yield* visitor("10.1.0.5")
        assert.strictEqual(
          (yield* elsewhere.post("/login", { email, password: PASSWORD })).status,
          303,
          "the owner is not locked out"
        )
      }))

    it.effect("a stolen session in which somebody guesses is ended by its owner, without a proof", () =>
      Effect.gen(function*() {
        const { client: thief, email } = yield* register("10.1.0.7")
        yield* thief.get("/account")
        const change = { current: "guess number one", next: "another horse battery" }
        let refused = yield* thief.post("/account/password", change)
        for (let tries = 0; refused.status === 422 && tries < 40; tries++) {
          refused = yield* thief.post("/account/password", change)
        }
        assert.strictEqual(refused.status, 429)
        assert.include(refused.text, "sign out all other sessions")
        const owner = yield* visitor("10.1.0.8")
        assert.strictEqual((yield* owner.post("/login", { email, password: PASSWORD })).status, 303)
        yield* owner.get("/account")
        assert.strictEqual((yield* owner.post("/account/sessions", {})).headers.location, "/account?done=sessions")
        assert.strictEqual((yield* thief.get("/account")).status, 303)
      }))

    it.effect("a page that was asked for comes after signing in, and no page of another site", () =>
      Effect.gen(function*() {
        const { email } = yield* register("10.1.0.6")
        const client = yield* visitor("10.1.0.6")
        const asked = yield* client.get("/usage?range=7d")
        assert.strictEqual(asked.headers.location, `/login?next=${encodeURIComponent("/usage?range=7d")}`)
        yield* client.get(asked.headers.location ?? "")
        const answer = yield* client.post("/login", { email, password: PASSWORD, next: "/usage?range=7d" })
        assert.strictEqual(answer.headers.location, "/usage?range=7d")
        for (
          const next of [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/.//evil.example",
            "javascript:alert(1)"
          ]
        ) {
          const other = yield* visitor("10.1.0.6")
          const page = yield* other.get(`/login?next=${encodeURIComponent(next)}`)
          assert.notInclude(page.text, `name="next" value="${next}"`)
          const went = yield* other.post("/login", { email, password: PASSWORD, next })
          assert.strictEqual(went.headers.location, "/", next)
          yield* other.get("/account")
          const looked = yield* other.post("/look", { language: "zh", next })
          assert.strictEqual(looked.headers.location, "/", next)
        }
      }))

    it.effect("changing the password ends the other sessions and keeps this one", () =>
      Effect.gen(function*() {
        const { client, email } = yield* register("10.1.0.7")
        const other = yield* visitor("10.1.0.7")
        yield* other.post("/login", { email, password: PASSWORD })
        assert.strictEqual((yield* other.get("/account")).status, 200)
        yield* client.get("/account")
        const wrong = yield* client.post("/account/password", { current: "not this one", next: "a new passphrase" })
        assert.strictEqual(wrong.status, 422)
        const short = yield* client.post("/account/password", { current: PASSWORD, next: "short" })
        assert.strictEqual(short.status, 422)
        assert.strictEqual((yield* other.get("/account")).status, 200, "nothing has changed so far")
        const changed = yield* client.post("/account/password", { current: PASSWORD, next: "a new passphrase" })
        assert.strictEqual(changed.status, 303)
        assert.strictEqual((yield* client.get("/account")).status, 200)
        assert.strictEqual((yield* other.get("/account")).status, 303)
      }))

    it.effect("the others are signed out, and nobody else's", () =>
      Effect.gen(function*() {
        const stranger = (yield* register("10.1.0.8")).client
        const { client, email } = yield* register("10.1.0.8")
        const other = yield* visitor("10.1.0.8")
        yield* other.post("/login", { email, password: PASSWORD })
        yield* client.get("/account")
        assert.strictEqual((yield* client.post("/account/sessions", {})).status, 303)
        assert.strictEqual((yield* other.get("/keys")).status, 303)
        assert.strictEqual((yield* client.get("/keys")).status, 200)
        assert.strictEqual((yield* stranger.get("/keys")).status, 200)
      }))

    it.effect("a key is shown once, is good at once, and is revoked by its owner alone", () =>
      Effect.gen(function*() {
        const { keys } = yield* ConsoleWorld
        const { client } = yield* register("10.1.0.9")
        yield* client.get("/keys/new")
        const made = yield* client.post("/keys", {
          name: "<b>bold</b>",
          spend_limit: "5.00",
          expiry: "2030-01-31",
          models: "gpt-4o-mini"
        })
        assert.strictEqual(made.status, 200, made.text.slice(0, 300))
        const key = /sk-[\w-]{40,}/.exec(made.text)?.[0] ?? ""
        assert.include(made.text, "&lt;b>bold&lt;/b>")
        const identity = yield* keys.authenticate(key)
        assert.deepStrictEqual(identity.limits?.spend, [{ period: "total", micros: 5_000_000n }])
        assert.deepStrictEqual(identity.allowedModels, ["gpt-4o-mini"])
        const list = yield* client.get("/keys")
        assert.notInclude(list.text, key)
        const revoke = /href="(\/keys\/\d+\/revoke)"/.exec(list.text)?.[1] ?? ""
        const stranger = (yield* register("10.1.0.9")).client
        yield* stranger.get("/keys/new")
        assert.strictEqual((yield* stranger.get(revoke)).status, 404)
        assert.strictEqual((yield* stranger.post(revoke, {})).status, 404)
        yield* keys.authenticate(key)
        yield* client.get(revoke)
        assert.strictEqual((yield* client.post(revoke, {})).status, 303)
        assert.strictEqual((yield* Effect.flip(keys.authenticate(key)))._tag, "InvalidApiKey")
      }))

    it.effect("a key that makes no sense is not made, and says why", () =>
      Effect.gen(function*() {
        const { client } = yield* register("10.1.1.0")
        yield* client.get("/keys/new")
        const table: ReadonlyArray<Readonly<Record<string, string>>> = [
          { name: "" },
          { name: "x".repeat(101) },
          { name: "a", spend_limit: "-1" },
          { name: "a", spend_limit: "many" },
          { name: "a", expiry: "2020-01-01" },
          { name: "a", expiry: "tomorrow" },
          { name: "a", models: "no-such-model" }
        ]
        for (const fields of table) {
          const refused = yield* client.post("/keys", fields)
          assert.strictEqual(refused.status, 422, JSON.stringify(fields))
          assert.match(refused.text, /invalid-feedback|alert-danger/)
        }
        assert.notInclude((yield* client.get("/keys")).text, "/revoke")
      }))

    it.effect("a form that was not made here does nothing, and is shown again with what was typed", () =>
      Effect.gen(function*() {
        const { client } = yield* register("10.1.1.2")
        const { token: strange } = yield* visitor("10.1.1.2")
        yield* client.get("/keys/new")
        const typed = { name: '"><script>x</script>', spend_limit: "7.5", models: "gpt-4o-mini" }
        const refusals = [
          yield* client.post("/keys", { ...typed, csrf_token: "" }),
          yield* client.post("/keys", { ...typed, csrf_token: strange }),
          yield* client.post("/keys", typed, { origin: "https://evil.example" })
        ]
        for (const refused of refusals) {
          assert.strictEqual(refused.status, 403)
          assert.include(refused.text, 'value="&quot;>&lt;script>x&lt;/script>"')
          assert.notInclude(refused.text, "<script>x")
          assert.include(refused.text, 'value="7.5"')
          assert.match(refused.text, /<input[^>]*value="gpt-4o-mini"[^>]*checked/)
        }
        assert.notInclude((yield* client.get("/keys")).text, "/revoke", "no key was made")
        yield* client.get("/keys/new")
        assert.strictEqual((yield* client.post("/keys", typed)).status, 200)
      }))

    it.effect("the language and theme are kept, and nothing that is neither", () =>
      Effect.gen(function*() {
        const client = yield* visitor("10.1.1.1")
        yield* client.post("/look", { language: "zh", theme: "dark" })
        const page = yield* client.get("/login")
        assert.include(page.text, '<html lang="zh-CN" data-bs-theme="dark"')
        yield* client.post("/look", { language: "xx", theme: '"><script>' })
        assert.strictEqual(client.cookies.get("realms_language"), "zh")
        assert.strictEqual(client.cookies.get("realms_theme"), "dark")
      }))
  }
)

layer(
  ConsoleWorld.layerOf({
    registration: { mode: "closed" },
    server: { port: 0, public_url: "https://realms.example" },
    payment: {}
  }),
  { excludeTestServices: true }
)("a closed installation behind https", (it) => {
  it.effect("nobody registers, and cookies are for https alone", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const user = yield* world.user(0n)
      const client = yield* visitor("10.2.0.1")
      const shown = yield* new ConsoleClient(world.origin).get("/login")
      assert.notInclude(shown.text, "/register")
      assert.include((yield* client.get("/register")).text, "Registration is closed")
      assert.strictEqual((yield* client.post("/register", { email: makeEmail(), password: PASSWORD })).status, 403)
      yield* client.get("/login")
      const answer = yield* client.post("/login", { email: user.email, password: world.password })
      for (const [name, set] of [["__Host-realms_session", answer], ["__Host-realms_visit", shown]] as const) {
        const cookie = cookieOf(set, name)
        assert.match(cookie, /; Secure/, name)
        assert.match(cookie, /; Path=\/(?:;|$)/, name)
        assert.match(cookie, /; HttpOnly/, name)
        assert.notMatch(cookie, /; Domain/i, name)
      }
      assert.strictEqual((yield* client.get("/account")).status, 200)
      // The same token under the plain name, which a neighbour under the same domain could plant, is nobody's.
      const planted = yield* visitor("10.2.0.3")
      planted.cookies.set("realms_session", client.cookies.get("__Host-realms_session") ?? "")
      assert.strictEqual((yield* planted.get("/account")).status, 303)
      const out = yield* client.post("/logout", {})
      assert.match(cookieOf(out, "__Host-realms_session"), /Max-Age=0.*; Secure|; Secure.*Max-Age=0/)
      assert.isFalse(client.cookies.has("__Host-realms_session"))
    }))

  it.effect("the first administrator is made by the link, once", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const token = Redacted.value(yield* world.setupLink)
      const client = yield* visitor("10.2.0.2")
      assert.strictEqual((yield* client.get("/setup/nonsense")).status, 404)
      const shown = yield* client.get(`/setup/${token}`)
      assert.strictEqual(shown.status, 200)
      const short = yield* client.post(`/setup/${token}`, { email: makeEmail(), password: "short" })
      assert.strictEqual(short.status, 422)
      const email = makeEmail()
      const made = yield* client.post(`/setup/${token}`, { email, password: PASSWORD })
      assert.deepStrictEqual([made.status, made.headers.location], [303, "/admin"])
      const [row] = yield* world.sql<{ role: string }>`SELECT role FROM users WHERE email = ${email}`
      assert.strictEqual(row?.role, "root")
      const other = yield* visitor("10.2.0.3")
      assert.strictEqual((yield* other.get(`/setup/${token}`)).status, 404)
      const late = yield* other.post(`/setup/${token}`, { email: makeEmail(), password: PASSWORD })
      assert.notStrictEqual(late.status, 303)
    }))

  it.effect("the administration's API knows the session by the same name", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const token = yield* world.session((yield* world.root).id)
      for (const [name, status] of [["__Host-realms_session", 200], ["realms_session", 401]] as const) {
        const client = yield* visitor("10.2.0.4")
        client.cookies.set(name, token)
        assert.strictEqual((yield* client.get("/api/admin/me")).status, status, name)
      }
    }))
})

describe("what forms are made with", () => {
  it("a token is good for its secret alone, and never the same twice", () => {
    const token = csrfToken("secret one")
    assert.isTrue(isCsrfToken("secret one", token))
    assert.isFalse(isCsrfToken("secret two", token))
    assert.notStrictEqual(csrfToken("secret one"), token)
    for (const bad of [null, "", "x", token.slice(1), `${token}A`, "A".repeat(10_000), "é".repeat(86)]) {
      assert.isFalse(isCsrfToken("secret one", bad), String(bad).slice(0, 20))
    }
  })

  it("tells a foreign page from our own", () => {
    const here = "http://realms.example:8080"
    const table: ReadonlyArray<readonly [site: string | undefined, origin: string | undefined, foreign: boolean]> = [
      ["same-origin", undefined, false],
      ["none", undefined, false],
      ["same-site", here, true],
      ["cross-site", "https://evil.example", true],
      [undefined, here, false],
      [undefined, "http://localhost:8080", false],
      [undefined, "http://evil.example", true],
      [undefined, "null", true],
      [undefined, undefined, false]
    ]
    for (const [secFetchSite, origin, foreign] of table) {
      assert.strictEqual(
        isForeign({ secFetchSite, origin, host: "localhost:8080" }, here),
        foreign,
        `${secFetchSite} ${origin}`
      )
    }
  })

  it("goes on to pages of this site alone", () => {
    for (const path of ["/", "/usage?range=7d&model=a%2Fb", "/pay/topup/1"]) assert.strictEqual(localPath(path), path)
    const bad = [
      null,
      undefined,
      "",
      "usage",
      "//x",
      "/\\x",
      "\\\\x",
      "https://x",
      "/\t/x",
      "/\n/x",
      "/.//x",
      "/%0d%0a x",
      `/${"a".repeat(3_000)}`
    ]
    for (const path of bad) assert.isUndefined(localPath(path), String(path).slice(0, 20))
  })
})
