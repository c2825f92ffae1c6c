/**
 * The ledger of a balance over HTTP: real credits, debits and calls in their order with the balance after each, page by page and
 * as a file; what root noted stays with root; and a plan that has ended says so on the dashboard.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { figuresSql } from "../../../src/usage/KeyFigures.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { call } from "../../support/ConsoleStory.ts"

/** The cells of a table's rows, as texts. */
const rowsIn = (text: string): ReadonlyArray<ReadonlyArray<string>> =>
  Array.from(
    text.matchAll(/<tr>(<td.*?)<\/tr>/gs),
    ([, row = ""]) =>
      Array.from(row.matchAll(/<td[^>]*>(.*?)<\/td>/gs), ([, cell = ""]) =>
        cell.replace(/<div class="d-md-none.*/s, "").replace(/<[^>]+>/g, " ").replace(/\s+/g, " ").trim())
  )

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("the ledger", (it) => {
  it.effect("has a line for each entry and one for the calls in between, which add up to the balance", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const user = yield* world.user(2_000_000n)
      const client = yield* world.signedIn(user.id)
      const key = Redacted.value((yield* world.keys.create({ userId: user.id, name: "k" })).key)
      yield* Effect.promise(() => call(world.origin, key))
      yield* Effect.promise(() => call(world.origin, key))
      yield* world.adjust(user.id, -300_000n, "a secret note")
      yield* Effect.promise(() => call(world.origin, key))
      const [state] = yield* world.sql<{ usd: bigint; spent: bigint }>`
        SELECT usd_micros AS usd, (SELECT sum(charged_micros)::bigint FROM usage_events WHERE user_id = ${user.id}) AS spent
          FROM user_balances WHERE user_id = ${user.id}`
      assert.isAbove(Number(state?.spent), 0)

      const shown = yield* client.get("/ledger")
      const rows = rowsIn(shown.text)
      assert.deepStrictEqual(
        rows.map(([what = ""]) => what.split(" ")[0]),
        ["Calls", "Adjustment", "Calls", "Adjustment"]
      )
      assert.include(rows[1]?.[1], "-$0.300000")
      assert.deepStrictEqual(rows[3]?.slice(1), ["+$2.000000", "$2.000000"])
      for (const note of ["a secret note", "test", "cli"]) {
        assert.notInclude(shown.text.replace(/<head.*<\/head>/s, ""), `>${note}`)
      }
      assert.include(shown.text, "/usage?range=custom&amp;from=")

      const file = yield* client.get("/ledger.csv")
      assert.strictEqual(file.headers["content-type"], "text/csv; charset=utf-8")
      assert.notInclude(file.text, "secret")
      const lines = file.text.trim().split("\r\n").map((line) => line.split(","))
      assert.deepStrictEqual(lines.map((line) => line[3]), ["kind", "calls", "adjustment", "calls", "adjustment"])
      const micros = (text = "") => BigInt(Math.round(Number(text) * 1e6))
      const sumOf = (kind: string) =>
        lines.filter((line) => line[3] === kind).reduce((sum, line) => sum + micros(line[5]), 0n)
      assert.strictEqual(sumOf("calls"), -(state?.spent ?? 0n))
      assert.strictEqual(sumOf("calls") + sumOf("adjustment"), state?.usd)
      assert.strictEqual(micros(lines[1]?.[7]), state?.usd)

      const dashboard = yield* client.get("/")
      assert.include(dashboard.text, 'class="console-balance" href="/ledger"')
      const other = yield* world.signedIn((yield* world.user(0n)).id)
      assert.include((yield* other.get("/ledger")).text, "No entries yet")
      assert.deepStrictEqual(yield* world.problems, [])
    }))

  it.effect("shows what became debt and what paid it, and no calls where there were none", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const user = yield* world.user(1_000_000n)
      const client = yield* world.signedIn(user.id)
      const post = (kind: string, micros: bigint, mode: string) =>
        world
          .sql`SELECT outcome FROM realms_ledger_entry_v1(${user.id}, ${kind}, ${micros}, 'test', ${`${user.id}`}, 'system', '', ${mode})`
      yield* post("refund", -3_000_000n, "owe")
      const [refund, first] = rowsIn((yield* client.get("/ledger")).text)
      assert.match(refund?.[0] ?? "", /^Refund/)
      assert.deepStrictEqual(refund?.slice(1), ["-$1.000000 $2.00 added to the debt", "$0.000000 $2.00 owed"])
      assert.match(first?.[0] ?? "", /^Adjustment/)
      yield* post("dispute_returned", 5_000_000n, "strict")
      const rows = rowsIn((yield* client.get("/ledger")).text)
      assert.deepStrictEqual(rows.map(([what = ""]) => what.replace(/ [A-Z][a-z]{2} \d.*/, "")), [
        "Debt paid from a credit",
        "Dispute won",
        "Refund",
        "Adjustment"
      ])
      assert.deepStrictEqual(rows[0]?.slice(1), ["-$2.000000", "$3.000000"])
    }))

  it.effect("goes page by page through ten thousand entries, each shown once", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const user = yield* world.user(0n)
      const client = yield* world.signedIn(user.id)
      const count = 10_000
      yield* world
        .sql`INSERT INTO ledger_entries (user_id, seq, kind, amount_micros, usd_after, owed_after, ref_type, ref_id, actor)
        SELECT ${user.id}, i, 'redemption', 10, i * 7, 0, 'redemption', ${`${user.id}-`} || i, 'system'
          FROM generate_series(1, ${count}::integer) i`
      yield* world.sql`UPDATE user_balances SET usd_micros = ${7n * BigInt(count)} WHERE user_id = ${user.id}`
      let path = "/ledger"
      let seen = 0
      for (let page = 0; page < 3; page++) {
        const { text } = yield* client.get(path)
        const rows = rowsIn(text)
        // An entry, and the calls before it; before the first there were none.
        assert.lengthOf(rows, 100)
        assert.strictEqual(rows[0]?.[2], `$${(((count - seen) * 7) / 1e6).toFixed(6)}`)
        seen += 50
        path = /href="(\/ledger\?before=\d+)"/.exec(text)?.[1] ?? "none"
      }
      assert.strictEqual((yield* client.get("/ledger?before=x")).status, 200)
      const lines = (yield* client.get("/ledger.csv")).text.trim().split("\r\n")
      // Before the first entry too, since these begin with less than they left.
      assert.lengthOf(lines, 1 + 2 * count)
      const plan = yield* world.sql<{ "QUERY PLAN": string }>`EXPLAIN SELECT id FROM ledger_entries
        WHERE user_id = ${user.id} AND id < 9000000 ORDER BY user_id DESC, id DESC LIMIT 51`
      assert.include(plan.map((row) => row["QUERY PLAN"]).join(), "Index")
      // A tool that polls another account's balance does not read all of these.
      yield* world.sql`ANALYZE ledger_entries`
      const other = yield* world.user(0n)
      const key = yield* world.keys.create({ userId: other.id, name: "polled" })
      const figures = yield* world.sql.unsafe<{ "QUERY PLAN": string }>(`EXPLAIN ${figuresSql}`, [key.id])
      assert.notInclude(figures.map((row) => row["QUERY PLAN"]).join(), "Seq Scan on ledger_entries")
    }))

  it.effect("plans that have ended say so on the dashboard, with the reason", () =>
    Effect.gen(function*() {
      const world = yield* ConsoleWorld
      const plan = (userId: bigint, name: string, more: string) =>
        world.sql`INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros,
            limit_7d_micros, limit_30d_micros, fence, starts_at, ends_at, status, suspended_at, withdrawn_at)
          SELECT ${userId}, 'basic', ${name}, 0, 0, 0, 0, 1, ${world.sql.literal(more)}`
      const user = yield* world.user(0n)
      const client = yield* world.signedIn(user.id)
      yield* plan(user.id, "Gone", "now() - interval '30 days', now() - interval '1 day', 'ended', NULL, NULL")
      yield* plan(user.id, "Long", "now() - interval '90 days', now() - interval '60 days', 'ended', NULL, NULL")
      yield* plan(
        user.id,
        "Back",
        "now() - interval '3 days', now() + interval '9 days', 'ended', now() - interval '1 hour', NULL"
      )
      const first = (yield* client.get("/")).text
      assert.match(first, /Your plan Gone ended on [^<]+\./)
      assert.match(first, /Your plan Back ended on [^<]+, because its price was refunded\./)
      assert.notInclude(first, "Your plan Long")
      yield* plan(user.id, "Taken", "now() - interval '3 days', now() + interval '9 days', 'ended', now(), now()")
      yield* plan(user.id, "New", "now() - interval '1 day', now() + interval '9 days', 'active', NULL, NULL")
      const then = (yield* client.get("/")).text
      assert.match(then, /Your plan Taken was ended by the administrator on [^<]+\./)
      assert.notInclude(then, "Your plan Gone")
      assert.include(then, "Your plan Back")
    }))
})
