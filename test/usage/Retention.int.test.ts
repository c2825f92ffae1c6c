/**
 * What is kept for some time only: it goes when its time is over, nothing else goes with it, and the ledger check still holds and still
 * sees what is wrong.
 */
import { assert } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { testConfig } from "../../src/config/Config.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { RefusedCalls } from "../../src/usage/RefusedCalls.ts"
import { Retention } from "../../src/usage/Retention.ts"
import { memorySettings } from "../support/MemoryServices.ts"
import { testsOver } from "../support/Steps.ts"
import { makeUser, problems } from "../support/TestAccounts.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

/** Rounds of one server with these settings. */
const withRounds = <A, E, R>(
  retention: object,
  use: (round: Retention["Service"]["round"]) => Effect.Effect<A, E, R>
) =>
  Effect.provide(
    Effect.flatMap(Retention, ({ round }) => use(round)),
    Layer.fresh(Retention.layer).pipe(
      Layer.provide(RefusedCalls.layer),
      Layer.provide(memorySettings(testConfig({ retention })))
    )
  )

const roundWith = (retention: object) => withRounds(retention, (round) => round)

/** A call that a subscription paid so many days ago, counted in its minute. */
const paidCall = Effect.fnUntraced(function*(userId: UserId, days: number) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`
    WITH plan AS (
      INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
          limit_30d_micros, starts_at, ends_at, fence)
        VALUES (${userId}, 'p', 'P', 0, 0, 0, 0, now() - interval '900 days', now() + interval '9 days', 7) RETURNING id
    ), minute AS (
      INSERT INTO subscription_usage (subscription_id, bucket_start, micros)
        SELECT id, date_trunc('minute', now() - make_interval(days => ${days}::integer)), 15 FROM plan
    )
    INSERT INTO usage_events (id, user_id, state, funding, subscription_id, reserved_micros, cost_micros, charged_micros,
        input_micros_per_1m, input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, endpoint, model, usage_source, reserved_at,
        lease_expires_at, settled_at)
      SELECT gen_random_uuid(), ${userId}, 'committed', 'subscription', id, 20, 15, 15, 1000000, 15, 0, 0, 0, 'responses', 'm', 'upstream',
          t.at, t.at, t.at FROM plan, (SELECT now() - make_interval(days => ${days}::integer) AS at) t`
})

const Count = Schema.Struct({ count: Schema.BigInt })

const countOf = Effect.fnUntraced(function*(table: "subscription_usage" | "usage_events" | "refused_calls") {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql`SELECT count(*) FROM ${sql.literal(table)}`
  return Number((yield* Schema.decodeUnknownEffect(Count)(row)).count)
})

testsOver(TestDatabase.layer)("retention", (test) => {
  test("removes minutes of plans and refused calls after their days, and no call", function*() {
    const sql = yield* SqlClient.SqlClient
    const userId = yield* makeUser(0n)
    yield* paidCall(userId, 500)
    yield* paidCall(userId, 10)
    yield* sql`INSERT INTO refused_calls (user_id, id, at, model, endpoint, status, code)
      SELECT ${userId}, gen_random_uuid(), now() - make_interval(days => d), 'm', 'responses', 429, 'x' FROM unnest(ARRAY[1, 20, 400]) d`
    assert.deepStrictEqual(yield* problems, [])

    yield* roundWith({ refused_calls_days: 0, subscription_minutes_days: 0 })
    assert.deepStrictEqual(
      [yield* countOf("subscription_usage"), yield* countOf("refused_calls")],
      [2, 3],
      "0: for ever"
    )

    yield* roundWith({ refused_calls_days: 30, subscription_minutes_days: 600 })
    assert.deepStrictEqual([yield* countOf("subscription_usage"), yield* countOf("refused_calls")], [2, 2])

    yield* roundWith({ refused_calls_days: 7, subscription_minutes_days: 400 })
    assert.deepStrictEqual([yield* countOf("subscription_usage"), yield* countOf("refused_calls")], [1, 1])
    assert.strictEqual(yield* countOf("usage_events"), 2)
    assert.deepStrictEqual(yield* problems, [], "what retention has passed is not missed")

    // A longer time brings nothing back, and so the bound stays where it was.
    yield* roundWith({ subscription_minutes_days: 800 })
    assert.deepStrictEqual(yield* problems, [])
    yield* sql`DELETE FROM subscription_usage`
    const [problem] = yield* problems
    assert.match(problem?.message ?? "", /the windows of subscription \d+ and its calls differ in 1 minutes/)
  })

  test("removes more minutes than one statement does, of one subscription and of many, in each round", function*() {
    const sql = yield* SqlClient.SqlClient
    const userId = yield* makeUser(0n)
    yield* sql`DELETE FROM subscription_usage`
    yield* sql`INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
        limit_30d_micros, starts_at, ends_at, fence)
      SELECT ${userId}, 'p', 'P', 0, 0, 0, 0, now() - interval '900 days', now() + interval '9 days', 7 FROM generate_series(1, 5)`
    // The first one has none, the second one most.
    const fill = sql`INSERT INTO subscription_usage (subscription_id, bucket_start, micros)
      SELECT s.id, date_trunc('minute', now() - interval '700 days') + m * interval '1 minute', 15
        FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM user_subscriptions WHERE user_id = ${userId}) s,
          generate_series(1, CASE s.n WHEN 1 THEN 0 WHEN 2 THEN 2_500 ELSE 600 END) m`
    yield* withRounds({ subscription_minutes_days: 650 }, (round) =>
      Effect.gen(function*() {
        yield* fill
        yield* round
        assert.strictEqual(yield* countOf("subscription_usage"), 0)
        yield* fill
        yield* round
        assert.strictEqual(yield* countOf("subscription_usage"), 0, "a round begins with the first subscription again")
      }))
  })
})
