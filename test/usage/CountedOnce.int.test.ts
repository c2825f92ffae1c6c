/**
 * A call is reported once, whatever happens to it while usage is folded: a late commit that waits for the fold, a request whose body
 * came slowly, and a month that is made under a reader.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { Database } from "../../src/postgres/Database.ts"
import { commitOf } from "../support/AccountsProcess.ts"
import { ignoreLoss, makeUser, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { eventually } from "../support/Until.ts"
import { callAt, idAt, insertCalls } from "../support/UsageRows.ts"

const MARGIN_MS = 180_000

const free = { funding: "free", reserved_micros: 0n, charged_micros: 0n } as const

const fold = Effect.fnUntraced(function*(user: UserId) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`SELECT realms_fold_usage_v1(${user}, ${MARGIN_MS}, 100)`
})

const reported = Effect.fnUntraced(function*(user: UserId) {
  const sql = yield* SqlClient.SqlClient
  yield* fold(user)
  const [row] = yield* sql<{ calls: bigint }>`SELECT coalesce(sum(calls), 0)::bigint AS calls FROM usage_hours
    WHERE user_id = ${user}`
  return row?.calls
})

/** Runs `later` on a connection while what `first` has done is not committed, and commits when `later` waits for it. */
const behind = Effect.fnUntraced(function*(first: string, later: string) {
  const sql = yield* SqlClient.SqlClient
  const database = yield* Database
  const holder = yield* database.connect({ applicationName: "first" })
  const waiter = yield* database.connect({ applicationName: "later" })
  yield* holder.query("BEGIN", [], false)
  yield* holder.query(first, [], false)
  const answer = yield* Effect.forkChild(waiter.query(later, [], false), { startImmediately: true })
  const waiting = sql<{ waits: bigint }>`SELECT count(*) AS waits FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'later' AND wait_event_type = 'Lock'`
  yield* eventually("it waits", waiting, ([row]) => row?.waits === 1n)
  yield* holder.query("COMMIT", [], false)
  return (yield* Fiber.join(answer)).rows
})

const makeMonths = "SELECT realms_make_usage_events_v1(2)"

layer(TestAccounts, { excludeTestServices: true })("a call is reported once", (it) => {
  it.effect("when its late commit waits for the fold that takes it from those that are pending", () =>
    Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const user = yield* makeUser(0n)
      const expired = callAt(user, now - 700_000, { ...free, state: "expired", cost_micros: 0n })
      yield* insertCalls([callAt(user, now - 600_000, free)])
      yield* fold(user)
      yield* insertCalls([expired])
      yield* behind(
        `SELECT realms_fold_usage_v1(${user}, ${MARGIN_MS}, 100)`,
        `UPDATE usage_events SET state = 'committed', late = true, late_at = now() WHERE id = '${expired.id}'`
      )
      assert.strictEqual(yield* reported(user), 2n)
    }))

  it.effect("when its body took longer than the fold waits, and the call itself no time", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const now = yield* Clock.currentTimeMillis
      const user = yield* makeUser(1_000n)
      yield* insertCalls([callAt(user, now - 400_000, free)])
      yield* fold(user)
      const id = idAt(now - 600_000)
      yield* accounts.reserve(user, reserveOf(900n, { id, atMs: now }), ignoreLoss)
      yield* accounts.commit(user, commitOf(id, 900, now))
      assert.strictEqual(yield* reported(user), 2n)
    }))

  it.effect("when a month is made under the fold", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const now = yield* Clock.currentTimeMillis
      const user = yield* makeUser(0n)
      yield* insertCalls([callAt(user, Date.UTC(2025, 2, 3), free), callAt(user, now - 600_000, free)])
      yield* sql`DELETE FROM usage_pending WHERE user_id = ${user}`
      yield* behind(makeMonths, `SELECT realms_fold_usage_v1(${user}, ${MARGIN_MS}, 100)`)
      assert.strictEqual(yield* reported(user), 2n)
    }))

  it.effect("and is found by its id while its month is made", () =>
    Effect.gen(function*() {
      const user = yield* makeUser(0n)
      const old = callAt(user, Date.UTC(2025, 5, 3), free)
      yield* insertCalls([old])
      assert.strictEqual((yield* behind(makeMonths, `SELECT id FROM calls WHERE id = '${old.id}'`)).length, 1)
    }))
})
