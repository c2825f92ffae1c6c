/**
 * Removes what is kept for some time only, by the settings of `retention`: refused calls, and what each minute of a subscription has used.
 * None of it is money. It goes in small steps that wait for no lock and keep nobody waiting; what is locked is left for the next round.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Row } from "../domain/Row.ts"
import { BATCH_ROWS_MAX, inBatches } from "../platform/Batches.ts"
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

    const round = Effect.gen(function*() {
      const { refusedCallsDays, subscriptionMinutesDays } = settings.current().retention
      if (refusedCallsDays !== null) yield* refused.clean(refusedCallsDays)
      if (subscriptionMinutesDays !== null) yield* removeMinutes(sql, subscriptionMinutesDays)
    })

    return Retention.of({ round })
  }))
}

/** Between two rounds, in milliseconds. */
const ROUND_MS = 600_000

const Bound = Row({ keptFrom: Schema.Date })

/** The bound is written first, so that the ledger check never misses a minute that it still expects. It only moves on. */
const removeMinutes = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, days: number) {
  const { keptFrom } = yield* oneRowOf(
    Bound,
    sql`INSERT INTO subscription_usage_kept AS k (kept_from)
      VALUES (date_trunc('hour', now() - make_interval(days => ${days}::integer), 'UTC'))
      ON CONFLICT (one) DO UPDATE SET kept_from = greatest(k.kept_from, excluded.kept_from) RETURNING kept_from`
  )
  // A look-up in the index for each subscription, not a scan of all minutes.
  yield* inBatches(sql`DELETE FROM subscription_usage WHERE (subscription_id, bucket_start) IN (
    SELECT m.subscription_id, m.bucket_start FROM user_subscriptions s CROSS JOIN LATERAL (
      SELECT u.subscription_id, u.bucket_start FROM subscription_usage u
        WHERE u.subscription_id = s.id AND u.bucket_start < ${keptFrom} ORDER BY u.bucket_start LIMIT ${BATCH_ROWS_MAX}
        FOR UPDATE SKIP LOCKED
    ) m LIMIT ${BATCH_ROWS_MAX}) RETURNING subscription_id`)
})

/** Removes as long as the layer lives. */
export const RetentionLayer = Layer.effectDiscard(Effect.gen(function*() {
  const { round } = yield* Retention
  const run = yield* Singletons
  yield* run("retention", inRounds(round, { failure: "what is too old could not be removed", everyMs: ROUND_MS }))
}))
