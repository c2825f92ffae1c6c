/**
 * The audit finds what it is there to find: each promise is broken behind its back, on a user of its own, and is named,
 * once and for that user alone; what is whole is clean.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { commitOf, voidOf } from "../support/AccountsProcess.ts"
import { ignoreLoss, makeUser, problems, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { testsOf } from "../support/Steps.ts"

/** A user with everything there is: entries, settled and open calls, a subscription with one of each. */
const furnished = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const accounts = yield* Accounts
  const user = yield* makeUser(1_000n)
  const subscribed = yield* makeUser(0n)
  yield* sql`
    INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
      limit_30d_micros, starts_at, ends_at, fence)
    VALUES (${subscribed}, 'p', 'P', 0, 0, 0, 5000, now() - interval '1 day', now() + interval '9 days', 7)`
  const atMs = yield* Clock.currentTimeMillis
  for (const owner of [user, subscribed]) {
    accounts.invalidate(owner)
    const [done, gone, open] = [reserveOf(200n, { atMs }), reserveOf(100n, { atMs }), reserveOf(300n, { atMs })]
    for (const command of [done, gone, open]) yield* accounts.reserve(owner, command, ignoreLoss)
    yield* accounts.commit(owner, commitOf(done.id, 150, atMs))
    yield* accounts.void(owner, voidOf(gone.id))
  }
  return { sql, user, subscribed }
})

const entryOf = (
  sql: SqlClient.SqlClient,
  user: bigint,
  kind: string,
  amountMicros: bigint,
  refType: string,
  refId: string
) =>
  sql`SELECT realms_append_entry_v1(${user}, ${kind}, ${amountMicros}, 0, ${refType}, ${refId}, 'test', '', NULL, NULL)`

const give = (sql: SqlClient.SqlClient, user: bigint, micros: bigint) =>
  sql`UPDATE user_balances SET usd_micros = usd_micros + ${micros} WHERE user_id = ${user}`

const ofUser = (sql: SqlClient.SqlClient, user: bigint) =>
  sql`subscription_id = (SELECT id FROM user_subscriptions WHERE user_id = ${user})`

type Break = (sql: SqlClient.SqlClient, user: bigint) => Effect.Effect<unknown, SqlError.SqlError>

const ofBalance: ReadonlyArray<readonly [what: string, broken: Break, invariants: ReadonlyArray<string>]> = [
  ["a balance below zero", (sql, user) => sql`UPDATE user_balances SET usd_micros = -1 WHERE user_id = ${user}`, [
    "I1",
    "I2"
  ]],
  [
    "a micro from nowhere",
    (sql, user) => sql`UPDATE user_balances SET usd_micros = usd_micros + 1 WHERE user_id = ${user}`,
    ["I2"]
  ],
  ["a debt from nowhere", (sql, user) => sql`UPDATE user_balances SET owed_micros = 1 WHERE user_id = ${user}`, ["I2"]],
  [
    "a hold from nowhere",
    (sql, user) => sql`UPDATE user_balances SET held_micros = held_micros + 1 WHERE user_id = ${user}`,
    ["I2"]
  ],
  [
    "an open call that is not there",
    (sql, user) => sql`UPDATE user_balances SET open_holds = open_holds + 1 WHERE user_id = ${user}`,
    ["I3"]
  ],
  [
    "an entry that moved nothing",
    (sql, user) => entryOf(sql, user, "adjustment", 5n, "adjustment", "alone"),
    ["I2", "I4"]
  ],
  [
    "an entry that nothing explains",
    (sql, user) => Effect.andThen(entryOf(sql, user, "gift", 5n, "friend", "me"), give(sql, user, 5n)),
    ["I4"]
  ],
  [
    "an adjustment that nobody has made",
    (sql, user) => Effect.andThen(entryOf(sql, user, "adjustment", 5n, "adjustment", "me"), give(sql, user, 5n)),
    ["I4"]
  ],
  [
    "a top-up that takes",
    (sql, user) => Effect.andThen(entryOf(sql, user, "topup", -5n, "topup_order", "1"), give(sql, user, -5n)),
    ["I4"]
  ],
  [
    "a debt paid from a credit that is not there",
    (sql, user) => entryOf(sql, user, "recovery", -5n, "topup_order", "2:topup"),
    ["I2", "I2", "I4"]
  ],
  [
    "a debt paid from a call that gave less",
    (sql, user) =>
      Effect.flatMap(
        sql<{ id: string }>`SELECT id FROM usage_events WHERE user_id = ${user} AND state = 'committed'`,
        ([call]) => entryOf(sql, user, "recovery", -51n, "usage", call?.id ?? "")
      ),
    ["I2", "I2", "I3"]
  ],
  [
    "a charge that was changed",
    (sql, user) =>
      sql`UPDATE usage_events SET charged_micros = 140, cost_micros = 140 WHERE user_id = ${user} AND state = 'committed'`,
    ["I2", "I8"]
  ],
  [
    "a charge above its cost",
    (sql, user) => sql`UPDATE usage_events SET cost_micros = 140 WHERE user_id = ${user} AND state = 'committed'`,
    ["I2", "I3", "I8"]
  ],
  [
    "a token that was not charged",
    (sql, user) =>
      sql`UPDATE usage_events SET output_tokens = output_tokens + 1 WHERE user_id = ${user} AND state = 'committed'`,
    ["I8"]
  ],
  [
    "a price that was changed",
    (sql, user) => sql`UPDATE usage_events SET output_micros_per_1m = 2000000 WHERE user_id = ${user}`,
    ["I8"]
  ],
  [
    "a multiplier that was changed",
    (sql, user) => sql`UPDATE usage_events SET billing_multiplier_micros = 1000001 WHERE user_id = ${user}`,
    ["I8"]
  ],
  [
    "a hold that was changed",
    (sql, user) => sql`UPDATE open_holds SET reserved_micros = 299 WHERE user_id = ${user}`,
    ["I2", "I2"]
  ],
  [
    "a call both open and ended",
    (sql, user) =>
      sql`INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros, reserved_at,
          lease_expires_at, settled_at, endpoint, model)
        SELECT id, user_id, 'voided', funding, reserved_micros, 0, 0, reserved_at, lease_expires_at, now(), endpoint, model
          FROM open_holds WHERE user_id = ${user}`,
    ["I3"]
  ],
  [
    "a late void",
    (sql, user) => sql`UPDATE usage_events SET late = true WHERE user_id = ${user} AND state = 'voided'`,
    ["I3"]
  ],
  [
    "a void with a cost",
    (sql, user) => sql`UPDATE usage_events SET cost_micros = 5 WHERE user_id = ${user} AND state = 'voided'`,
    ["I2", "I3"]
  ],
  [
    "a void with usage",
    (sql, user) => sql`UPDATE usage_events SET output_tokens = 5 WHERE user_id = ${user} AND state = 'voided'`,
    ["I3"]
  ],
  [
    "a tombstone of something that was held",
    (sql, user) => sql`UPDATE usage_events SET endpoint = '' WHERE user_id = ${user} AND state = 'voided'`,
    ["I3"]
  ],
  [
    "a commit without usage",
    (sql, user) =>
      sql`UPDATE usage_events SET cached_input_tokens = NULL WHERE user_id = ${user} AND state = 'committed'`,
    ["I3"]
  ],
  [
    "a call that expired within its lease",
    (sql, user) =>
      sql`UPDATE usage_events SET state = 'expired', settled_at = now(), cost_micros = 0, charged_micros = 0
        WHERE user_id = ${user} AND state = 'voided'`,
    ["I3"]
  ],
  [
    "an expired call charged in part",
    (sql, user) =>
      sql`UPDATE usage_events SET state = 'expired', settled_at = now(), cost_micros = 7, charged_micros = 7,
          lease_expires_at = now() - interval '1 second'
        WHERE user_id = ${user} AND state = 'voided'`,
    ["I2", "I3"]
  ],
  [
    "an entry posted twice",
    (sql, user) =>
      sql`INSERT INTO ledger_entries (user_id, kind, amount_micros, ref_type, ref_id, actor, note, seq)
        SELECT user_id, kind, amount_micros, ref_type, ref_id, actor, note,
            seq + (SELECT max(seq) FROM ledger_entries WHERE user_id = ${user})
          FROM ledger_entries WHERE user_id = ${user}`,
    ["I2"]
  ],
  [
    "a hold that nobody ends",
    (sql, user) => sql`UPDATE open_holds SET lease_expires_at = now() - interval '2 minutes' WHERE user_id = ${user}`,
    ["I6"]
  ]
]

const ofSubscription: typeof ofBalance = [
  [
    "a window that forgot a call",
    (sql, user) => sql`UPDATE subscription_usage SET micros = micros - 1 WHERE ${ofUser(sql, user)}`,
    ["I7"]
  ],
  [
    "a window that forgot what is held",
    (sql, user) => sql`UPDATE subscription_usage SET held_micros = held_micros - 1 WHERE ${ofUser(sql, user)}`,
    ["I7"]
  ],
  [
    "a window that counts a call at another time",
    (sql, user) =>
      sql`UPDATE subscription_usage SET bucket_start = bucket_start - interval '3 hours' WHERE ${ofUser(sql, user)}`,
    ["I7"]
  ],
  [
    "a call that its window does not know",
    (sql, user) => sql`UPDATE open_holds SET reserved_micros = 301 WHERE user_id = ${user}`,
    ["I7"]
  ],
  ...[5, 24, 168, 720].map((hours): typeof ofBalance[number] => [
    `a window of ${hours} hours above its limit`,
    (sql, user) =>
      sql.unsafe(
        `UPDATE user_subscriptions SET limit_${hours < 24 ? "5h" : `${hours / 24}d`}_micros = 449 WHERE user_id = $1`,
        [user]
      ),
    ["I7"]
  ])
]

layer(TestAccounts, { excludeTestServices: true })("the audit", (it) => {
  const test = testsOf(it.effect, Effect.void)
  test("names each broken promise, for the user it was broken to", function*() {
    const { sql } = yield* furnished
    assert.deepStrictEqual(yield* problems, [])
    // What the database itself would refuse, the audit must not rely on.
    yield* sql`ALTER TABLE user_balances DROP CONSTRAINT user_balances_usd_micros_check,
        DROP CONSTRAINT owed_means_empty`
    yield* sql`ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_ref_type_ref_id_kind_key`
    assert.deepStrictEqual((yield* problems).map(({ invariant, userId }) => [invariant, userId]), [["I4", null]])
    for (const [list, whose] of [[ofBalance, "user"], [ofSubscription, "subscribed"]] as const) {
      for (const [what, broken, invariants] of list) {
        const before = yield* problems
        const { [whose]: user } = yield* furnished
        assert.deepStrictEqual(yield* problems, before, what)
        yield* broken(sql, user)
        const found = (yield* problems).filter(({ userId }) => userId === user)
        assert.deepStrictEqual(found.map(({ invariant }) => invariant), invariants, what)
        assert.strictEqual((yield* problems).length, before.length + found.length, what)
      }
    }
  })

  test("names each guard that is gone", function*() {
    const sql = yield* SqlClient.SqlClient
    yield* sql`SELECT realms_make_usage_month_v1('2024-02-01')`
    const guards = yield* sql<{ name: string; of: string }>`SELECT tgname AS name, tgrelid::regclass::text AS of
        FROM pg_trigger WHERE NOT tgisinternal AND tgfoid = 'realms_refuse_change_v1'::regproc ORDER BY tgname`
    assert.isAtLeast(guards.length, 10)
    for (const { name, of } of guards) {
      yield* sql.unsafe(`ALTER TABLE ${of} DISABLE TRIGGER ${name}`)
      const found = (yield* problems).filter(({ invariant }) => invariant === "I9")
      assert.deepStrictEqual(found.map(({ message }) => message), [`the guard ${name} is missing or switched off`])
      yield* sql.unsafe(`ALTER TABLE ${of} ENABLE TRIGGER ${name}`)
    }
  })
})
