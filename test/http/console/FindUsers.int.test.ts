/**
 * How administrators find people and what is theirs: users sorted, page by page, by balance, spend and last call; users as a file; one
 * box that finds users, keys, orders and payments; and the first steps, which say what is missing and can be put away.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ConsoleWorld, keyless } from "../../support/ConsoleWorld.ts"
import { signIn } from "../../support/RootClient.ts"

/** The users' rows of a page, in their order. */
const idsIn = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/<a class="break-anywhere" href="\/admin\/users\/(\d+)">/g)].map((match) => match[1] ?? "")

const nextIn = (text: string): string | undefined =>
  /<a href="([^"]+)" rel="next">/.exec(text)?.[1]?.replaceAll("&amp;", "&")

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("finding users", (it) => {
  it.effect("sorts them by balance, spend and last call, each once over all pages", () =>
    Effect.gen(function*() {
      const { sql } = yield* ConsoleWorld
      const { client } = yield* signIn
      yield* sql`INSERT INTO users (email) SELECT 'sorted' || i || '@example.com' FROM generate_series(1, 130) i`
      // Many have the same balance; a debt counts below zero.
      yield* sql`INSERT INTO user_balances (user_id, usd_micros, owed_micros)
        SELECT id, CASE WHEN id % 7 = 0 THEN 0 ELSE id % 5 * 1000000 END, CASE WHEN id % 7 = 0 THEN 5 ELSE 0 END
        FROM users WHERE email LIKE 'sorted%'`
      yield* sql`INSERT INTO api_keys (user_id, key_hash, hint, last_used_at)
        SELECT id, sha256(email::bytea), 'sk-…', CASE WHEN id % 3 > 0 THEN now() - make_interval(mins => (id % 11)::integer) END
        FROM users WHERE email LIKE 'sorted%'`
      yield* sql`INSERT INTO usage_keys (key_id, charged_micros) SELECT id, user_id % 13 * 1000 FROM api_keys WHERE hint = 'sk-…'`
      const expected = {
        balance: "coalesce(b.usd_micros - b.owed_micros, 0)",
        spend: "coalesce(s.charged_micros, 0)",
        call: "coalesce(floor(extract(epoch FROM k.last_used_at) * 1000), 0)"
      }
      for (const [sort, value] of Object.entries(expected)) {
        const rows = yield* sql<{ id: bigint }>`SELECT u.id FROM users u LEFT JOIN user_balances b ON b.user_id = u.id
          LEFT JOIN api_keys k ON k.user_id = u.id LEFT JOIN usage_keys s ON s.key_id = k.id
          WHERE position('sorted' IN u.email) > 0 ORDER BY ${sql.literal(value)} DESC, u.id DESC`
        const found: Array<string> = []
        let path: string | undefined = `/admin/users?sort=${sort}&q=sorted`
        while (path !== undefined) {
          const shown: { readonly status: number; readonly text: string } = yield* client.get(path)
          assert.strictEqual(shown.status, 200)
          found.push(...idsIn(shown.text))
          path = nextIn(shown.text)
        }
        assert.deepStrictEqual(found, rows.map(({ id }) => id.toString()), sort)
      }
      for (const bad of ["sort=name", "sort=balance&after=x", "sort=spend&after=9.99.9", "sort=call&after=-.1"]) {
        assert.strictEqual((yield* client.get(`/admin/users?${bad}`)).status, 200, bad)
      }
    }))

  it.effect("gives them as a file, filtered as the page is, to those who may read users", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client } = yield* signIn
      yield* world.sql`INSERT INTO users (email) VALUES ('=cmd@example.com'), ('csv@example.com')`
      const whole = yield* client.get("/admin/users/users.csv")
      assert.strictEqual(whole.headers["content-type"], "text/csv; charset=utf-8")
      const lines = whole.text.trimEnd().split("\r\n")
      assert.strictEqual(
        lines[0],
        "id,email,role,created,disabled,balance_usd,owed_usd,spent_usd,last_call,last_seen"
      )
      const [row] = yield* world.sql<{ users: bigint }>`SELECT count(*) AS users FROM users`
      assert.strictEqual(BigInt(lines.length - 1), row?.users)
      assert.isTrue(lines.some((line) => line.includes(",'=cmd@example.com,")))
      const some = yield* client.get("/admin/users/users.csv?q=csv%40")
      assert.strictEqual(some.text.trimEnd().split("\r\n").length, 2)
      const user = yield* world.user(0n)
      assert.strictEqual((yield* (yield* world.signedIn(user.id)).get("/admin/users/users.csv")).status, 404)
    }))

  it.effect("finds users, keys, orders and payments from one box, and goes to what is found alone", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client, root } = yield* signIn
      const { hint, user } = yield* world.keyed(0n, "laptop")
      const order = yield* world.orders.topup(user.id, 1_000n)
      yield* world
        .sql`INSERT INTO payment_attempts (order_kind, order_id, provider, amount_minor, currency, merchant_reference,
          payment_reference, state) VALUES ('topup', ${order.id}, 'epay', 1000, 'cny', 'topup_1_nonce', 'trade-77', 'open')`
      assert.include((yield* client.get("/admin/orders")).text, 'action="/admin/search"')
      const search = (text: string) => client.get(`/admin/search?q=${encodeURIComponent(text)}`)
      const goes = Effect.fnUntraced(function*(text: string, to: string) {
        const { headers, status } = yield* search(text)
        assert.deepStrictEqual([status, headers.location], [303, to], text)
      })
      yield* goes(user.email, `/admin/users/${user.id}`)
      yield* goes(hint, `/admin/users/${user.id}`)
      yield* goes("trade-77", `/admin/orders/${order.id}`)
      yield* goes("topup_1_nonce", `/admin/orders/${order.id}`)
      const byNumber = yield* search(`#${order.id}`)
      if (byNumber.status === 200) assert.include(byNumber.text, `href="/admin/orders/${order.id}"`)
      else assert.strictEqual(byNumber.headers.location, `/admin/orders/${order.id}`)
      const several = yield* search("example.com")
      assert.include(several.text, root.email)
      assert.include(several.text, user.email)
      const nothing = yield* search("<script>nothing")
      assert.include(nothing.text, "Nothing found")
      assert.notInclude(nothing.text, "<script>nothing")
      for (const text of ["", " ", "\0", "%", "'", "x".repeat(10_000), "99999999999999999999"]) {
        assert.strictEqual((yield* search(text)).status, 200, text.slice(0, 20))
      }
      // Support has no payments, and nobody else has the page.
      yield* world.sql`UPDATE users SET role = 'support' WHERE id = ${user.id}`
      const support = yield* world.signedIn(user.id)
      assert.strictEqual((yield* support.get(`/admin/search?q=${hint.slice(-4)}`)).status, 303)
      const somebody = yield* world.user(0n)
      assert.strictEqual((yield* (yield* world.signedIn(somebody.id)).get("/admin/search?q=a")).status, 404)
    }))
})

layer(ConsoleWorld.layerOf(keyless), { excludeTestServices: true, timeout: 60_000 })("first steps", (it) => {
  it.effect("begin on the overview, say what is missing, and are put away by root, once and for all", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const { client } = yield* signIn
      const shown = yield* client.get("/admin")
      assert.include(shown.text, "Channel “openai” of config.yaml has an empty key")
      assert.include(shown.text, "No enabled channel serves a model. “")
      const [other, again] = [yield* signIn, yield* signIn]
      yield* other.client.get("/admin")
      const dismissed = yield* client.post("/admin/first-steps/dismiss", {})
      assert.strictEqual(dismissed.headers.location, "/admin")
      assert.notInclude((yield* client.get("/admin")).text, "has an empty key")
      assert.notInclude((yield* again.client.get("/admin")).text, "has an empty key")
      assert.strictEqual((yield* other.client.post("/admin/first-steps/dismiss", {})).status, 303)
      const rows = yield* world.sql`SELECT FROM audit_log WHERE action = 'first_steps.dismissed'`
      assert.strictEqual(rows.length, 1)
    }))
})
