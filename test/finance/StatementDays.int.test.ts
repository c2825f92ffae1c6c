/**
 * Days of the books, for random histories in time zones that change their clocks: each day is a local one and begins with what the one
 * before it ended with, no closed day ever changes, and all of them together are the rows.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { SqlClient } from "effect/sql"
import { booksAudit } from "../../src/finance/BooksAudit.ts"
import { isUnderWay, StatementDays } from "../../src/finance/StatementDays.ts"
import { Statements } from "../../src/finance/Statements.ts"
import { cashAt, dateAt, entryAt, financeLayer, saveZone, settledAt, userSince } from "../support/FinanceRows.ts"
import { seeded } from "../support/Seeded.ts"

interface Booked {
  readonly at: Date
  readonly line: string
  readonly amount: bigint
}

/** A clock change in each: at two, at midnight forward, at midnight back, by half an hour, and none. */
const zones = ["Europe/Berlin", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe", "Asia/Shanghai"] as const

const FIRST = Date.parse("2025-03-01T00:00:00Z")
const DAYS = 62
const MS_A_DAY = 86_400_000

const localDay = (zone: string, at: Date): string =>
  new Intl.DateTimeFormat("en-CA", { timeZone: zone, year: "numeric", month: "2-digit", day: "2-digit" }).format(at)

/** Written and told: entries, calls, late commits and cash of any kind, at any time of two months. */
const history = Effect.fnUntraced(function*(below: ReturnType<typeof seeded>, rows: number) {
  const booked: Array<Booked> = []
  const userId = yield* userSince(dateAt(FIRST).toISOString())
  const moment = () => dateAt(FIRST + below(DAYS * 24 * 60) * 60_000)
  yield* entryAt(userId, dateAt(FIRST), "topup", 100_000_000n)
  booked.push({ at: dateAt(FIRST), line: "top_ups", amount: 100_000_000n })
  const lines = {
    topup: "top_ups",
    redemption: "codes",
    refund: "clawbacks",
    dispute_returned: "clawbacks_returned"
  } as const
  const kinds = Object.keys(lines)
  for (let row = 0; row < rows; row++) {
    const at = moment()
    const amount = BigInt(1 + below(1_000))
    switch (below(4)) {
      case 0: {
        const kind = kinds[below(kinds.length)] ?? "topup"
        const line = Object.entries(lines).find(([name]) => name === kind)?.[1] ?? "top_ups"
        const signed = kind === "refund" ? -amount : amount
        yield* entryAt(userId, at, kind, signed)
        booked.push({ at, line, amount: signed })
        break
      }
      case 1:
        yield* settledAt(userId, { settledAt: at, costMicros: amount, chargedMicros: amount })
        booked.push({ at, line: "calls", amount: -amount })
        break
      case 2: {
        const later = dateAt(at.getTime() + below(3 * 24) * 3_600_000)
        const charged = BigInt(below(300))
        yield* settledAt(userId, {
          settledAt: at,
          costMicros: amount,
          chargedMicros: charged,
          late: { at: later, chargedMicros: amount - charged }
        })
        booked.push({ at, line: "calls", amount: -charged }, { at: later, line: "calls", amount: charged - amount })
        break
      }
      default:
        yield* cashAt(at, "payment", "epay", "cny", amount)
        booked.push({ at, line: "payments", amount })
    }
  }
  return booked
})

describe("days of the books", () => {
  for (const zone of zones) {
    layer(financeLayer, { excludeTestServices: true, timeout: 60_000 })(`of ${zone}`, (suite) => {
      suite.effect("are local days that follow on each other, and together are the rows", () =>
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const days = yield* StatementDays
          const statements = yield* Statements
          const booked = yield* history(seeded(zone.length * 7), 200)
          assert.deepStrictEqual(yield* days.closeDue, [], "no zone is saved")
          yield* saveZone(zone)
          const closed = [...yield* days.closeDue, ...yield* days.closeDue]
          assert.strictEqual(closed.length, 62)
          const stored = yield* statements.days({ from: closed[0] ?? "", to: closed.at(-1) ?? "" })
          assert.deepStrictEqual(stored.map(({ day }) => day), closed)
          let balance = 0n
          for (const [index, { books, day, endsAt, startsAt }] of stored.entries()) {
            assert.strictEqual(localDay(zone, startsAt), day)
            assert.notStrictEqual(localDay(zone, dateAt(startsAt.getTime() - 1)), day)
            assert.strictEqual(localDay(zone, dateAt(endsAt.getTime() - 1)), day)
            if (index > 0) assert.deepStrictEqual(startsAt, stored[index - 1]?.endsAt)
            const own = booked.filter(({ at }) => localDay(zone, at) === day)
            const of = (line: string) =>
              own.filter((one) => one.line === line).reduce((sum, { amount }) => sum + amount, 0n)
            assert.strictEqual(books.balances.opening, balance, day)
            for (const line of ["top_ups", "codes", "clawbacks", "clawbacks_returned", "calls"] as const) {
              assert.strictEqual(books.balances.lines[line], of(line), `${day} ${line}`)
            }
            assert.strictEqual(books.cash[0]?.lines.payments ?? 0n, of("payments"), `${day} payments`)
            balance = books.balances.closing
          }
          // What is booked later, also on an old call, leaves them as they are.
          const user = yield* userSince("2026-01-01T00:00:00Z")
          const nowMs = yield* Clock.currentTimeMillis
          yield* entryAt(user, dateAt(nowMs), "topup", 5_000n)
          yield* settledAt(user, { settledAt: dateAt(nowMs), costMicros: 70n, chargedMicros: 70n })
          const last = stored.at(-1)?.day ?? ""
          assert.deepStrictEqual(yield* statements.days({ from: closed[0] ?? "", to: last }), stored)
          const whole = yield* statements.statement({ from: closed[0] ?? "", to: "2027-01-01" })
          assert.isFalse(whole.isClosed)
          assert.strictEqual(whole.books.balances.closing, whole.now?.usdMicros)
          assert.deepStrictEqual(yield* booksAudit(sql), [])
          yield* Effect.exit(sql`UPDATE statement_days SET day = day + 1`)
          yield* Effect.exit(sql`DELETE FROM statement_days`)
          assert.deepStrictEqual(yield* statements.days({ from: closed[0] ?? "", to: last }), stored)
        }))
    })
  }
})

layer(financeLayer, { excludeTestServices: true, timeout: 60_000 })("the closing of days", (suite) => {
  suite.effect(
    "goes on in another zone where the last day ended, and no moment is in two days or in none",
    () =>
      Effect.gen(function*() {
        const days = yield* StatementDays
        const statements = yield* Statements
        yield* userSince("2025-05-01T12:00:00Z")
        // From the far east to the far west and back, a month each.
        for (const zone of ["Pacific/Kiritimati", "Pacific/Pago_Pago", "Pacific/Kiritimati"]) {
          yield* saveZone(zone)
          assert.strictEqual((yield* days.closeDue).length, 31)
        }
        const closed = yield* statements.days({ from: "2025-05-01", to: "2025-12-31" })
        assert.strictEqual(closed.length, 93)
        for (const [index, { endsAt, startsAt, timeZone }] of closed.entries()) {
          const before = closed[index - 1]
          if (before !== undefined) assert.deepStrictEqual(startsAt, before.endsAt)
          assert.isAbove(endsAt.getTime(), startsAt.getTime())
          assert.strictEqual(localDay(timeZone, endsAt) > localDay(timeZone, dateAt(endsAt.getTime() - 1)), true)
        }
        const hours = closed.map(({ endsAt, startsAt }) => (endsAt.getTime() - startsAt.getTime()) / 3_600_000)
        assert.deepStrictEqual(hours.filter((length) => length !== 24), [49, 23])
        // The date that was skipped is stated, and has nothing in it.
        const names = new Set(closed.map(({ day }) => day))
        const skipped = Array.from(
          { length: 95 },
          (_, index) => dateAt(Date.parse("2025-05-01T00:00:00Z") + index * MS_A_DAY).toISOString().slice(0, 10)
        ).find((day) => !names.has(day) && day > "2025-05-01")
        // The first open day begins where the last closed one ended, whatever the zone of now makes of it.
        yield* saveZone("Pacific/Pago_Pago")
        const last = closed.at(-1)
        const nextDay = dateAt(Date.parse(`${last?.day}T00:00:00Z`) + MS_A_DAY).toISOString().slice(0, 10)
        const open = yield* statements.statement({ from: nextDay, to: nextDay })
        assert.deepStrictEqual(open.startsAt, last?.endsAt)
        assert.strictEqual((open.endsAt.getTime() - open.startsAt.getTime()) / 3_600_000, 49)
        const none = yield* statements.statement({ from: skipped ?? "", to: skipped ?? "" })
        assert.deepStrictEqual(none.startsAt, none.endsAt)
      })
  )

  suite.effect("is done once by two servers at the same time", () =>
    Effect.gen(function*() {
      const days = yield* StatementDays
      const answers = yield* Effect.all([days.closeDue, days.closeDue, days.closeDue], { concurrency: "unbounded" })
      const closed = answers.flat()
      assert.strictEqual(new Set(closed).size, closed.length)
    }))

  suite.effect("never closes a day of now or of the future", () =>
    Effect.gen(function*() {
      const days = yield* StatementDays
      const sql = yield* SqlClient.SqlClient
      while ((yield* days.closeDue).length > 0);
      const [row] = yield* sql<{ early: boolean; behind: boolean }>`
        SELECT max(ends_at) > now() - interval '10 minutes' AS early, max(ends_at) < now() - interval '25 hours' AS behind
          FROM statement_days`
      assert.deepStrictEqual(row, { early: false, behind: false })
    }))
})

it.effect("sees a transaction that began before a moment until it is over, and none that began later", () =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const [{ at } = { at: dateAt(0) }] = yield* sql<{ at: Date }>`SELECT now() + interval '1 hour' AS at`
    const other = yield* sql.reserve
    assert.isFalse(yield* isUnderWay(sql, at))
    yield* other.executeRaw("BEGIN", [])
    yield* other.executeRaw("SELECT 1", [])
    assert.isTrue(yield* isUnderWay(sql, at))
    assert.isFalse(yield* isUnderWay(sql, dateAt(0)))
    yield* other.executeRaw("COMMIT", [])
    assert.isFalse(yield* isUnderWay(sql, at))
  }).pipe(Effect.scoped, Effect.provide(financeLayer)))
