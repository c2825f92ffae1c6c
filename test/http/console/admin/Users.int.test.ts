/**
 * What administrators do to users in the console, over HTTP: it works for root, is not there for others, bad input changes
 * nothing, a form that is sent twice is done once, and every change is on record without a secret.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { UserId } from "../../../../src/domain/Ids.ts"
import { ConsoleClient } from "../../../support/ConsoleClient.ts"
import { ConsoleWorld } from "../../../support/ConsoleWorld.ts"
import { adjustIn } from "../../../support/TestAccounts.ts"
import { send } from "../../../support/TestHttp.ts"

const signedIn = Effect.fnUntraced(function*(userId: UserId) {
  const world = yield* ConsoleWorld
  return yield* world.signedIn(userId)
})

const asRoot = Effect.gen(function*() {
  const root = yield* (yield* ConsoleWorld).root
  return { root, client: yield* signedIn(root.id) }
})

/** An administrator before the page of a new user, or before a form there. */
const atUser = Effect.fnUntraced(function*(usdMicros: bigint, form: string) {
  const world = yield* ConsoleWorld
  const user = yield* world.user(usdMicros)
  return { ...yield* asRoot, world, user, path: `/admin/users/${user.id}${form}` }
})

const keyIn = (text: string): string => /name="key" value="([^"]+)"/.exec(text)?.[1] ?? ""

const balanceOf = (userId: UserId) =>
  Effect.gen(function*() {
    const { sql } = yield* ConsoleWorld
    const [row] = yield* sql<{ usd_micros: bigint }>`SELECT usd_micros FROM user_balances WHERE user_id = ${userId}`
    return row?.usd_micros
  })

const actionsOf = (userId: UserId) =>
  Effect.gen(function*() {
    const { sql } = yield* ConsoleWorld
    const rows = yield* sql<{ actor: string; action: string }>`
      SELECT actor, action FROM audit_log WHERE target = ${`user:${userId}`} AND actor <> 'cli' ORDER BY id`
    return rows.map(({ action, actor }) => `${actor} ${action}`)
  })

layer(ConsoleWorld.layerOf(), { excludeTestServices: true })("users in the administration", (it) => {
  it.effect("are there for root, and for nobody else", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client } = yield* asRoot
      const user = yield* world.user(0n)
      const other = yield* signedIn(user.id)
      const below = ["", "/adjust", "/grant", "/disable", "/role"].map((path) => `/admin/users/${user.id}${path}`)
      for (const path of ["/admin/users", "/admin/users/new", "/admin/audit", "/admin/audit/changes.csv", ...below]) {
        assert.strictEqual((yield* client.get(path)).status, 200, path)
        assert.strictEqual((yield* other.get(path)).status, 404, path)
        assert.strictEqual((yield* new ConsoleClient(world.origin).get(path)).status, 303, path)
      }
      // A session's device by its name, and what the client said of itself as a hint.
      assert.include((yield* client.get(`/admin/users/${user.id}`)).text, 'title="test">Unknown device')
      yield* other.get("/account")
      const forms = ["adjust", "waive", "grant", "disable", "enable", "role", "password-link", "subscriptions/1/end"]
      for (const form of ["/admin/users", ...forms.map((name) => `/admin/users/${user.id}/${name}`)]) {
        assert.strictEqual((yield* other.post(form, {})).status, 404, form)
      }
      for (const path of ["/admin/users/999999", "/admin/users/0", "/admin/users/x", "/admin/users/999999/adjust"]) {
        assert.strictEqual((yield* client.get(path)).status, 404, path)
      }
      assert.deepStrictEqual(yield* actionsOf(user.id), [])
    }))

  it.effect("are found, and listed page by page with the filter kept", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client } = yield* asRoot
      yield* world.sql`WITH made AS (INSERT INTO users (email)
        SELECT 'paged' || n || '@example.com' FROM generate_series(1, 60) n RETURNING id)
        INSERT INTO user_balances (user_id) SELECT id FROM made`
      const seen = new Set<string>()
      let path: string | undefined = "/admin/users?q=PAGED&state=active"
      while (path !== undefined) {
        const { text }: { readonly text: string } = yield* client.get(path)
        for (const match of text.matchAll(/>(paged\d+@example\.com)</g)) seen.add(match[1] ?? "")
        path = /href="(\/admin\/users\?[^"]*before=\d+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&")
      }
      assert.strictEqual(seen.size, 60)
      const none = yield* client.get("/admin/users?q=%3Cscript%3E&role=x&before=y")
      assert.include(none.text, "No matching users")
      assert.notInclude(none.text, '<script>"')
      assert.include((yield* client.get(`/admin/users?q=${"%00".repeat(300)}`)).text, "paged60@example.com")
    }))

  it.effect("get money once for one form, however often it is sent, and only a sensible amount with a reason", () =>
    Effect.gen(function*() {
      const { client, path, root, user, world } = yield* atUser(5_000_000n, "/adjust")
      const key = keyIn((yield* client.get(path)).text)
      const bad = [
        [{ amount: "", note: "why" }, "amount"],
        [{ amount: "five", note: "why" }, "amount"],
        [{ amount: "0", note: "why" }, "amount"],
        [{ amount: "0.0000001", note: "why" }, "amount"],
        [{ amount: "1000000.01", note: "why" }, "amount"],
        [{ amount: "1e3", note: "why" }, "amount"],
        [{ amount: "-5.01", note: "why" }, "amount"],
        [{ amount: "1", note: " " }, "note"],
        [{ amount: "1", note: "x".repeat(501) }, "note"]
      ] as const
      for (const [fields, name] of bad) {
        const refused = yield* client.post(path, { ...fields, key })
        assert.strictEqual(refused.status, 422, JSON.stringify(fields))
        assert.include(refused.text, `id="field-${name}-problem"`, JSON.stringify(fields))
        assert.strictEqual(keyIn(refused.text), key, "the same change, corrected")
      }
      const short = yield* client.post(path, { amount: "-5.01", note: "why", key })
      assert.include(short.text, "The balance is $5.00")
      assert.strictEqual((yield* client.post(path, { amount: "1", note: "why", key: "'; --" })).status, 422)
      assert.strictEqual(yield* balanceOf(user.id), 5_000_000n)

      const fields = { amount: "$2.50", note: "<b>sorry</b>", key }
      const sent = yield* Effect.forEach([1, 2, 3], () => client.post(path, fields), { concurrency: "unbounded" })
      assert.deepStrictEqual(sent.map(({ status }) => status), [303, 303, 303])
      assert.strictEqual(yield* balanceOf(user.id), 7_500_000n)
      const changed = yield* client.post(path, { ...fields, amount: "3" })
      assert.strictEqual(changed.status, 409)
      assert.notStrictEqual(keyIn(changed.text), key, "a new change from here on")
      const next = { ...fields, amount: "-7.50", key: keyIn(changed.text) }
      assert.strictEqual((yield* client.post(path, next)).status, 303)
      assert.strictEqual(yield* balanceOf(user.id), 0n)
      const by = `user:${root.id} balance.adjusted`
      assert.deepStrictEqual(yield* actionsOf(user.id), [by, by])
      const shown = yield* client.get(`/admin/users/${user.id}?done=adjusted`)
      assert.include(shown.text, "Balance adjusted.")
      assert.include(shown.text, "&lt;b>sorry")
      assert.notInclude(shown.text, "<b>sorry")
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("are let off a debt once for one form, no more than they owe, and only with a reason", () =>
    Effect.gen(function*() {
      const { client, path, root, user, world } = yield* atUser(0n, "/waive")
      assert.strictEqual((yield* client.get(path)).status, 303, "nothing is owed")
      assert.notInclude((yield* client.get(`/admin/users/${user.id}`)).text, path)
      yield* Effect.orDie(adjustIn(world.sql, user.id, { amountMicros: -2_500_000n, mode: "owe" }))
      assert.include((yield* client.get(`/admin/users/${user.id}`)).text, path)
      const form = (yield* client.get(path)).text
      assert.include(form, "The user owes $2.50")
      assert.include(form, 'value="2.50"')
      const key = keyIn(form)
      const bad = [
        [{ amount: "", note: "why" }, "amount"],
        [{ amount: "0", note: "why" }, "amount"],
        [{ amount: "-1", note: "why" }, "amount"],
        [{ amount: "2.51", note: "why" }, "amount"],
        [{ amount: "1", note: " " }, "note"]
      ] as const
      for (const [fields, name] of bad) {
        const refused = yield* client.post(path, { ...fields, key })
        assert.strictEqual(refused.status, 422, JSON.stringify(fields))
        assert.include(refused.text, `id="field-${name}-problem"`, JSON.stringify(fields))
      }
      const fields = { amount: "$1.50", note: "goodwill", key }
      const sent = yield* Effect.forEach([1, 2, 3], () => client.post(path, fields), { concurrency: "unbounded" })
      assert.deepStrictEqual(sent.map(({ status }) => status), [303, 303, 303])
      assert.strictEqual((yield* client.post(path, { ...fields, amount: "1" })).status, 409)
      const shown = (yield* client.get(`/admin/users/${user.id}?done=waived`)).text
      for (const text of ["Debt waived.", "Debt waived", "$1.50 taken off the debt", "$1.00 owed"]) {
        assert.include(shown, text)
      }
      assert.include(yield* actionsOf(user.id), `user:${root.id} debt.waived`)
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("get a plan once for one form, and lose it when it is ended", () =>
    Effect.gen(function*() {
      const { client, path, root, user, world } = yield* atUser(0n, "/grant")
      const key = keyIn((yield* client.get(path)).text)
      assert.strictEqual((yield* client.post(path, { plan: "none", note: "gift", key })).status, 422)
      assert.strictEqual((yield* client.post(path, { plan: "basic", note: "", key })).status, 422)
      const fields = { plan: "basic", note: "gift", key }
      yield* Effect.forEach([1, 2], () => client.post(path, fields), { concurrency: "unbounded" })
      assert.strictEqual((yield* client.post(path, { ...fields, note: "other" })).status, 409)
      const shown = yield* client.get(`/admin/users/${user.id}`)
      const ends = [...shown.text.matchAll(/href="(\/admin\/users\/\d+\/subscriptions\/\d+\/end)"/g)]
      assert.strictEqual(ends.length, 1)
      assert.include(shown.text, "Granted: gift")
      const end = ends[0]?.[1] ?? ""
      assert.include((yield* client.get(end)).text, "End this plan?")
      assert.strictEqual((yield* client.post(end, { note: "" })).status, 422)
      assert.strictEqual((yield* client.post(end, { note: "abuse" })).status, 303)
      assert.strictEqual((yield* client.post(end, { note: "abuse" })).status, 409)
      assert.strictEqual((yield* client.get(end)).status, 303)
      const stranger = yield* world.user(0n)
      assert.strictEqual((yield* client.get(end.replace(`/${user.id}/`, `/${stranger.id}/`))).status, 404)
      const by = `user:${root.id}`
      assert.deepStrictEqual(yield* actionsOf(user.id), [`${by} subscription.granted`, `${by} subscription.ended`])
    }))

  it.effect("are shut out at once, and let in again", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client, root } = yield* asRoot
      const { key, user } = yield* world.keyed(1_000_000n, "program")
      const own = yield* signedIn(user.id)
      const call = send(`${world.origin}/v1/models`, { method: "GET", key: Redacted.value(key) })
      assert.strictEqual((yield* own.get("/keys")).status, 200)
      const path = `/admin/users/${user.id}`
      assert.include((yield* client.get(`${path}/disable`)).text, "Disable this user?")
      assert.strictEqual((yield* client.post(`${path}/disable`, {})).status, 303)
      assert.strictEqual((yield* own.get("/keys")).status, 303)
      assert.strictEqual((yield* call).status, 401)
      assert.include((yield* client.get(path)).text, "disabled since")
      assert.strictEqual((yield* client.post(`${path}/password-link`, {})).status, 409)
      assert.strictEqual((yield* client.post(`${path}/enable`, {})).status, 303)
      assert.deepStrictEqual(yield* actionsOf(user.id), [
        `user:${root.id} user.disabled`,
        `user:${root.id} user.enabled`
      ])
      yield* client.get(`/admin/users/${root.id}/disable`)
      const self = yield* client.post(`/admin/users/${root.id}/disable`, {})
      assert.strictEqual(self.status, 422)
      assert.include(self.text, "You cannot do this to yourself")
      const { password } = world
      assert.strictEqual((yield* client.post(`/admin/users/${root.id}/role`, { role: "user", password })).status, 422)
      assert.strictEqual((yield* client.post(`${path}/role`, { role: "king", password })).status, 422)
    }))

  it.effect("are made administrators and ordinary users again", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { password } = world
      const { client } = yield* asRoot
      yield* client.get("/admin/users/new")
      assert.strictEqual((yield* client.post("/admin/users", { email: "x", role: "user" })).status, 422)
      const email = "made@example.com"
      const made = yield* client.post("/admin/users", { email, role: "user" })
      assert.strictEqual(made.status, 303)
      assert.strictEqual((yield* client.post("/admin/users", { email, role: "user" })).status, 422)
      const path = (made.headers.location ?? "").replace(/\?.*/, "")
      const id = UserId.make(BigInt(path.split("/").at(-1) ?? "0"))
      const theirs = yield* signedIn(id)
      assert.strictEqual((yield* theirs.get("/admin/users")).status, 404)
      yield* client.get(`${path}/role`)
      assert.strictEqual((yield* client.post(`${path}/role`, { role: "root", password })).status, 303)
      assert.strictEqual((yield* theirs.get("/admin/users")).status, 200)
      assert.strictEqual((yield* client.post(`${path}/role`, { role: "user", password })).status, 303)
      assert.strictEqual((yield* theirs.get("/admin/users")).status, 404)
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("come into the administration only by an administrator who has just signed in or gives the password", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { password } = world
      const { client, root } = yield* asRoot
      const other = yield* world.root
      const path = `/admin/users/${other.id}`
      const user = yield* world.user(0n)
      yield* client.get(path)
      yield* client.post(`${path}/disable`, {})
      assert.include((yield* client.get(path)).text, `href="${path}/enable"`)
      assert.notInclude((yield* client.get(`${path}/enable`)).text, 'name="password"')
      assert.strictEqual((yield* client.post(`${path}/enable`, {})).headers.location, `${path}?done=enabled`)
      yield* client.post(`${path}/disable`, {})
      yield* world.ageSessions
      const keysNow = world.sql<{ count: bigint }>`SELECT count(*) FROM api_keys WHERE kind = 'admin'`
      const linksNow = world.sql<{ count: bigint }>`SELECT count(*) FROM password_links`
      const before = [yield* keysNow, yield* linksNow]
      // Each with what it needs besides; the page asks for the password, and the answer says that it was wrong.
      const actions = [
        [`${path}/enable`, {}],
        [`${path}/password-link`, {}],
        [`${path}/role`, { role: "finance" }],
        [`/admin/users/${user.id}/role`, { role: "support" }],
        ["/admin/keys", { name: "stolen" }]
      ] as const
      for (const [index, [action, fields]] of actions.entries()) {
        assert.match((yield* client.get(action)).text, /<input[^>]* name="password"/, action)
        const wrong = index % 2 === 0 ? {} : { password: "not the password" }
        const { status, text } = yield* client.post(action, { ...fields, ...wrong })
        assert.deepStrictEqual([status, text.includes('name="password"')], [422, true], action)
      }
      yield* client.get("/admin/users/new")
      const staff = { email: "made-by-thief@example.com", role: "root" }
      assert.strictEqual((yield* client.post("/admin/users", staff)).status, 422)
      assert.deepStrictEqual([yield* keysNow, yield* linksNow], before)
      assert.deepStrictEqual(
        yield* actionsOf(other.id),
        ["disabled", "enabled", "disabled"].map((does) => `user:${root.id} user.${does}`)
      )
      assert.deepStrictEqual(yield* actionsOf(user.id), [])

      yield* client.get(`${path}/enable`)
      const enabled = yield* client.post(`${path}/enable`, { password })
      assert.strictEqual(enabled.headers.location, `${path}?done=enabled`)
      const link = yield* client.post(`${path}/password-link`, { password })
      assert.match(link.text, /\/reset\/[\w-]{43}/)
      assert.strictEqual((yield* client.post("/admin/users", { ...staff, password })).status, 303)
    }))

  it.effect("set a new password by a link, once", () =>
    Effect.gen(function*() {
      const { client, path, user, world } = yield* atUser(0n, "")
      const own = yield* signedIn(user.id)
      yield* client.get(path)
      const first = yield* client.post(`${path}/password-link`, {})
      const shown = yield* client.post(`${path}/password-link`, {})
      const linkIn = (text: string) => /\/reset\/[\w-]{43}/.exec(text)?.[0] ?? "none"
      const link = linkIn(shown.text)
      assert.notInclude((yield* client.get(path)).text, "/reset/")
      const visitor = new ConsoleClient(world.origin)
      for (const bad of [linkIn(first.text), "/reset/x", `/reset/${"A".repeat(43)}`]) {
        const { status, text } = yield* visitor.get(bad)
        assert.deepStrictEqual([status, text.includes("This link is not valid")], [404, true], bad)
      }
      const form = yield* visitor.get(link)
      assert.include(form.text, user.email)
      const short = yield* visitor.post(link, { password: "short" })
      assert.strictEqual(short.status, 422)
      assert.include(short.text, "Too short")
      assert.strictEqual((yield* own.get("/keys")).status, 200)
      const next = "a new horse battery"
      const done = yield* visitor.post(link, { password: next })
      assert.include(done.text, "Your new password is set")
      assert.strictEqual((yield* own.get("/keys")).status, 303, "signed out")
      assert.strictEqual((yield* visitor.post(link, { password: next })).status, 404)
      yield* visitor.get("/login")
      const login = yield* visitor.post("/login", { email: user.email, password: next })
      assert.strictEqual(login.status, 303)
      const [all] = yield* world.sql<{ text: string }>`SELECT string_agg(a::text, ' ') AS text FROM audit_log a`
      assert.notInclude(all?.text, link.slice("/reset/".length))
      assert.notInclude((yield* client.get("/admin/audit")).text, link.slice("/reset/".length))
    }))

  it.effect("and all of it is in the audit log, filtered, and as a file without formulas", () =>
    Effect.gen(function*() {
      const { client, path, root, world } = yield* atUser(0n, "/adjust")
      const note = '=HYPERLINK("x","<img src=x>")'
      const key = keyIn((yield* client.get(path)).text)
      yield* client.post(path, { amount: "1", note, key })
      yield* world.sql`INSERT INTO audit_log (actor, action, target, address)
        VALUES (${`user:${root.id}`}, 'odd.made', '=1+1', '@x')`
      yield* world.sql`INSERT INTO audit_log (actor, action, target)
        SELECT 'cli', 'many.made', 'many:' || n FROM generate_series(1, 60) n`
      const mine = new URLSearchParams({ actor: root.email })
      const shown = yield* client.get(`/admin/audit?${mine}`)
      assert.include(shown.text, "balance.adjusted")
      assert.include(shown.text, "&lt;img src=x>")
      assert.notInclude(shown.text, "<img src=x>")
      assert.notInclude(shown.text, "many.made")
      const csv = yield* client.get(`/admin/audit/changes.csv?${mine}`)
      assert.match(csv.headers["content-type"] ?? "", /^text\/csv/)
      const lines = csv.text.trimEnd().split("\r\n")
      assert.strictEqual(lines[0], "id,time,actor,email,action,target,address,before,after")
      assert.strictEqual(lines.length, 3)
      assert.match(lines[1] ?? "", /,odd\.made,'=1\+1,'@x,,$/)
      assert.include(lines[2], `""note"":""=HYPERLINK(`)
      assert.isFalse(lines.some((line) => /(?:^|,)[=+@-]/.test(line)))

      const seen = new Set<string>()
      let next: string | undefined = "/admin/audit?action=many."
      while (next !== undefined) {
        const { text }: { readonly text: string } = yield* client.get(next)
        for (const match of text.matchAll(/>(many:\d+)</g)) seen.add(match[1] ?? "")
        next = /href="(\/admin\/audit\?[^"]*before=\d+)"/.exec(text)?.[1]?.replaceAll("&amp;", "&")
      }
      assert.strictEqual(seen.size, 60)
      const day = yield* client.get("/admin/audit?from=2020-01-01&to=2020-01-31")
      assert.include(day.text, "Nothing matches the filter")
      for (const bad of ["from=2020-02-31", "from=x", "from=2020-02-02&to=2020-02-01"]) {
        assert.include((yield* client.get(`/admin/audit?${bad}`)).text, "These dates are not a valid period", bad)
      }
    }))
})
