/**
 * Calls that have ended are kept by the months of their ids: rows find their month, those that came before it was made are moved into
 * it, and every month is guarded as the table is.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { audit } from "../../src/accounts/Audit.ts"
import { makeUser, TestAccounts } from "../support/TestAccounts.ts"
import { callAt, commitLate, insertCalls } from "../support/UsageRows.ts"
import { testsOf } from "../support/Steps.ts"

const placeOf = Effect.fnUntraced(function*(id: string) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<
    { place: string }
  >`SELECT tableoid::regclass::text AS place FROM usage_events WHERE id = ${id}`
  return row?.place
})

const make = (monthsAhead: number) =>
  Effect.flatMap(
    SqlClient.SqlClient,
    (sql) =>
      Effect.map(
        sql<{ made: number }>`SELECT realms_make_usage_events_v1(${monthsAhead}::integer) AS made`,
        ([row]) => row?.made
      )
  )

layer(TestAccounts, { excludeTestServices: true })("the months of calls", (it) => {
  const test = testsOf(it.effect, Effect.void)
  test("take the rows that were there before them, and keep their guards", function*() {
    const sql = yield* SqlClient.SqlClient
    const before = yield* audit({})
    const user = yield* makeUser(0n)
    const free = { funding: "free", reserved_micros: 0n, charged_micros: 0n } as const
    const [first, last, other, ancient] = [
      callAt(user, Date.UTC(2025, 2, 1), free),
      callAt(user, Date.UTC(2025, 3, 1) - 1, { ...free, state: "expired", cost_micros: 0n }),
      callAt(user, Date.UTC(2025, 3, 1), free),
      callAt(user, Date.UTC(1999, 0, 1), free)
    ]
    yield* insertCalls([first, last, other, ancient])
    for (const { id } of [first, last, other, ancient]) assert.strictEqual(yield* placeOf(id), "usage_events_default")
    assert.strictEqual(yield* make(0), 2)
    assert.strictEqual(yield* placeOf(first.id), "usage_events_202503")
    assert.strictEqual(yield* placeOf(last.id), "usage_events_202503")
    assert.strictEqual(yield* placeOf(other.id), "usage_events_202504")
    assert.strictEqual(yield* placeOf(ancient.id), "usage_events_default", "no month is made for what no clock says")
    assert.strictEqual(yield* make(0), 0, "all there is has its month")

    yield* commitLate(last.id, 0n)
    const again = callAt(user, Date.UTC(2025, 2, 9), free)
    yield* insertCalls([again])
    assert.strictEqual(yield* placeOf(again.id), "usage_events_202503")
    for (const place of ["usage_events", "usage_events_202503", "usage_events_202504", "usage_events_default"]) {
      for (const statement of [`DELETE FROM ${place}`, `TRUNCATE ${place}`]) {
        const refused = yield* Effect.flip(sql.unsafe(statement))
        assert.include(String(refused.reason.cause), "is refused: financial rows are kept for ever", statement)
      }
    }
    const twice = yield* Effect.flip(insertCalls([first]))
    assert.strictEqual(twice._tag, "SqlError")
    // Those without a cost and usage are no calls that the journal could have written.
    const guards = (yield* audit({})).problems.filter(({ invariant }) => invariant === "I9")
    assert.deepStrictEqual(guards, before.problems.filter(({ invariant }) => invariant === "I9"))
  })

  test("are made ahead, once", function*() {
    assert.strictEqual(yield* make(2), 0, "a migrated database has them")
    assert.strictEqual(yield* make(4), 2)
    assert.deepStrictEqual(
      yield* Effect.all([make(6), make(6)], { concurrency: 2 }).pipe(
        Effect.map((made) => made.reduce((sum: number, one) => sum + (one ?? 0), 0))
      ),
      2
    )
  })
})
