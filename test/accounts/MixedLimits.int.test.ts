/**
 * Limits that are not the same for all calls of a batch, because they were changed while calls were open or on their way; and what is
 * written of limits when a call of the batch is not held, or has ended already.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Fiber } from "effect"
import { SqlClient } from "effect/sql"
import { stuck } from "../../src/accounts/AccountError.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { AccountState } from "../../src/accounts/AccountState.ts"
import { loadAccount } from "../../src/accounts/AccountStore.ts"
import { noKeyLimits, noRateLimits } from "../../src/domain/CallLimits.ts"
import { ApiKeyId, makeReservationId } from "../../src/domain/Ids.ts"
import { commitOf } from "../support/AccountsProcess.ts"
import { audited, ignoreLoss, makeUser, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { until } from "../support/Until.ts"

/** Accounts whose calls keep the journal writing. */
const OTHERS = 16

/** Calls of the others before and behind which it counts as busy. */
const BUSY_CALLS = 50

/** Who is over its limits, of what a batch takes. */
const over = Effect.fnUntraced(function*(items: ReadonlyArray<object>) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ over: ReadonlyArray<bigint> }>`
    SELECT realms_over_limits_v1(${JSON.stringify(items)}::jsonb) AS over`
  return row?.over ?? []
})

/** Keys of nobody else. */
let keys = 7_000_000n

const place = Effect.map(makeUser(1_000_000n), (userId) => ({ userId, u: String(userId), k: String(++keys) }))

layer(TestAccounts, { excludeTestServices: true })("limits in a batch", (it) => {
  const test = audited(it)

  test("that differ hold each call to its own, with what those before it take", function*() {
    const { k, u, userId } = yield* place
    const spend = (l: number, m: number) => ({ u, k, p: "total", s: 0, l: String(l), m: String(m) })
    assert.deepStrictEqual(yield* over([spend(150, 100), spend(1_000, 400), spend(1_000, 500)]), [])
    assert.deepStrictEqual(yield* over([spend(1_000, 100), spend(150, 51)]), [userId])
    const open = (o: number) => ({ u, k, o })
    assert.deepStrictEqual(yield* over([open(1), open(3), open(3)]), [])
    assert.deepStrictEqual(yield* over([open(3), open(1)]), [userId])
  })

  test("that differ do not reject one another for ever while the journal is busy", function*() {
    const accounts = yield* Accounts
    const { k, userId } = yield* place
    const others = yield* Effect.all(Array.from({ length: OTHERS }, () => makeUser(1_000_000_000n)))
    let made = 0
    const busy = yield* Effect.forkChild(Effect.forEach(others, (other) =>
      Effect.forever(Effect.gen(function*() {
        const command = reserveOf(10n)
        yield* accounts.reserve(other, command, ignoreLoss)
        yield* accounts.commit(other, commitOf(command.id, 5))
        made++
      })), { concurrency: "unbounded" }))
    yield* until("the journal is busy", () => made > BUSY_CALLS)
    const atMs = yield* Clock.currentTimeMillis
    const results = yield* Effect.forEach(
      [100, 2, 100, 100, 100, 100],
      (concurrentCalls) =>
        Effect.result(accounts.reserve(
          userId,
          reserveOf(10n, {
            keyId: ApiKeyId.make(BigInt(k)),
            atMs,
            limits: { tokens: 1, key: { ...noKeyLimits, concurrentCalls }, user: noRateLimits }
          }),
          ignoreLoss
        )),
      { concurrency: "unbounded" }
    )
    yield* Fiber.interrupt(busy)
    assert.deepStrictEqual(results.map(({ _tag }) => _tag), results.map(() => "Success"))
  })

  test("are taken by calls that are held, and corrected by those that have ended with it, before the next is asked for", function*() {
    const sql = yield* SqlClient.SqlClient
    const { k, u, userId } = yield* place
    const [held, unheld, ended, before] = Array.from({ length: 4 }, () => makeReservationId())
    const at = 1_000_000_000_000_000
    const takes = (id: string | undefined) => ({ u, k, id, at, rq: 10, tk: 20_000_000 })
    const rates = Effect.map(
      sql<{ requests: bigint; tokens: bigint }>`SELECT requests_us - ${at} AS requests, tokens_us - ${at} AS tokens
        FROM call_rates WHERE user_id = ${userId}`,
      ([row]) => row
    )
    yield* sql`SELECT realms_take_limits_v1(${
      JSON.stringify([takes(held), takes(unheld)])
    }::jsonb, '{}', ARRAY[${unheld}]::uuid[])`
    assert.deepStrictEqual(yield* rates, { requests: 10n, tokens: 20_000_000n })
    const corrected = [{ u, k, id: ended, c: -5_000_000 }, { u, k, id: before, c: -5_000_000 }, takes(held)]
    yield* sql`SELECT realms_correct_rates_v1(${JSON.stringify(corrected)}::jsonb, ARRAY[${ended}]::uuid[])`
    assert.deepStrictEqual(yield* rates, { requests: 10n, tokens: 15_000_000n })
    assert.deepStrictEqual(yield* over([takes(held), takes(held)]), [])
    assert.deepStrictEqual(yield* over([takes(held), takes(held), { ...takes(held), tk: 5_000_001 }]), [userId])
  })

  test("of open calls are known of a key after its user's account was read for another", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const { k, userId } = yield* place
    const limits = { tokens: 1, key: { ...noKeyLimits, concurrentCalls: 2 }, user: noRateLimits }
    yield* accounts.reserve(userId, reserveOf(10n, { keyId: ApiKeyId.make(BigInt(k)), limits }), ignoreLoss)
    const read = (state: AccountState | undefined, keyIds: ReadonlyArray<ApiKeyId>) =>
      loadAccount(
        sql,
        { userId, ids: [], keyIds, ...state === undefined ? {} : { known: { state, fences: new Map() } } },
        0
      )
    const keyId = ApiKeyId.make(BigInt(k))
    const asked = yield* read(undefined, [keyId])
    assert.strictEqual(asked.state.uses.get(keyId)?.open, 1)
    assert.strictEqual((yield* read(asked.state, [])).state.uses.get(keyId)?.open, 1)
  })

  test("that PostgreSQL goes on rejecting give a call up, and the account goes on", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const { k, userId } = yield* place
    const limits = { tokens: 1, key: { ...noKeyLimits, concurrentCalls: 9 }, user: noRateLimits }
    const hold = Effect.suspend(() =>
      accounts.reserve(userId, reserveOf(10n, { keyId: ApiKeyId.make(BigInt(k)), limits }), ignoreLoss)
    )
    yield* hold
    yield* sql`ALTER FUNCTION realms_over_limits_v1(jsonb) RENAME TO realms_over_limits_kept`
    yield* sql`CREATE FUNCTION realms_over_limits_v1(p_limits jsonb) RETURNS bigint[] LANGUAGE sql AS $$
      SELECT array_agg(DISTINCT i.u) FROM jsonb_to_recordset(p_limits) AS i (u bigint) $$`
    const refused = yield* Effect.flip(hold)
    yield* sql`DROP FUNCTION realms_over_limits_v1(jsonb)`
    yield* sql`ALTER FUNCTION realms_over_limits_kept(jsonb) RENAME TO realms_over_limits_v1`
    assert.deepStrictEqual(refused, stuck)
    yield* hold
  })
})
