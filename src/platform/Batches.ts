/**
 * Rows that are over are removed some at a time, so that no statement holds many locks, or lasts.
 */
import { Effect } from "effect"
import type { SqlError } from "effect/sql"

/** Rows removed by one statement, at most: what the statement has for its LIMIT. */
export const BATCH_ROWS_MAX = 1_000

/** Statements of one round for each table, at most. */
const BATCHES_MAX = 1_000

/** Removes with `batch`, which answers what it removed, until a batch is not full. What is left is for the next round. */
export const inBatches = (
  batch: Effect.Effect<ReadonlyArray<unknown>, SqlError.SqlError>
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(
    Effect.repeat(batch, { while: (rows) => rows.length >= BATCH_ROWS_MAX, times: BATCHES_MAX - 1 })
  )
