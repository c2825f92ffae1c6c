/**
 * Removes what is kept for some time only, by the settings of `retention`: refused calls, and what each minute of a subscription has used.
 * None of it is money. It goes in small steps that wait for no lock and keep nobody waiting; what is locked is left for the next round.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Count, Row } from "../domain/Row.ts"
import { BATCH_ROWS_MAX } from "../platform/Batches.ts"
import { inRounds } from "../platform/Rounds.ts"
import { Singletons } from "../platform/Singletons.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import { Settings } from "../settings/Settings.ts"
import { RefusedCalls } from "./RefusedCalls.ts"

export class Retention extends Context.Service<Retention, {
  /** Removes what is too old, now. What is left after many steps is for the next round. */
  readonly round: Effect.Effect<void, SqlError.SqlError>
}>()("realms/usage/Retention") {
  static readonly layer = Layer.effect(Retention)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const refused = yield* RefusedCalls

    const removeMinutes = minuteRemover(sql)

    const round = Effect.gen(function*() {
      const { refusedCallsDays, subscriptionMinutesDays } = settings.current().retention
      if (refusedCallsDays !== null) yield* refused.clean(refusedCallsDays)
      if (subscriptionMinutesDays !== null) yield* removeMinutes(subscriptionMinutesDays)
    })

    return Retention.of({ round })
  }))
}

/** Between two rounds, in milliseconds. */
const ROUND_MS = 600_000

/** Statements of one round, at most. */
const STEPS_MAX = 1_000

/** Subscriptions that one statement looks at, at most. */
const STEP_SUBSCRIPTIONS_MAX = 10_000

const Bound = Row({ keptFrom: Schema.Date })

const Step = Row({
  removed: Count,
  /** The last subscription with a minute that was removed, and the last that was looked at. Null: none. */
  removedTo: Schema.NullOr(Schema.BigInt),
  lookedTo: Schema.NullOr(Schema.BigInt)
})

/**
 * Goes through the subscriptions by their ids, and in the next round on from where this one ends. The bound is written first, so that the
 * ledger check never misses a minute that it still expects. It only moves on.
 */
const minuteRemover = (sql: SqlClient.SqlClient) => {
  let from = 0n

  // A look-up in the index for each subscription, in the order of their ids, not a scan of all minutes. No ORDER BY around it: where it is
  // taken for a sort, all minutes of all these subscriptions are locked first.
  const step = (keptFrom: Date) =>
    oneRowOf(
      Step,
      sql`WITH looked AS MATERIALIZED (
          SELECT id FROM user_subscriptions WHERE id >= ${from} ORDER BY id LIMIT ${STEP_SUBSCRIPTIONS_MAX}
        ), gone AS (
          DELETE FROM subscription_usage WHERE (subscription_id, bucket_start) IN (
            SELECT m.subscription_id, m.bucket_start FROM looked s CROSS JOIN LATERAL (
              SELECT u.subscription_id, u.bucket_start FROM subscription_usage u
                WHERE u.subscription_id = s.id AND u.bucket_start < ${keptFrom}
                ORDER BY u.bucket_start LIMIT ${BATCH_ROWS_MAX} FOR UPDATE SKIP LOCKED
            ) m LIMIT ${BATCH_ROWS_MAX}) RETURNING subscription_id
        )
        SELECT (SELECT count(*) FROM gone) AS removed, (SELECT max(subscription_id) FROM gone) AS removed_to,
          (SELECT max(id) FROM looked) AS looked_to`
    )

  return Effect.fnUntraced(function*(days: number) {
    const { keptFrom } = yield* oneRowOf(
      Bound,
      sql`INSERT INTO subscription_usage_kept AS k (kept_from)
        VALUES (date_trunc('hour', now() - make_interval(days => ${days}::integer), 'UTC'))
        ON CONFLICT (one) DO UPDATE SET kept_from = greatest(k.kept_from, excluded.kept_from) RETURNING kept_from`
    )
    for (let steps = 0; steps < STEPS_MAX; steps++) {
      const { lookedTo, removed, removedTo } = yield* step(keptFrom)
      if (lookedTo === null) {
        from = 0n
        return
      }
      // Of the last one there may be more.
      from = removed >= BATCH_ROWS_MAX && removedTo !== null ? removedTo : lookedTo + 1n
    }
  })
}

/** Removes as long as the layer lives. */
export const RetentionLayer = Layer.effectDiscard(Effect.gen(function*() {
  const { round } = yield* Retention
  const run = yield* Singletons
  yield* run("retention", inRounds(round, { failure: "what is too old could not be removed", everyMs: ROUND_MS }))
}))
