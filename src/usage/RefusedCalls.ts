/**
 * Calls that were refused before they cost anything, for their user's list of calls. They are kept some days and a bounded
 * number for each user. The data plane only puts them into a queue in memory; the background writes them in batches, and what
 * does not fit into the queue is dropped and counted.
 */
import { Clock, Context, Effect, Layer, Metric, Schema, Semaphore } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { ApiKeyId, isUuid, UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { BATCH_ROWS_MAX, inBatches } from "../platform/Batches.ts"
import { inRounds } from "../platform/Rounds.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { recordsetOf, rowOf } from "../postgres/Rows.ts"
import { classifySqlError } from "../postgres/SqlFailure.ts"
import { type QueuedRefusal, type RefusedEntry, RefusedQueue, RefusedStatus } from "./RefusedQueue.ts"
import { bounded } from "./UsageRefused.ts"

export { type RefusedEntry, type RefusedStatus, refusedStatuses } from "./RefusedQueue.ts"

/** Refused calls kept of one user, at most: the newest. */
export const REFUSED_PER_USER_MAX = 1_000

/** Between two writes, in milliseconds. */
const WRITE_MS = 1_000

/** Rows written by one statement, at most. */
const WRITE_ROWS_MAX = 1_000

/** At the stop, writing takes no longer. */
const STOP_MS_MAX = 2_000

/** The column lengths of a model's name, and of an endpoint or a code. */
const MODEL_LENGTH_MAX = 256
const WORD_LENGTH_MAX = 64

export const RefusedCall = Row({
  /** The request id. */
  id: Schema.String,
  userId: UserId,
  /** Of the user; null where there is none. */
  email: Schema.NullOr(Schema.String),
  atMs: Schema.Number,
  keyId: Schema.NullOr(ApiKeyId),
  keyName: Schema.NullOr(Schema.String),
  keyHint: Schema.NullOr(Schema.String),
  /** Null: the refusal came before the body was read. */
  model: Schema.NullOr(Schema.String),
  endpoint: Schema.String,
  status: RefusedStatus,
  code: Schema.String
})
export interface RefusedCall extends Schema.Schema.Type<typeof RefusedCall> {}

export class RefusedCalls extends Context.Service<RefusedCalls, {
  /** Keeps a refusal; costs a call no more than a place in memory. */
  record(entry: RefusedEntry): void
  /** One that is kept, of this user or, without one, of anybody; undefined when there is none. */
  find(id: string, userId?: UserId): Effect.Effect<RefusedCall | undefined, DatabaseUnavailable>
  /** Writes what waits, now. The background does it once a second. */
  readonly flush: Effect.Effect<void, SqlError.SqlError>
  /** Removes what is older than so many days, in steps; `Retention` does it again and again. */
  clean(days: number): Effect.Effect<void, SqlError.SqlError>
}>()("realms/usage/RefusedCalls") {
  static readonly layer = Layer.effect(RefusedCalls)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const clock = yield* Clock.Clock
    const context = yield* Effect.context<never>()
    const queue = new RefusedQueue()
    /** Taken out of the queue and not yet written. */
    let batch: ReadonlyArray<QueuedRefusal> = []

    const drop = (count: number): void => {
      if (count > 0) droppedTotal.updateUnsafe(count, context)
    }

    const writeBatch = Effect.suspend(() => Effect.andThen(insert(sql, batch), trim(sql, batch))).pipe(
      Effect.catch((error) => {
        // Each attempt would fail the same way, and what waits behind would never be written.
        if (classifySqlError(error) !== "data") return Effect.fail(error)
        return Effect.andThen(
          Effect.sync(() => drop(batch.length)),
          Effect.logError("refused calls could not be written, and are dropped", error)
        )
      }),
      Effect.andThen(Effect.sync(() => {
        batch = []
      }))
    )

    const oneWriter = yield* Semaphore.make(1)
    const flush = Effect.gen(function*() {
      while (batch.length > 0 || queue.size > 0) {
        if (batch.length === 0) batch = queue.take(WRITE_ROWS_MAX)
        yield* writeBatch
      }
    }).pipe(oneWriter.withPermits(1))

    yield* Effect.addFinalizer(() => Effect.timeoutOption(Effect.ignore(flush), STOP_MS_MAX))
    yield* Effect.forkScoped(inRounds(flush, { failure: "refused calls could not be written", everyMs: WRITE_MS }))

    return RefusedCalls.of({
      record: (entry) => drop(queue.push(queuedOf(entry, clock.currentTimeMillisUnsafe()))),
      find: findCall(sql),
      flush,
      clean: (days) => removeOld(sql, days)
    })
  }))
}

const droppedTotal = Metric.counter("realms_refused_calls_dropped_total", {
  description: "Refused calls that were not kept: too many waited, or the database refused them",
  incremental: true
})

/** PostgreSQL's text has no NUL, and its JSON no half of a surrogate pair; a client may send both. */
const textOf = (text: string, lengthMax: number): string =>
  text.slice(0, lengthMax).replaceAll("\0", "\ufffd").toWellFormed()

const queuedOf = (entry: RefusedEntry, atMs: number): QueuedRefusal => ({
  ...entry,
  model: entry.model === null ? null : textOf(entry.model, MODEL_LENGTH_MAX),
  endpoint: textOf(entry.endpoint, WORD_LENGTH_MAX),
  code: textOf(entry.code, WORD_LENGTH_MAX),
  atMs
})

const insert = (sql: SqlClient.SqlClient, batch: ReadonlyArray<QueuedRefusal>) => {
  const rows = recordsetOf(batch.map((entry) => ({
    user_id: entry.userId,
    id: entry.id,
    key_id: entry.keyId,
    at_ms: entry.atMs,
    model: entry.model,
    endpoint: entry.endpoint,
    status: entry.status,
    code: entry.code
  })))
  return sql`INSERT INTO refused_calls (user_id, id, key_id, at, model, endpoint, status, code)
    SELECT user_id, id, key_id, to_timestamp(at_ms / 1000.0), model, endpoint, status, code
      FROM jsonb_to_recordset(${rows}::jsonb) AS r (user_id bigint, id uuid, key_id bigint, at_ms bigint, model text,
        endpoint text, status smallint, code text)
    ON CONFLICT DO NOTHING`
}

/** Removes what a user has beyond the newest. */
const trim = (sql: SqlClient.SqlClient, batch: ReadonlyArray<QueuedRefusal>) => {
  const users = JSON.stringify([...new Set(batch.map(({ userId }) => userId.toString()))])
  return sql`DELETE FROM refused_calls r
    USING jsonb_array_elements_text(${users}::jsonb) AS u (id)
      CROSS JOIN LATERAL (SELECT k.id FROM refused_calls k WHERE k.user_id = u.id::bigint
        ORDER BY k.id DESC OFFSET ${REFUSED_PER_USER_MAX - 1}::integer LIMIT 1) oldest
    WHERE r.user_id = u.id::bigint AND r.id < oldest.id`
}

const removeOld = (sql: SqlClient.SqlClient, days: number) =>
  inBatches(sql`DELETE FROM refused_calls WHERE (user_id, id) IN (
    SELECT user_id, id FROM refused_calls WHERE at < now() - make_interval(days => ${days}::integer)
      LIMIT ${BATCH_ROWS_MAX} FOR UPDATE SKIP LOCKED) RETURNING id`)

const findCall = (sql: SqlClient.SqlClient) =>
  Effect.fn("RefusedCalls.find")(function*(id: string, userId?: UserId) {
    if (!isUuid(id)) return undefined
    return yield* bounded(rowOf(
      RefusedCall,
      sql`
      SELECT r.id, r.user_id, u.email, floor(extract(epoch FROM r.at) * 1000)::float8 AS at_ms, r.key_id, k.name AS key_name,
          k.hint AS key_hint, r.model, r.endpoint, r.status, r.code
        FROM refused_calls r LEFT JOIN users u ON u.id = r.user_id
          LEFT JOIN api_keys k ON k.id = r.key_id AND k.user_id = r.user_id
        WHERE r.id = ${id}::uuid AND (${userId ?? null}::bigint IS NULL OR r.user_id = ${userId ?? null}::bigint)`
    ))
  })
