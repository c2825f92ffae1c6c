/**
 * The totals of all users: whatever is folded, comes late or is joined at the same time, they are the sums of what users have.
 */
import { assert } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Database } from "../../src/postgres/Database.ts"
import { UsageFolds } from "../../src/usage/UsageFolds.ts"
import { testsOver } from "../support/Steps.ts"
import { makeUser, problems } from "../support/TestAccounts.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { callAt, insertCalls } from "../support/UsageRows.ts"

const HOUR_MS = 3_600_000
/** Users, each with a row of totals for each hour until they are joined. */
const USERS = 6
const HOURS = 5

/** A pass takes a week in each step, and begins 30 days ago. */
const STEPS_OF_PASS = 5

const totals = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ rows: bigint; calls: bigint; charged: bigint }>`
    SELECT count(*) AS rows, coalesce(sum(calls), 0)::bigint AS calls, coalesce(sum(charged_micros), 0)::bigint AS charged
      FROM usage_totals`
  return row
})

/** What the ledger check says of them; the calls here are no whole ones, and it says so, too. */
const wrongTotals = Effect.map(
  problems,
  (found) => found.filter(({ message }) => message.startsWith("the report of all users"))
)

const join = "SELECT realms_join_usage_totals_v1('-infinity', 'infinity') AS hours"

/** Rows of an hour so many days ago, as folds write them. */
const addRows = Effect.fnUntraced(function*(daysAgo: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO usage_totals SELECT date_trunc('hour', now() - make_interval(days => ${daysAgo}::integer)), 'm', 'c', 1, 1, 0, 0, 1, 0, 0
    FROM generate_series(1, 5)`
})

testsOver(TestDatabase.layer)("totals of all users", (test) => {
  test("are the sums of what users have while they are folded, corrected and joined at once", function*() {
    const sql = yield* SqlClient.SqlClient
    const database = yield* Database
    const now = yield* Clock.currentTimeMillis
    const free = { funding: "free", reserved_micros: 0n, charged_micros: 0n } as const
    const users = yield* Effect.replicateEffect(makeUser(0n), USERS)
    const calls = users.flatMap((user) =>
      Array.from({ length: HOURS }, (_, hour) => callAt(user, now - (hour + 1) * HOUR_MS, { ...free, cost_micros: 0n }))
    )
    yield* insertCalls(calls)
    // One whose end comes late: it had expired without a charge, which does not count.
    const late = callAt(users[0] ?? makeNone(), now - 2 * HOUR_MS, { ...free, state: "expired", cost_micros: 0n })
    yield* insertCalls([late])
    const fold = (user: bigint) => sql`SELECT realms_fold_usage_v1(${user}, 180000, 1000)`
    yield* Effect.forEach(users, fold, { concurrency: "unbounded" })
    assert.deepStrictEqual(yield* totals, { rows: BigInt(USERS * HOURS), calls: BigInt(USERS * HOURS), charged: 0n })
    assert.deepStrictEqual(yield* wrongTotals, [])

    // Two join while a correction that is not committed yet adds a row, which neither of them waits for.
    const holder = yield* database.connect({ applicationName: "late" })
    yield* holder.query("BEGIN", [], false)
    yield* holder.query(
      `UPDATE usage_events SET state = 'committed', late = true, late_at = now(), input_tokens = 0, cached_input_tokens = 0,
        cache_write_tokens = 0, output_tokens = 0, usage_source = 'upstream' WHERE id = '${late.id}'`,
      [],
      false
    )
    const joiners = yield* Effect.replicateEffect(database.connect({ applicationName: "joins" }), 2)
    yield* Effect.forEach(joiners, (one) => one.query(join, [], false), { concurrency: "unbounded" })
    assert.strictEqual((yield* totals)?.calls, BigInt(USERS * HOURS), "nothing is lost or counted twice")
    yield* holder.query("COMMIT", [], false)
    assert.deepStrictEqual(yield* totals, { rows: BigInt(HOURS + 1), calls: BigInt(USERS * HOURS + 1), charged: 0n })
    assert.deepStrictEqual(yield* wrongTotals, [])

    yield* sql`UPDATE usage_totals SET calls = calls + 1 WHERE hour = (SELECT min(hour) FROM usage_totals)`
    const [problem] = yield* wrongTotals
    assert.match(problem?.message ?? "", /the report of all users counts \d+ calls of 0 micros in the hour of/)
    yield* sql`UPDATE usage_days SET calls = calls + 1 WHERE user_id = ${users[0] ?? makeNone()}`
    const day = (yield* problems).find(({ message }) => message.startsWith("the day of"))
    assert.match(day?.message ?? "", /the day of .* counts \d+ folded calls of 0 micros, its hours \d+ of 0 micros/)
  })
})

testsOver(UsageFolds.layer.pipe(Layer.provideMerge(TestDatabase.layer)))("rows of totals", (test) => {
  test("are joined however old their hour is, in one pass after another", function*() {
    const { join } = yield* UsageFolds
    yield* join
    yield* addRows(0)
    yield* addRows(30)
    yield* join
    assert.strictEqual((yield* totals)?.rows, 1n + 1n, "the first step of a pass, and the last hours")
    for (const daysAgo of [30, 20, 10, 1]) yield* addRows(daysAgo)
    yield* Effect.replicateEffect(join, STEPS_OF_PASS)
    assert.deepStrictEqual(yield* totals, { rows: 5n, calls: 30n, charged: 0n })
    // Late commits in hours that passes have looked at.
    for (const daysAgo of [30, 1]) yield* addRows(daysAgo)
    yield* Effect.replicateEffect(join, 2 * STEPS_OF_PASS)
    assert.deepStrictEqual(yield* totals, { rows: 5n, calls: 40n, charged: 0n })
  })
})

const makeNone = (): never => {
  throw new Error("there is no user")
}
