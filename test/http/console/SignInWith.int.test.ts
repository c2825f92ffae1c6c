/**
 * Signing in at a provider: one of OpenID Connect, in a real implementation, and GitHub. An identity is an issuer and a subject; an address
 * makes nobody's account somebody else's; what comes back counts once, in the browser that asked.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Clock, Effect, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { totpCode } from "../../../src/identity/Totp.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld, signedInRoot } from "../../support/ConsoleWorld.ts"
import { makeProviders, signInThere } from "../../support/OidcWorld.ts"

const { config, github, oidc, origin } = await makeProviders()

const makeEmail = () => `${randomUUID()}@company.example`

/** Somebody at the provider. */
const known = (email: string | undefined, isVerified = true) => {
  const name = randomUUID()
  oidc.accounts.set(name, email === undefined ? {} : { email, email_verified: isVerified })
  return name
}

const pathOf = (url: string): string => url.slice(origin.length)

const visitor = Effect.gen(function*() {
  const client = new ConsoleClient((yield* ConsoleWorld).origin)
  yield* client.get("/login")
  return client
})

/** Goes to the provider, signs in there, and comes back. */
const through = Effect.fnUntraced(function*(client: ConsoleClient, name: string) {
  const started = yield* client.get("/login/with/oidc")
  return yield* client.get(pathOf(yield* signInThere(started.headers.location ?? "", name)))
})

const rowsOf = (email: string) =>
  Effect.flatMap(
    ConsoleWorld,
    ({ sql }) =>
      Effect.orDie(
        sql<
          { id: bigint; verified: boolean; identities: bigint }
        >`SELECT u.id, u.email_verified_at IS NOT NULL AS verified, count(i.id) AS identities
      FROM users u LEFT JOIN identities i ON i.user_id = u.id WHERE u.email = ${email} GROUP BY u.id`
      )
  )

describe("signing in at a provider", () => {
  layer(
    ConsoleWorld.layerOf({
      ...config,
      registration: { email_domains: ["company.example"] }
    }),
    { excludeTestServices: true }
  )((it) => {
    it.effect("makes an account for a verified address that nobody has, and knows its owner by the subject from then on", () =>
      Effect.gen(function*() {
        const client = yield* visitor
        assert.include((yield* client.get("/login")).text, "Sign in with Company")
        const email = makeEmail()
        const name = known(email.toUpperCase())
        const done = yield* through(client, name)
        assert.strictEqual(done.headers.location, "/", done.text)
        assert.include((yield* client.get("/account")).text, email)
        const [row] = yield* rowsOf(email)
        assert.deepStrictEqual([row?.verified, row?.identities], [true, 1n])
        // Another address there is the same person still.
        oidc.accounts.set(name, { email: makeEmail(), email_verified: false })
        const again = yield* visitor
        assert.strictEqual((yield* through(again, name)).headers.location, "/")
        assert.include((yield* again.get("/account")).text, email)
        assert.strictEqual((yield* rowsOf(email)).length, 1)
      }))

    it.effect("makes nobody's account somebody else's, whatever address the provider names", () =>
      Effect.gen(function*() {
        const { user, world } = yield* asUser
        const client = yield* visitor
        const [refused, unverified, none] = [
          yield* through(client, known(user.email)),
          yield* through(client, known(makeEmail(), false)),
          yield* through(client, known(undefined))
        ]
        assert.include(refused.text, "There is an account with your e-mail address.")
        assert.include(unverified.text, "no verified e-mail address")
        assert.include(none.text, "no verified e-mail address")
        assert.deepStrictEqual([refused.status, unverified.status, none.status], [403, 403, 403])
        assert.isFalse(client.cookies.has("realms_session"))
        const [row] = yield* Effect.orDie(world.sql`SELECT count(*) FROM identities WHERE user_id = ${user.id}`)
        assert.deepStrictEqual(row, { count: 0n })
        assert.strictEqual((yield* through(client, known("ada@evil.example"))).status, 403, "of another domain")
      }))

    it.effect("counts what comes back once, and in the browser that asked alone", () =>
      Effect.gen(function*() {
        const client = yield* visitor
        const other = yield* visitor
        const started = yield* client.get("/login/with/oidc")
        const back = pathOf(yield* signInThere(started.headers.location ?? "", known(makeEmail())))
        assert.strictEqual((yield* other.get(back)).status, 403, "somebody else's browser")
        const changed = back.replace(/state=([\w-]{10})/, "state=AAAAAAAAAA")
        assert.strictEqual((yield* client.get(changed)).status, 403)
        assert.strictEqual((yield* client.get(back.replace("/oidc", "/github"))).status, 403, "another provider")
        const denied = new URLSearchParams({
          error: "access_denied",
          state: new URL(back, origin).searchParams.get("state") ?? ""
        })
        assert.strictEqual((yield* client.get(`/login/callback/oidc?${denied}`)).status, 403)
        assert.strictEqual((yield* client.get(back)).headers.location, "/")
        const kept = new Map(client.cookies)
        client.cookies.delete("realms_session")
        assert.strictEqual((yield* client.get(back)).status, 403, "sent again")
        for (const [cookie, value] of kept) client.cookies.set(cookie, value)
        assert.strictEqual((yield* (yield* visitor).get("/login/with/nobody")).status, 404)
        // Without the cookie that the answer would count in, it begins at the login page.
        assert.strictEqual((yield* new ConsoleClient(origin).get("/login/with/oidc")).headers.location, "/login")
      }))

    it.effect("asks the provider with PKCE, state and nonce", () =>
      Effect.gen(function*() {
        const client = yield* visitor
        const url = new URL((yield* client.get("/login/with/oidc")).headers.location ?? "")
        assert.strictEqual(url.origin, oidc.issuer)
        for (const name of ["state", "nonce", "code_challenge"]) {
          assert.isAbove((url.searchParams.get(name) ?? "").length, 40)
        }
        assert.strictEqual(url.searchParams.get("code_challenge_method"), "S256")
        assert.strictEqual(url.searchParams.get("redirect_uri"), `${origin}/login/callback/oidc`)
      }))

    it.effect("is connected by who is signed in and gives the password, to one account alone", () =>
      Effect.gen(function*() {
        const { user, world } = yield* asUser
        const client = new ConsoleClient(origin, { session: yield* world.session(user.id) })
        const path = "/account/identities/oidc/connect"
        const name = known(makeEmail())
        yield* client.get(path)
        assert.strictEqual((yield* client.post(path, { password: "wrong password" })).status, 422)
        const going = yield* client.post(path, { password: world.password })
        const authorization = /href="([^"]*code_challenge[^"]*)"/.exec(going.text)?.[1]?.replaceAll("&amp;", "&") ?? ""
        const back = pathOf(yield* signInThere(authorization, name))
        const eve = yield* asUser
        assert.strictEqual((yield* eve.client.get(back)).status, 403, "not to somebody else who opens the link")
        assert.strictEqual((yield* client.get(back)).headers.location, "/account?done=connected")
        assert.include((yield* client.get("/account")).text, oidc.issuer)
        const other = yield* visitor
        assert.strictEqual((yield* through(other, name)).headers.location, "/")
        assert.include((yield* other.get("/account")).text, user.email)
        // A second account does not get it.
        yield* eve.client.get(path)
        const again = yield* eve.client.post(path, { password: world.password })
        const second = /href="([^"]*code_challenge[^"]*)"/.exec(again.text)?.[1]?.replaceAll("&amp;", "&") ?? ""
        assert.strictEqual((yield* eve.client.get(pathOf(yield* signInThere(second, name)))).status, 409)
        // A login that began before is no way to connect.
        const [, id = ""] = /\/account\/identities\/(\d+)\/remove/.exec((yield* client.get("/account")).text) ?? []
        const remove = `/account/identities/${id}/remove`
        assert.strictEqual((yield* eve.client.get(remove)).status, 404)
        yield* client.get(remove)
        assert.strictEqual((yield* client.post(remove, { password: "wrong password" })).status, 422)
        assert.strictEqual((yield* client.post(remove, { password: world.password })).status, 303)
        assert.strictEqual((yield* through(yield* visitor, name)).headers.location, "/", "somebody new now")
      }))

    it.effect("asks for the second factor, and lets nobody in who is disabled", () =>
      Effect.gen(function*() {
        const world = yield* ConsoleWorld
        const email = makeEmail()
        const name = known(email)
        const client = yield* visitor
        yield* through(client, name)
        const [row] = yield* rowsOf(email)
        const id = row?.id ?? assert.fail("no user")
        yield* Effect.orDie(world.sql`UPDATE users SET password_hash =
          (SELECT password_hash FROM users WHERE password_hash IS NOT NULL LIMIT 1) WHERE id = ${id}`)
        yield* asUser
        const page = yield* client.get("/account/second-factor")
        const secret = /id="totp-secret"[^>]*><code>([A-Z2-7]{32})</.exec(page.text)?.[1] ?? ""
        const sealed = /name="sealed" value="([^"]+)"/.exec(page.text)?.[1] ?? ""
        const code = totpCode(Redacted.make(secret), yield* Clock.currentTimeMillis)
        const set = yield* client.post("/account/second-factor/set-up", {
          sealed,
          app_code: code,
          password: world.password
        })
        assert.strictEqual(set.status, 200, set.text.slice(-2_000))
        const other = yield* visitor
        const asked = yield* through(other, name)
        assert.strictEqual(asked.headers.location, "/login/second-factor")
        assert.isFalse(other.cookies.has("realms_session"))
        yield* Effect.orDie(world.sql`UPDATE users SET disabled_at = now() WHERE id = ${id}`)
        assert.strictEqual((yield* through(yield* visitor, name)).status, 403)
      }))

    it.effect("knows people of GitHub by their number, and their primary verified address", () =>
      Effect.gen(function*() {
        const email = makeEmail()
        const through = (client: ConsoleClient) =>
          Effect.gen(function*() {
            const started = yield* client.get("/login/with/github")
            const answer = yield* new ConsoleClient(github.url).get(
              (started.headers.location ?? "").slice(github.url.length)
            )
            return yield* client.get(pathOf(answer.headers.location ?? ""))
          })
        github.as({ id: 7, emails: [{ email, primary: true, verified: false }] })
        assert.strictEqual((yield* through(yield* visitor)).status, 403)
        github.as({
          id: 7,
          emails: [{ email: makeEmail(), primary: false, verified: true }, { email, primary: true, verified: true }]
        })
        const client = yield* visitor
        assert.strictEqual((yield* through(client)).headers.location, "/")
        assert.include((yield* client.get("/account")).text, email)
        github.as({ id: 8, emails: [{ email, primary: true, verified: true }] })
        assert.strictEqual((yield* through(yield* visitor)).status, 403, "somebody else with the address")
        github.as({ id: 7, emails: [] })
        assert.strictEqual((yield* through(yield* visitor)).headers.location, "/")
      }))

    it.effect("keeps to who may register, and to what this server may call", () =>
      Effect.gen(function*() {
        const { client, world } = yield* signedInRoot
        const save = (section: string, fields: Readonly<Record<string, string>>) =>
          Effect.gen(function*() {
            const settings = yield* client.get("/admin/settings")
            const revision = /name="revision" value="([^"]+)"/.exec(settings.text)?.[1] ?? ""
            return yield* client.post("/admin/settings", { section, revision, ...fields })
          })
        for (const issuer of ["http://id.example", "http://169.254.169.254", "https://169.254.169.254"]) {
          assert.strictEqual((yield* save("oidc", { "sign_in.oidc.issuer": issuer })).status, 422, issuer)
        }
        const secret = (yield* client.get("/admin/settings/oidc")).text
        assert.notInclude(secret, config.sign_in.oidc.client_secret)
        for (const mode of ["closed", "invite"]) {
          assert.strictEqual((yield* save("registration", { "registration.mode": mode })).status, 303)
          assert.strictEqual((yield* through(yield* visitor, known(makeEmail()))).status, 403, mode)
        }
        assert.strictEqual((yield* save("oidc", { "sign_in.oidc.client_id": "" })).status, 303)
        const visiting = yield* visitor
        assert.notInclude((yield* visiting.get("/login")).text, "Sign in with Company")
        assert.strictEqual((yield* visiting.get("/login/with/oidc")).status, 503)
        assert.isAbove(world.origin.length, 0)
      }))
  })
})
