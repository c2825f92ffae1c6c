/**
 * Removes what is over: sessions that have ended by themselves, links past their day, limits that are full again. None
 * of it is financial and none of it is believed any more, so it only keeps the tables small. Runs in every server.
 */
import { Clock, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { BATCH_ROWS_MAX, inBatches } from "../platform/Batches.ts"
import { inRounds } from "../platform/Rounds.ts"
import { Singletons } from "../platform/Singletons.ts"
import { IDLE_DAYS_MAX } from "./SessionStore.ts"

/** Between two rounds, in milliseconds. */
const ROUND_MS = 600_000

/** A network that nobody signed in from for so long is new again. */
const NETWORK_DAYS_MAX = 180

/** One round. What is locked at this moment is left for the next one. */
export const cleanIdentity: Effect.Effect<void, SqlError.SqlError, SqlClient.SqlClient> = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const nowMs = BigInt(yield* Clock.currentTimeMillis)
  yield* inBatches(sql`DELETE FROM sessions WHERE id IN (
    SELECT id FROM sessions
      WHERE expires_at <= now() OR last_seen_at <= now() - make_interval(days => ${IDLE_DAYS_MAX}::integer)
      LIMIT ${BATCH_ROWS_MAX} FOR UPDATE SKIP LOCKED) RETURNING id`)
  yield* inBatches(sql`DELETE FROM attempt_limits WHERE key_hash IN (
    SELECT key_hash FROM attempt_limits WHERE full_at_ms <= ${nowMs}::bigint
      LIMIT ${BATCH_ROWS_MAX} FOR UPDATE SKIP LOCKED) RETURNING key_hash`)
  yield* sql`DELETE FROM pending_logins WHERE expires_at <= now()`
  yield* sql`DELETE FROM used_challenges WHERE expires_at <= now()`
  yield* inBatches(sql`DELETE FROM login_networks WHERE (user_id, network) IN (
    SELECT user_id, network FROM login_networks
      WHERE last_seen_at <= now() - make_interval(days => ${NETWORK_DAYS_MAX}::integer)
      LIMIT ${BATCH_ROWS_MAX} FOR UPDATE SKIP LOCKED) RETURNING user_id`)
  yield* inBatches(sql`DELETE FROM mail_links WHERE token_hash IN (
    SELECT token_hash FROM mail_links WHERE expires_at <= now()
      LIMIT ${BATCH_ROWS_MAX} FOR UPDATE SKIP LOCKED) RETURNING token_hash`)
  yield* sql`DELETE FROM setup_links WHERE expires_at <= now()`
  yield* sql`DELETE FROM password_links WHERE expires_at <= now()`
})

/** Cleans as long as the layer lives. */
export const IdentityCleanerLayer = Layer.effectDiscard(
  Effect.flatMap(Singletons, (run) =>
    run(
      "identity-cleaner",
      inRounds(cleanIdentity, { failure: "old sessions could not be removed", everyMs: ROUND_MS })
    ))
)
