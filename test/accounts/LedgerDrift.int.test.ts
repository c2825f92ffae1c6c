/**
 * The watch over the books sees what drifts in an account that has changed, keeps seeing it until it is put right, and finds
 * nothing where there is nothing, folded calls included.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Layer, Queue } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { LedgerDrift } from "../../src/accounts/LedgerDrift.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { commitOf, voidOf } from "../support/AccountsProcess.ts"
import { hear } from "../support/Heard.ts"
import {
  adjustIn,
  adjustUnheard,
  audited,
  ignoreLoss,
  makeUser,
  reserveOf,
  TestAccounts
} from "../support/TestAccounts.ts"
import { idAt } from "../support/UsageRows.ts"

const Services = LedgerDrift.layer.pipe(Layer.provideMerge(Notifications.layer), Layer.provideMerge(TestAccounts))

const driftOf = (user: UserId) =>
  Effect.map(
    Effect.flatMap(LedgerDrift, ({ round }) => round),
    (found) => found.filter(({ userId }) => userId === user).map(({ driftMicros }) => driftMicros)
  )

const metric = Effect.map(
  PrometheusMetrics.format(),
  (text) => /^realms_ledger_drift_micros (\S+)$/m.exec(text)?.[1]
)

/** Calls of every kind: charged, owed, free, voided, expired, late. */
const spend = Effect.fnUntraced(function*(user: UserId) {
  const sql = yield* SqlClient.SqlClient
  const accounts = yield* Accounts
  // Calls that began long ago: a fold may have passed their ids before they end.
  const anHourAgo = (yield* Clock.currentTimeMillis) - 3_600_000
  const commands = [300n, 200n, 100n, 50n, 40n].map((micros) => reserveOf(micros, { id: idAt(anHourAgo) }))
  const free = reserveOf(70n, { billingEnabled: false, id: idAt(anHourAgo) })
  for (const command of [...commands, free]) yield* accounts.reserve(user, command, ignoreLoss)
  const [exact, over, gone, expired, open] = commands.map(({ id }) => id)
  yield* accounts.commit(user, commitOf(exact ?? "", 250))
  yield* accounts.void(user, voidOf(gone ?? ""))
  yield* accounts.commit(user, commitOf(free.id, 90))
  yield* sql`UPDATE open_holds SET lease_expires_at = now() - interval '1 second' WHERE id = ${expired ?? ""}`
  yield* accounts.sweep
  return { over: over ?? "", expired: expired ?? "", open: open ?? "" }
})

layer(Services, { excludeTestServices: true })("The watch over the books", (it) => {
  const test = audited(it)

  test("finds nothing in accounts that hold, whether their calls are folded, pending, late or neither", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const user = yield* makeUser(1_000n)
    const { expired, open, over } = yield* spend(user)
    assert.deepStrictEqual(yield* driftOf(user), [])
    yield* sql`SELECT realms_fold_usage_v1(${user}, 0, 1000)`
    yield* accounts.void(user, voidOf(open))
    assert.deepStrictEqual(yield* driftOf(user), [])
    yield* accounts.commit(user, commitOf(expired, 30))
    yield* accounts.commit(user, commitOf(over, 5_000))
    assert.deepStrictEqual(yield* driftOf(user), [])
    yield* sql`SELECT realms_fold_usage_v1(${user}, 0, 1000)`
    yield* adjustIn(sql, user, { amountMicros: 2_000n })
    accounts.invalidate(user)
    yield* Effect.flip(accounts.reserve(user, reserveOf(1n), ignoreLoss))
    assert.deepStrictEqual(yield* driftOf(user), [])
  })

  it.effect("sees what drifts, until it is put right, and says so at /metrics", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const accounts = yield* Accounts
      const user = yield* makeUser(1_000n)
      yield* spend(user)
      yield* driftOf(user)
      assert.strictEqual(yield* metric, "0")
      yield* sql`UPDATE user_balances SET usd_micros = usd_micros + 7 WHERE user_id = ${user}`
      const call = reserveOf(1n)
      yield* accounts.reserve(user, call, ignoreLoss)
      assert.deepStrictEqual(yield* driftOf(user), [7n])
      assert.strictEqual(yield* metric, "7")
      // Nothing has changed since, and it still drifts.
      assert.deepStrictEqual(yield* driftOf(user), [7n])
      yield* sql`UPDATE user_balances SET usd_micros = usd_micros - 7 WHERE user_id = ${user}`
      assert.deepStrictEqual(yield* driftOf(user), [])
      assert.strictEqual(yield* metric, "0")
      const damages = [
        ["UPDATE user_balances SET held_micros = held_micros + 3", 3n],
        ["UPDATE user_balances SET held_micros = held_micros - 3, usd_micros = usd_micros - 5", 5n],
        ["UPDATE user_balances SET usd_micros = usd_micros + 5", undefined],
        [
          "UPDATE usage_events SET charged_micros = charged_micros - 2 WHERE state = 'committed' AND charged_micros > 2 AND",
          4n
        ],
        [
          "UPDATE usage_events SET charged_micros = charged_micros + 2 WHERE state = 'committed' AND charged_micros > 2 AND",
          undefined
        ]
      ] as const
      for (const [damage, drift] of damages) {
        yield* sql.unsafe(`${damage}${damage.endsWith("AND") ? "" : " WHERE"} user_id = $1`, [user])
        yield* accounts.commit(user, commitOf(call.id, 1))
        assert.deepStrictEqual(yield* driftOf(user), drift === undefined ? [] : [drift], damage)
      }
    }))

  it.effect("looks at accounts that are not resident when their ledger is said to have changed", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const heard = yield* hear
      const hearOf = Effect.fnUntraced(function*(user: UserId) {
        let message = ""
        while (message !== `account ${user}`) message = yield* Queue.take(heard)
      })
      const user = yield* makeUser(1_000n)
      yield* hearOf(user)
      assert.deepStrictEqual(yield* driftOf(user), [])
      yield* adjustUnheard(user, 5n)
      yield* sql`UPDATE user_balances SET usd_micros = usd_micros + 1 WHERE user_id = ${user}`
      assert.deepStrictEqual(yield* driftOf(user), [], "nobody has said that it changed")
      yield* adjustIn(sql, user, { amountMicros: 1n })
      yield* hearOf(user)
      assert.deepStrictEqual(yield* driftOf(user), [1n])
      yield* sql`UPDATE user_balances SET usd_micros = usd_micros - 1 WHERE user_id = ${user}`
      assert.deepStrictEqual(yield* driftOf(user), [])
    }))
})
