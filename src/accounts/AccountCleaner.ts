/**
 * Removes what nothing is decided on any more: idempotency keys past their day, what keys spent in periods that are over, rates that are
 * free again. None of it is money: what a key has spent is summed again where it is asked for.
 */
import { Clock, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { BATCH_ROWS_MAX, inBatches } from "../platform/Batches.ts"
import { inRounds } from "../platform/Rounds.ts"
import { Singletons } from "../platform/Singletons.ts"

/** Between two rounds, in milliseconds. */
const ROUND_MS = 600_000

/** What keys spent in a period is kept for so long after its beginning, in days. */
const SPEND_DAYS_KEPT = 70

/** What a key has spent that ended so long ago is removed, in hours: an account reads what it has of all its keys. */
const ENDED_HOURS_KEPT = 1

/** A rate that has been free for so long is removed, in milliseconds. */
const RATE_KEPT_MS = 3_600_000n

const US_PER_MS = 1_000n

/** One round. What is locked at this moment is left for the next one. */
export const cleanAccounts: Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient> = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const freeUs = (BigInt(yield* Clock.currentTimeMillis) - RATE_KEPT_MS) * US_PER_MS
  yield* inBatches(sql`DELETE FROM call_claims WHERE (user_id, key_hash) IN (
    SELECT user_id, key_hash FROM call_claims WHERE expires_at <= now()
      LIMIT ${BATCH_ROWS_MAX} FOR UPDATE SKIP LOCKED) RETURNING user_id`)
  yield* inBatches(sql`DELETE FROM key_spend WHERE (user_id, key_id, period, starts_at) IN (
    SELECT user_id, key_id, period, starts_at FROM key_spend
      WHERE period <> 'total' AND starts_at < now() - make_interval(days => ${SPEND_DAYS_KEPT}::integer)
      LIMIT ${BATCH_ROWS_MAX} FOR UPDATE SKIP LOCKED) RETURNING key_id`)
  yield* inBatches(sql`DELETE FROM key_spend WHERE (user_id, key_id, period, starts_at) IN (
    SELECT s.user_id, s.key_id, s.period, s.starts_at FROM key_spend s JOIN api_keys k ON k.id = s.key_id
      WHERE least(k.revoked_at, k.expires_at) < now() - make_interval(hours => ${ENDED_HOURS_KEPT}::integer)
      LIMIT ${BATCH_ROWS_MAX} FOR UPDATE OF s SKIP LOCKED) RETURNING key_id`)
  yield* inBatches(sql`DELETE FROM call_rates WHERE (user_id, key_id) IN (
    SELECT user_id, key_id FROM call_rates WHERE greatest(requests_us, tokens_us) < ${freeUs}::bigint
      LIMIT ${BATCH_ROWS_MAX} FOR UPDATE SKIP LOCKED) RETURNING key_id`)
})

/** Cleans as long as the layer lives. */
export const AccountCleanerLayer = Layer.effectDiscard(
  Effect.flatMap(Singletons, (run) =>
    run(
      "account-cleaner",
      inRounds(cleanAccounts, { failure: "what accounts do not need any more could not be removed", everyMs: ROUND_MS })
    ))
)
