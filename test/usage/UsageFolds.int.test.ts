/**
 * Each call is counted once, however many fold at the same time, whatever commits late or is written late while a fold is under
 * way. The other side of each race stands inside an open transaction on a connection of its own.
 */
import { type PgConnection } from "@effect/sql-pg"
import { assert } from "@effect/vitest"
import { Clock, Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { ApiKeyId, type UserId } from "../../src/domain/Ids.ts"
import { Database } from "../../src/postgres/Database.ts"
import { usageFolder, UsageFolds } from "../../src/usage/UsageFolds.ts"
import { UsageReports } from "../../src/usage/UsageReports.ts"
import { AccountsOver, balanceOf, makeUser, reserveOf, used } from "../support/TestAccounts.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { callAt, commitLate, endCall, idAt, insertCalls, makeUsers, nobody } from "../support/UsageRows.ts"
import { until } from "../support/Until.ts"
import { someoneWaits } from "../support/LockWaits.ts"
import { testsOver } from "../support/Steps.ts"

const noKey = ApiKeyId.make(0n)

const Services = Layer.mergeAll(UsageReports.layer, UsageFolds.layer, AccountsOver).pipe(
  Layer.provideMerge(TestDatabase.layer)
)

const HOUR_MS = 3_600_000

/** A connection whose transaction a test opens and ends. */
const session = Effect.gen(function*() {
  const database = yield* Database
  const connection: PgConnection.PgConnection = yield* database.connect({ applicationName: "usage-test" })
  return (statement: string) => Effect.map(connection.query(statement, [], false), (result) => result.rows)
})

const foldBy = (run: Effect.Success<typeof session>, userId: UserId) =>
  run(`SELECT realms_fold_usage_v1(${userId}, 180000, 10000)`)

const totalsOf = Effect.fnUntraced(function*(userId: UserId) {
  const reports = yield* UsageReports
  const nowMs = yield* Clock.currentTimeMillis
  const range = { fromMs: nowMs - 48 * HOUR_MS, toMs: nowMs + 2 * HOUR_MS }
  const { totals } = yield* reports.overview(userId, range, "UTC")
  return [totals.calls, totals.chargedMicros]
})

/** Folded hours and the sum that is kept of a key. */
const foldedOf = Effect.fnUntraced(function*(userId: UserId, keyId: ApiKeyId) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ calls: bigint; charged: bigint; key: bigint; pending: bigint }>`SELECT
    coalesce((SELECT sum(calls) FROM usage_hours WHERE user_id = ${userId}), 0)::bigint AS calls,
    coalesce((SELECT sum(charged_micros) FROM usage_hours WHERE user_id = ${userId}), 0)::bigint AS charged,
    coalesce((SELECT charged_micros FROM usage_keys WHERE key_id = ${keyId}), 0) AS key,
    (SELECT count(*) FROM usage_pending WHERE user_id = ${userId}) AS pending`
  return row
})

const folded = (calls: bigint, charged: bigint) => ({ calls, charged, key: 0n, pending: 0n })

/** The same where all calls are of one key. */
const foldedOfKey = (calls: bigint, charged: bigint, pending = 0n) => ({ calls, charged, key: charged, pending })

/** What is folded of a user and a key, and what a report of the user says: calls and micros charged. */
const counted = Effect.fnUntraced(function*(
  userId: UserId,
  { folded, key, reported }: {
    readonly key: ApiKeyId
    readonly folded: Effect.Success<ReturnType<typeof foldedOf>>
    readonly reported: Array<number | bigint>
  }
) {
  assert.deepStrictEqual(yield* foldedOf(userId, key), folded)
  assert.deepStrictEqual(yield* totalsOf(userId), reported)
})

const anHourAgo = Effect.map(Clock.currentTimeMillis, (nowMs) => nowMs - HOUR_MS)

testsOver(Services)("folding usage", (test) => {
  test("leaves calls of the last minutes alone, does not wait for open ones, and counts them when they have ended", function*() {
    const folds = yield* UsageFolds
    const [userId = nobody] = yield* makeUsers(1)
    const keyId = ApiKeyId.make(userId * 1_000n)
    const at = yield* anHourAgo
    const open = callAt(userId, at, { key_id: keyId, state: "reserved", charged_micros: null, cost_micros: null })
    yield* insertCalls([
      open,
      callAt(userId, at + 1, { key_id: keyId }),
      callAt(userId, at + 2, { state: "voided", charged_micros: 0n, cost_micros: 0n }),
      callAt(userId, at + HOUR_MS - 60_000)
    ])
    assert.strictEqual(yield* folds.fold(userId), 2)
    yield* counted(userId, { key: keyId, folded: foldedOfKey(1n, 10n), reported: [2, 20n] })
    assert.strictEqual(yield* folds.fold(userId), 0)
    yield* endCall(open.id, "committed", 5n)
    yield* counted(userId, { key: keyId, folded: foldedOfKey(1n, 10n, 1n), reported: [3, 25n] })
    assert.strictEqual(yield* folds.fold(userId), 1)
    yield* counted(userId, { key: keyId, folded: foldedOfKey(2n, 15n), reported: [3, 25n] })
  })

  test("at the same time, from several processes, counts once", function*() {
    const folds = yield* UsageFolds
    const [userId = nobody] = yield* makeUsers(1)
    const at = yield* anHourAgo
    yield* insertCalls(Array.from({ length: 500 }, (_, index) => callAt(userId, at + index)))
    const passed = yield* Effect.all(Array.from({ length: 8 }, () => folds.fold(userId)), { concurrency: 8 })
    const rest = yield* folds.fold(userId)
    assert.strictEqual(passed.reduce((sum, one) => sum + one, rest), 500)
    assert.deepStrictEqual(yield* foldedOf(userId, noKey), {
      calls: 500n,
      charged: 5_000n,
      key: 0n,
      pending: 0n
    })
    // One who has it keeps the others from nothing else: they go on at once.
    const run = yield* session
    yield* insertCalls([callAt(userId, at + 1_000)])
    yield* run("BEGIN")
    yield* foldBy(run, userId)
    assert.strictEqual(yield* folds.fold(userId), 0)
    yield* run("COMMIT")
    assert.strictEqual((yield* foldedOf(userId, noKey))?.calls, 501n)
  })

  test("a round finds every user with something to fold and no other", function*() {
    const folds = yield* UsageFolds
    yield* folds.round
    const users = yield* makeUsers(600)
    const at = yield* anHourAgo
    const some = users.filter((_, index) => index % 97 === 0)
    yield* insertCalls(some.map((userId) => callAt(userId, at)))
    assert.strictEqual(yield* folds.round, some.length)
    assert.strictEqual(yield* folds.round, 0)
  })

  test("runs in the background until it is interrupted", function*() {
    const [userId = nobody] = yield* makeUsers(1)
    yield* insertCalls([callAt(userId, yield* anHourAgo)])
    const folder = yield* Effect.forkChild(usageFolder)
    yield* until("it is folded", Effect.map(foldedOf(userId, noKey), (row) => row?.calls === 1n))
    yield* Fiber.interrupt(folder)
  })
})

testsOver(Services)("a late commit", (test) => {
  for (const charged of [0n, 30n]) {
    for (
      const when of ["after the fold", "while the fold is under way", "before the fold, not committed yet"] as const
    ) {
      test(`of what expired with a charge of ${charged}, ${when}`, function*() {
        const folds = yield* UsageFolds
        const [userId = nobody] = yield* makeUsers(1)
        const keyId = ApiKeyId.make(userId * 1_000n)
        const at = yield* anHourAgo
        const expired = callAt(userId, at, {
          state: "expired",
          key_id: keyId,
          cost_micros: charged,
          charged_micros: charged
        })
        yield* insertCalls([expired, callAt(userId, at + 1, { key_id: keyId })])
        const run = yield* session
        if (when === "after the fold") {
          yield* folds.fold(userId)
          yield* commitLate(expired.id, 17n)
        } else if (when === "while the fold is under way") {
          yield* run("BEGIN")
          yield* foldBy(run, userId)
          const late = yield* Effect.forkChild(commitLate(expired.id, 17n))
          yield* someoneWaits
          yield* run("COMMIT")
          yield* Fiber.join(late)
        } else {
          yield* run("BEGIN")
          yield* run(
            `UPDATE usage_events SET state = 'committed', cost_micros = 17, late_charged_micros = 17 - charged_micros, late_at = now(), late = true
              WHERE id = '${expired.id}'`
          )
          assert.strictEqual(yield* folds.fold(userId), 0, "somebody holds it")
          yield* run("COMMIT")
          assert.strictEqual(yield* folds.fold(userId), 2)
        }
        yield* counted(userId, { key: keyId, folded: foldedOfKey(2n, 27n), reported: [2, 27n] })
      })
    }
  }

  test("of a call that was open when the fold passed it is counted once", function*() {
    const folds = yield* UsageFolds
    const [userId = nobody] = yield* makeUsers(1)
    const call = callAt(userId, yield* anHourAgo, { state: "reserved", charged_micros: null, cost_micros: null })
    yield* insertCalls([call])
    yield* folds.fold(userId)
    yield* endCall(call.id, "expired", 0n)
    yield* commitLate(call.id, 17n)
    assert.deepStrictEqual(yield* totalsOf(userId), [1, 17n])
    yield* folds.fold(userId)
    assert.deepStrictEqual(yield* foldedOf(userId, noKey), folded(1n, 17n))
  })

  test("goes through the journal while a fold holds the account's usage, and books and reports agree", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const userId = yield* makeUser(1_000n)
    const nowMs = yield* Clock.currentTimeMillis
    const command = reserveOf(100n, { id: idAt(nowMs - HOUR_MS), atMs: nowMs - HOUR_MS, leaseSeconds: 1 })
    yield* accounts.reserve(userId, command, () => undefined)
    // What another process's sweep does to a hold whose process seems dead.
    yield* sql.withTransaction(Effect.andThen(
      sql`UPDATE user_balances SET usd_micros = usd_micros + 100, held_micros = 0, open_holds = 0
          WHERE user_id = ${userId}`,
      endCall(command.id, "expired", 0n)
    ))
    accounts.invalidate(userId)
    const run = yield* session
    yield* run("BEGIN")
    yield* foldBy(run, userId)
    const commit = yield* Effect.forkChild(
      accounts.commit(userId, { _tag: "Commit", id: command.id, outcome: used(60), atMs: nowMs })
    )
    yield* someoneWaits
    // The balance's lock is not the fold's: others are served meanwhile, and so is this user when the fold ends.
    const other = yield* makeUser(500n)
    yield* accounts.reserve(other, reserveOf(10n, { atMs: nowMs }), () => undefined)
    yield* run("COMMIT")
    assert.strictEqual((yield* Fiber.join(commit)).late, true)
    assert.deepStrictEqual(yield* balanceOf(userId), { usd: 940n, owed: 0n })
    assert.deepStrictEqual(yield* totalsOf(userId), [1, 60n])
    assert.strictEqual((yield* foldedOf(userId, noKey))?.charged, 60n)
  })
})

/** A user with one call, and a time shortly before it. */
const withOneCall = Effect.gen(function*() {
  const [userId = nobody] = yield* makeUsers(1)
  const at = yield* anHourAgo
  yield* insertCalls([callAt(userId, at + 10)])
  return { at, userId, folds: yield* UsageFolds }
})

/** Two calls count before they are folded and after. */
const countsBoth = Effect.fnUntraced(function*(userId: UserId) {
  assert.deepStrictEqual(yield* totalsOf(userId), [2, 20n])
  yield* (yield* UsageFolds).fold(userId)
  assert.deepStrictEqual(yield* foldedOf(userId, noKey), folded(2n, 20n))
})

testsOver(Services)("a call that is written late with an old id", (test) => {
  test("after the fold has passed it", function*() {
    const { at, folds, userId } = yield* withOneCall
    yield* folds.fold(userId)
    yield* insertCalls([callAt(userId, at)])
    yield* countsBoth(userId)
  })

  test("while the user's very first fold is under way", function*() {
    const { at, userId } = yield* withOneCall
    const sql = yield* SqlClient.SqlClient
    yield* sql`DELETE FROM usage_folds WHERE user_id = ${userId}`
    const run = yield* session
    yield* run("BEGIN")
    yield* foldBy(run, userId)
    const late = yield* Effect.forkChild(insertCalls([callAt(userId, at)]))
    yield* someoneWaits
    yield* run("COMMIT")
    yield* Fiber.join(late)
    yield* countsBoth(userId)
  })

  test("not committed yet when a fold begins", function*() {
    const { at, folds, userId } = yield* withOneCall
    const run = yield* session
    yield* run("BEGIN")
    yield* run(`INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros,
          endpoint, model, reserved_at, lease_expires_at, settled_at)
        VALUES ('${idAt(at)}', ${userId}, 'committed', 'balance', 10, 10, 10, 'chat.completions', 'm',
          now() - interval '1 hour', now(), now())`)
    assert.strictEqual(yield* folds.fold(userId), 0, "the fold does not pass what it cannot see")
    yield* run("COMMIT")
    assert.strictEqual(yield* folds.fold(userId), 2)
    assert.deepStrictEqual(yield* totalsOf(userId), [2, 20n])
  })
})
