/**
 * Statements and exports in the administration's API: what is booked is in the lines, and files end with their totals.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { rootProgram } from "../../support/AdminClient.ts"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"

const program = Effect.gen(function*() {
  const { ask, get, world } = yield* rootProgram
  return {
    world,
    user: yield* world.user(0n),
    get: (path: string) => ask("GET", path),
    json: get,
    post: (path: string, body: object) => ask("POST", path, body),
    upload: (path: string, text: string, type = "text/csv") => ask("POST", path, text, { "content-type": type })
  }
})

const linesOf = (text: string) => text.trimEnd().split("\r\n").map((line) => line.split(","))

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })(
  "/api/admin/statements and exports",
  (it) => {
    it.effect("state what a paid order brought, and end each file with its totals", () =>
      Effect.gen(function*() {
        const { get, json, post, user, world } = yield* program
        const order = yield* Effect.orDie(world.orders.topup(user.id, 1_000n))
        const plan = yield* Effect.orDie(world.orders.topup(user.id, 2_000n))
        for (const [id, reference] of [[order.id, "=bank 1"], [plan.id, "bank 2"]]) {
          const done = yield* post(`/orders/${id}/complete`, { provider: "manual", reference, note: "n" })
          assert.strictEqual(done.status, 200, done.text)
        }
        const { json: statement, status } = yield* json("/statements")
        assert.strictEqual(status, 200)
        assert.deepInclude(statement, { time_zone: "UTC", closed: false, closed_days: 0 })
        assert.strictEqual(statement.books.balances.lines.top_ups, "4200000")
        assert.strictEqual(
          BigInt(statement.books.balances.closing),
          BigInt(statement.now.usd_micros) + BigInt(statement.now.held_micros)
        )
        assert.deepStrictEqual(
          statement.books.cash.map(({ lines, net, provider }: never) => [provider, lines["manual"], net]),
          [
            ["manual", "3000", "3000"]
          ]
        )
        assert.strictEqual(statement.starts_at, `${statement.from}T00:00:00.000Z`)
        const liability = yield* json(`/statements/liability?day=${statement.to}`)
        assert.deepInclude(liability.json, {
          prepaid_micros: statement.books.balances.closing,
          owed_micros: "0",
          unearned: []
        })
        assert.deepStrictEqual((yield* json("/statements/days")).json, { items: [] })

        const payments = yield* get("/exports/payments?provider=manual")
        assert.strictEqual(payments.status, 200)
        assert.match(payments.headers["content-type"] ?? "", /^text\/csv/)
        const rows = linesOf(payments.text)
        const column = (name: string) => rows[0]?.indexOf(name) ?? -1
        assert.deepStrictEqual(rows.slice(1).map((row) => [row[column("payment_id")], row[column("paid")]]), [
          ["'=bank 1", "10.00"],
          ["bank 2", "20.00"],
          ["", "30.00"]
        ])
        assert.deepStrictEqual(rows.at(-1)?.slice(0, 3), ["total", "2 rows", "manual"])
        const ledger = linesOf((yield* get("/exports/ledger?state=topup")).text)
        assert.deepStrictEqual(ledger.slice(1).map((row) => row[ledger[0]?.indexOf("amount_usd") ?? -1]), [
          "1.40",
          "2.80",
          "4.20"
        ])
        for (const [kind, count] of [["orders", 2], ["refunds", 0], ["disputes", 0], ["cash", 2]] as const) {
          const file = yield* get(`/exports/${kind}`)
          const length = linesOf(file.text).length
          assert.strictEqual(length, count === 0 ? 1 : count + 2, kind)
        }
      }))

    it.effect("refuse invalid days and filters that rows do not have", () =>
      Effect.gen(function*() {
        const { get } = yield* program
        const refused = (path: string) =>
          Effect.map(get(path), ({ status, text }) => [status, Object.keys(JSON.parse(text).problems)])
        for (const base of ["/statements", "/statements/days", "/exports/ledger"]) {
          assert.deepStrictEqual(yield* refused(`${base}?month=2026-13`), [422, ["month"]])
          assert.deepStrictEqual(yield* refused(`${base}?from=2026-02-30`), [422, ["from"]])
          assert.deepStrictEqual(yield* refused(`${base}?from=0000-01-01`), [422, ["from"]])
          assert.deepStrictEqual(yield* refused(`${base}?month=0000-01`), [422, ["month"]])
          assert.deepStrictEqual(yield* refused(`${base}?from=2026-02-03&to=2026-02-01`), [422, ["to"]])
          assert.deepStrictEqual(yield* refused(`${base}?from=2020-02-03&to=2026-02-01`), [422, ["to"]])
          assert.deepStrictEqual(yield* refused(`${base}?month=2026-02&from=2026-02-03`), [422, ["from"]])
          assert.strictEqual((yield* get(`${base}?from=2024-02-29`)).status, 200)
        }
        assert.deepStrictEqual(yield* refused("/statements/liability?day=today"), [422, ["day"]])
        assert.deepStrictEqual(yield* refused("/exports/ledger?provider=epay"), [422, ["provider"]])
        assert.strictEqual((yield* get("/exports/secrets")).status, 400)
        assert.strictEqual((yield* get("/statements/liability")).status, 400)
      }))

    it.effect("compare an uploaded bill with the books, and refuse any other file", () =>
      Effect.gen(function*() {
        const { upload } = yield* program
        const bill = yield* upload("/bills/check?provider=epay", "trade_no,money\nT1,1.00\n")
        assert.strictEqual(bill.status, 200, bill.text)
        assert.deepInclude(JSON.parse(bill.text), { records: 1, matched: 0, missing_here: 1, from: null })
        const none = yield* upload("/bills/check?provider=epay", "trade_no,money\nT1,much\n")
        assert.deepStrictEqual([none.status, JSON.parse(none.text).problems], [422, {
          file: "line 2, column 2: not an amount in CNY"
        }])
        assert.strictEqual((yield* upload("/bills/check?provider=paypal", "a")).status, 400)
        assert.strictEqual((yield* upload("/bills/check", "a")).status, 400)
        assert.strictEqual((yield* upload("/bills/check?provider=epay", "{}", "application/json")).status, 415)
      }))
  }
)
