/**
 * Root's pages of usage and the overview, over HTTP: what is shown to whom, filters, files and charts, the way from a call to
 * its receipt, and the same figures from the API.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { ApiKeyId, type UserId } from "../../../src/domain/Ids.ts"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { writeHistory } from "../../support/UsageHistory.ts"
import { callAt, idAt, insertCalls } from "../../support/UsageRows.ts"

const clientOf = Effect.fnUntraced(function*(userId: UserId) {
  const world = yield* ConsoleWorld
  return yield* world.signedIn(userId)
})

const signIn = Effect.gen(function*() {
  const world = yield* ConsoleWorld
  return yield* clientOf((yield* world.root).id)
})

const paths = [
  "/admin",
  "/admin/usage",
  "/admin/usage/days.svg",
  "/admin/usage/models.svg",
  "/admin/usage/calls",
  "/admin/usage/calls.csv"
]

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("root's pages of usage", (it) => {
  it.effect("are there for root, and for nobody else", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const root = yield* signIn
      const user = yield* clientOf((yield* world.user(0n)).id)
      const nobody = new ConsoleClient(world.origin)
      for (const path of paths) {
        // A machine that is too busy to draw says so.
        const fine = path.endsWith(".svg") ? [200, 503] : [200]
        assert.include(fine, (yield* root.get(path)).status, path)
        assert.strictEqual((yield* user.get(path)).status, 404, path)
        assert.strictEqual((yield* nobody.get(path)).status, 303, path)
      }
      assert.strictEqual((yield* root.get(`/admin/usage/${idAt(5)}`)).status, 404)
      assert.strictEqual((yield* root.get("/admin/usage/x")).status, 404)
    }))

  it.effect("lead from everybody's figures to one call and its receipt", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const root = yield* signIn
      const user = yield* world.user(0n)
      const other = yield* world.user(0n)
      const nowMs =
        (yield* world.sql<{ ms: number }>`SELECT floor(extract(epoch FROM now()) * 1000)::float8 AS ms`)[0]?.ms ?? 0
      yield* writeHistory(world.sql, { userId: user.id, keyId: ApiKeyId.make(7n), calls: 120, days: 20 })
      const failed = callAt(other.id, nowMs - 600_000, {
        state: "voided",
        channel: "=cmd",
        status: null,
        reason: "upstream_error",
        charged_micros: 0n,
        cost_micros: 0n
      })
      yield* insertCalls([failed]).pipe(Effect.provideService(SqlClient.SqlClient, world.sql))
      let folded = 1
      while (folded > 0) {
        const [row] = yield* world.sql<{ passed: number }>`
          SELECT realms_fold_usage_v1(${user.id}, 180000, 10000) AS passed`
        folded = row?.passed ?? 0
      }

      const figures = yield* root.get(`/admin/usage?user=${encodeURIComponent(user.email.toUpperCase())}`)
      assert.include(figures.text, `Only ${user.email}`)
      assert.include(figures.text, "gpt-4o")
      assert.include(figures.text, `/admin/usage/calls?range=30d&amp;user=`)
      assert.notInclude(figures.text, other.email)
      assert.include(
        (yield* root.get("/admin/usage?user=nobody@example.com")).text,
        "There is no user nobody@example.com."
      )
      assert.include(
        (yield* root.get("/admin/usage?range=custom&from=2026-02-31&to=x")).text,
        "Choose a first and a last day"
      )

      const trouble = yield* root.get("/admin/usage/calls?status=trouble")
      assert.include(trouble.text, `/admin/usage/${failed.id}`)
      assert.include(trouble.text, other.email)
      assert.notInclude(trouble.text, user.email)
      const older = /href="(\/admin\/usage\/calls\?[^"]*before=[^"]*)"/
      const first = yield* root.get(`/admin/usage/calls?user=${user.id}`)
      const next = older.exec(first.text)?.[1]?.replaceAll("&amp;", "&") ?? ""
      assert.include(next, `user=${user.id}`)
      const second = yield* root.get(next)
      assert.strictEqual(second.status, 200)
      assert.include(second.text, "Newest calls")
      assert.strictEqual((yield* root.get("/admin/usage/calls?before=x")).status, 404)

      const found = yield* root.get(`/admin/usage/calls?request=${failed.id}`)
      assert.strictEqual(found.headers.location, `/admin/usage/${failed.id}`)
      const receipt = yield* root.get(`/admin/usage/${failed.id}`)
      for (const text of [other.email, "=cmd", "upstream_error"]) assert.include(receipt.text, text)
      const unknown = yield* root.get("/admin/usage/calls?request=%3Cb%3E")
      assert.include(unknown.text, "There is no call &lt;b>.")

      const file = yield* root.get("/admin/usage/calls.csv?status=trouble")
      const [header, line] = file.text.split("\r\n")
      assert.match(header ?? "", /^user_id,email,request_id,/)
      assert.include(line, `${other.id},${other.email},${failed.id}`)
      assert.include(line, "'=cmd")
      // A user's own receipt and file say nothing of it.
      const own = yield* clientOf(other.id)
      assert.notInclude((yield* own.get(`/usage/${failed.id}`)).text, "=cmd")
      assert.notInclude((yield* own.get("/usage/calls.csv")).text, "=cmd")
    }))

  it.effect("show which channels and models report more than is possible, where channels are looked at", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const root = yield* signIn
      const user = yield* world.user(0n)
      for (const path of ["/admin", "/admin/channels"]) {
        assert.notInclude((yield* root.get(path)).text, "Usage above what is possible", path)
      }
      const nowMs =
        (yield* world.sql<{ ms: number }>`SELECT floor(extract(epoch FROM now()) * 1000)::float8 AS ms`)[0]?.ms ?? 0
      const call = callAt(user.id, nowMs - 60_000, { channel: "<over>", model: "tight", input_tokens: 9_000n })
      yield* insertCalls([call]).pipe(Effect.provideService(SqlClient.SqlClient, world.sql))
      yield* world.sql`UPDATE usage_events SET usage_flags = 'input_clamped above_context', excess_tokens = 4321
        WHERE id = ${call.id}`
      for (const path of ["/admin", "/admin/channels"]) {
        const { text } = yield* root.get(path)
        assert.include(text, "Usage above what is possible", path)
        assert.include(text, "&lt;over>")
        assert.include(text, "Raise the channel's input overhead by 4,321 tokens")
        assert.include(text, "1 of 1 calls of the last 24 hours reported more input than the model's context")
        assert.include(text, "up to 9,000 tokens")
      }
    }))

  it.effect("show the first steps that are left, and none when all are taken", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const root = yield* signIn
      assert.include((yield* root.get("/admin")).text, "Set the public address")
      yield* world.sql`UPDATE channels SET disabled_at = now()`
      const without = yield* root.get("/admin")
      assert.include(without.text, `<a href="/admin/channels">Add a channel</a>`)
      assert.include(without.text, `<a href="/admin/models">Add a model with its price</a>`)
      assert.include(without.text, "Channel “simulator” is disabled, like every other. Enable one.")
      assert.include(without.text, "No enabled channel serves a model.")
      yield* world.sql`UPDATE channels SET disabled_at = NULL`
    }))

  it.effect("have the same figures in the API, which refuses what it cannot read", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const root = yield* signIn
      const json = (path: string) =>
        Effect.map(root.get(`/api/admin${path}`), ({ status, text }) => ({ status, body: JSON.parse(text) }))
      const { body: calls } = yield* json("/usage/calls?status=trouble")
      assert.strictEqual(calls.items.length, 1)
      assert.deepInclude(calls.items[0], { channel: "=cmd", charged_micros: "0", state: "voided" })
      const { body: receipt } = yield* json(`/usage/calls/${calls.items[0].id}`)
      assert.deepInclude(receipt, { id: calls.items[0].id, plan_multiplier_micros: "1000000" })
      assert.strictEqual((yield* json(`/usage/calls/${idAt(6)}`)).status, 404)
      const { body: report } = yield* json("/usage?time_zone=Asia/Shanghai")
      const [sum] = yield* world.sql<
        { charged: bigint }
      >`SELECT sum(charged_micros)::bigint AS charged FROM usage_hours`
      assert.strictEqual(report.totals.charged_micros, `${sum?.charged}`)
      assert.strictEqual(report.channels.top[0].name, "simulator")
      const { body: health } = yield* json("/usage/channels")
      assert.include(health.channels.map(({ name }: { readonly name: string }) => name), "simulator")
      const { body: overview } = yield* json("/overview")
      assert.deepInclude(overview.first_steps, { step: "channel", done: true })
      assert.deepInclude(overview.first_steps, { step: "address", done: false })
      assert.strictEqual(overview.month.charged_micros, report.totals.charged_micros)
      for (const bad of ["?from=yesterday", "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "/calls?before=x"]) {
        assert.strictEqual((yield* json(`/usage${bad}`)).status, 422, bad)
      }
      assert.strictEqual((yield* json("/usage/calls?user_id=-1")).status, 400)
    }))
})

layer(ConsoleWorld.layerOf({ server: { port: 0, public_url: "https://realms.example" } }), {
  excludeTestServices: true,
  timeout: 60_000
})("the overview of an installation that lacks nothing", (it) => {
  it.effect("shows no first steps, and what was paid", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const root = yield* signIn
      // Behind https the cookie has its strict name.
      root.cookies.set("__Host-realms_session", root.cookies.get("realms_session") ?? "")
      const user = yield* world.user(0n)
      yield* world
        .sql`INSERT INTO topup_orders (user_id, amount_fen, credit_micros, credit_usd_per_cny, state, expires_at,
          settled_at) VALUES (${user.id}, 12345, 1, '0.14', 'paid', now(), now()),
          (${user.id}, 700, 1, '0.14', 'paid', now(), now() - interval '3 days'),
          (${user.id}, 900, 1, '0.14', 'refunded', now(), now())`
      const shown = yield* root.get("/admin")
      assert.notInclude(shown.text, "First steps")
      for (const text of ["¥123.45", "¥130.45 in 30 days", "Unpaid orders", "2 in 30 days, 2 in total"]) {
        assert.include(shown.text, text)
      }
    }))
})
