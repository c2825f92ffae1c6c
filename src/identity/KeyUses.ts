/**
 * When each key was last used: noted in memory, which is all that a call pays for it, and written to the database for all
 * keys together once a minute and at the stop. What cannot be written waits for the next time; what does not fit is not
 * noted, since the next use of the key will be.
 * @internal
 */
import { Array as Arr, Clock, Effect, type Scope } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { ApiKeyId } from "../domain/Ids.ts"
import { inRounds } from "../platform/Rounds.ts"
import { recordsetOf } from "../postgres/Rows.ts"

/** Keys whose use is noted between two writes, at most. */
const NOTED_MAX = 50_000

/** Keys written by one statement, at most. */
const BATCH_ROWS_MAX = 1_000

/** Between two writes, in milliseconds. */
const WRITE_MS = 60_000

/** At the stop, writing takes no longer. */
const STOP_MS_MAX = 2_000

type KeyUse = readonly [keyId: ApiKeyId, usedMs: number]

export interface KeyUses {
  /** The key is used at this moment. */
  note(keyId: ApiKeyId): void
}

// Rows are locked in the order of their ids, so that two servers do not wait for each other.
const write = (
  sql: SqlClient.SqlClient,
  batch: ReadonlyArray<KeyUse>
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`WITH used AS (
      SELECT id, to_timestamp(ms / 1000.0) AS at
        FROM jsonb_to_recordset(${
    recordsetOf(batch.map(([id, ms]) => ({ id, ms })))
  }::jsonb) AS u (id bigint, ms bigint)
    ), locked AS (
      SELECT k.id, used.at FROM api_keys k JOIN used ON used.id = k.id
        WHERE k.last_used_at IS NULL OR k.last_used_at < used.at ORDER BY k.id FOR NO KEY UPDATE OF k
    )
    UPDATE api_keys k SET last_used_at = locked.at FROM locked WHERE k.id = locked.id`)

/** Notes and writes as long as the scope. */
export const makeKeyUses: Effect.Effect<KeyUses, never, SqlClient.SqlClient | Scope.Scope> = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const clock = yield* Clock.Clock
  const noted = new Map<ApiKeyId, number>()

  const writeBatch = (batch: ReadonlyArray<KeyUse>) =>
    Effect.tap(write(sql, batch), () =>
      Effect.sync(() => {
        // Used again meanwhile, it is written again later.
        for (const [keyId, usedMs] of batch) if (noted.get(keyId) === usedMs) noted.delete(keyId)
      }))
  const writeAll = Effect.suspend(() =>
    Effect.forEach(Arr.chunksOf([...noted], BATCH_ROWS_MAX), writeBatch, { discard: true })
  )

  yield* Effect.addFinalizer(() =>
    writeAll.pipe(
      Effect.timeoutOption(STOP_MS_MAX),
      Effect.catch((error) => Effect.logWarning("when keys were used could not be written at the stop", error))
    )
  )
  yield* inRounds(writeAll, { failure: "when keys were used could not be written", everyMs: WRITE_MS }).pipe(
    Effect.delay(WRITE_MS),
    Effect.forkScoped
  )
  return {
    note: (keyId) => {
      if (noted.size < NOTED_MAX || noted.has(keyId)) noted.set(keyId, clock.currentTimeMillisUnsafe())
    }
  }
})
