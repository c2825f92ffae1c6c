/**
 * Tests all channels at once, in the background: one model of each, the cheapest of whose calls does. There is one such run at a time
 * in the installation, bounded in how many are under way and how long it takes. What comes of it is kept with each channel.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { ChannelId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { ChannelTest, TESTS_AT_ONCE_MAX } from "./ChannelTest.ts"

/** A run takes no longer, in minutes; channels whose turn has not come by then are left as they are. */
export const RUN_MINUTES_MAX = 10

const RunRow = Row({
  id: Schema.BigInt,
  startedAt: Schema.Date,
  /** Null: it is under way. */
  endedAt: Schema.NullOr(Schema.Date),
  /** Channels to test, those that were, and those of them that failed. */
  total: Schema.Number,
  done: Schema.Number,
  failed: Schema.Number
})
export type ChannelTestRun = typeof RunRow.Type

const Testable = Row({ id: ChannelId, model: Schema.String })

/** Of an advisory lock under which runs begin one after the other. */
const RUN_LOCK = 7_304_160_533n

export class ChannelTestRuns extends Context.Service<ChannelTestRuns, {
  /** Begins a run, unless one is under way. */
  readonly start: Effect.Effect<void, DatabaseUnavailable>
  /** The last one; undefined: there was none. */
  readonly latest: Effect.Effect<ChannelTestRun | undefined, DatabaseUnavailable>
}>()("realms/gateway/ChannelTestRuns") {
  static readonly layer = Layer.effect(ChannelTestRuns)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const test = yield* ChannelTest
    const scope = yield* Effect.scope

    /** A run whose server has died is over when its time is. */
    const latest = orUnavailable(rowOf(
      RunRow,
      sql`SELECT id, started_at, total, done, failed, coalesce(ended_at, CASE
          WHEN started_at < now() - make_interval(mins => ${RUN_MINUTES_MAX + 1}) THEN started_at END) AS ended_at
        FROM channel_test_runs ORDER BY id DESC LIMIT 1`
    ))

    const testable = rowsOf(
      Testable,
      sql`SELECT DISTINCT ON (c.id) c.id, s.model_id AS model
        FROM channels c JOIN channel_models s ON s.channel_id = c.id JOIN models m ON m.id = s.model_id
        WHERE c.disabled_at IS NULL ORDER BY c.id, m.reasoning, m.output_micros_per_1m, s.model_id`
    )

    const testOne = Effect.fnUntraced(function*(runId: bigint, { id, model }: typeof Testable.Type) {
      const tested = yield* Effect.result(test.run(id, model))
      const failed = tested._tag === "Failure" || tested.success.reason !== null ? 1 : 0
      yield* sql`UPDATE channel_test_runs SET done = done + 1, failed = failed + ${failed} WHERE id = ${runId}`
    })

    const runAll = (runId: bigint, channels: ReadonlyArray<typeof Testable.Type>) =>
      Effect.forEach(channels, (one) => testOne(runId, one), { concurrency: TESTS_AT_ONCE_MAX, discard: true }).pipe(
        Effect.timeoutOption(`${RUN_MINUTES_MAX} minutes`),
        Effect.ensuring(Effect.ignore(sql`UPDATE channel_test_runs SET ended_at = now() WHERE id = ${runId}`)),
        Effect.catchCause((cause) => Effect.logWarning("the test of all channels was cut short", cause))
      )

    const begin = inTransaction(
      sql,
      Effect.gen(function*() {
        yield* sql`SELECT pg_advisory_xact_lock(${RUN_LOCK})`
        const before = yield* latest
        if (before !== undefined && before.endedAt === null) return undefined
        const channels = yield* testable
        const run = yield* rowOf(
          RunRow,
          sql`INSERT INTO channel_test_runs (total) VALUES (${channels.length})
            RETURNING id, started_at, ended_at, total, done, failed`
        )
        yield* sql`DELETE FROM channel_test_runs WHERE id < ${run?.id ?? 0n}`
        return run === undefined ? undefined : { id: run.id, channels }
      })
    )

    return ChannelTestRuns.of({
      start: Effect.flatMap(begin, (begun) =>
        begun === undefined
          ? Effect.void
          : Effect.asVoid(Effect.forkIn(runAll(begun.id, begun.channels), scope))).pipe(orUnavailable),
      latest
    })
  })).pipe(Layer.provide(ChannelTest.layer))
}
