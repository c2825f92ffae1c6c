/**
 * Folds settled calls into hours, in the background of every server, so that reports stay fast however many calls there are.
 * Work is bounded at each step and found by index; several servers share it by skipping what another one has locked.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { UserId } from "../domain/Ids.ts"
import { Millis, Row } from "../domain/Row.ts"
import { inRounds } from "../platform/Rounds.ts"
import { Singletons } from "../platform/Singletons.ts"
import { oneRowOf, rowsOf } from "../postgres/Rows.ts"
import { classifySqlError } from "../postgres/SqlFailure.ts"

export class UsageFolds extends Context.Service<UsageFolds, {
  /** Folds what one user has; answers how many calls were passed. Another process that is at it does the work instead. */
  fold(userId: UserId): Effect.Effect<number, SqlError.SqlError>
  /**
   * Folds for every user that has something to fold; answers how many calls were passed. One whose usage cannot be folded
   * keeps nobody else's; it fails at the end. When none fails, what everybody's reports are complete to moves on.
   */
  readonly round: Effect.Effect<number, SqlError.SqlError>
  /** Joins rows of the totals of all users, so that they stay few: those of the last hours, and a step of a pass over all the others. */
  readonly join: Effect.Effect<void, SqlError.SqlError>
}>()("realms/usage/UsageFolds") {
  static readonly layer = Layer.effect(UsageFolds)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    /** One transaction; the function is a statement of its own. */
    const step = (userId: UserId) =>
      Effect.map(
        oneRowOf(
          Folded,
          sql`SELECT realms_fold_usage_v1(${userId}, ${MARGIN_MS}, ${FOLD_CALLS_MAX}) AS passed`
        ),
        ({ passed }) => passed
      )

    const fold = Effect.fnUntraced(function*(userId: UserId) {
      let passed = 0
      while (true) {
        const now = yield* step(userId)
        passed += now
        if (now < FOLD_CALLS_MAX) return passed
      }
    })

    /** What is due is told by the database's clock. */
    const databaseTime = Effect.map(
      oneRowOf(Now, sql`SELECT now() AS at`),
      ({ atMs }) => atMs
    )

    /** Another server that holds some user's fold is done with it within this minute. */
    const roundIsOver = (beganMs: number) =>
      sql`INSERT INTO usage_fold_rounds AS r (folded_to) VALUES (to_timestamp(${beganMs - MARGIN_MS}::bigint / 1000.0))
      ON CONFLICT (one) DO UPDATE SET folded_to = excluded.folded_to WHERE r.folded_to < excluded.folded_to`

    const joinHours = (fromMs: number, beforeMs: number) =>
      sql`SELECT realms_join_usage_totals_v1(to_timestamp(${fromMs}::bigint / 1000.0), to_timestamp(${beforeMs}::bigint / 1000.0))`

    /** The pass has looked at all hours before. 0: it begins. */
    let lookedToMs = 0
    const join = Effect.gen(function*() {
      const { firstMs, nowMs } = yield* oneRowOf(
        Joined,
        sql`SELECT now() AS now, coalesce((SELECT min(hour) FROM usage_totals), now()) AS first`
      )
      const recentMs = nowMs - RECENT_MS
      yield* joinHours(recentMs, nowMs + HOUR_MS)
      const fromMs = Math.max(lookedToMs, firstMs)
      const beforeMs = Math.min(fromMs + JOINED_MS, recentMs)
      yield* joinHours(fromMs, beforeMs)
      lookedToMs = beforeMs < recentMs ? beforeMs : 0
    })

    const round = Effect.gen(function*() {
      const beganMs = yield* databaseTime
      let passed = 0
      let after = 0n
      let failure: SqlError.SqlError | undefined
      while (true) {
        const users = yield* rowsOf(
          FoldedUser,
          sql`
        SELECT id, due FROM realms_usage_due_v1(${after}, ${USERS_MAX}, ${MARGIN_MS})`
        )
        for (const { id, isDue } of users) {
          if (!isDue) continue
          const folded = yield* Effect.result(fold(id))
          if (folded._tag === "Success") passed += folded.success
          else if (classifySqlError(folded.failure) === "connection") return yield* folded.failure
          else failure ??= folded.failure
        }
        const last = users.at(-1)
        if (last === undefined || users.length < USERS_MAX) break
        after = last.id
      }
      if (failure !== undefined) return yield* failure
      yield* roundIsOver(beganMs)
      return passed
    })

    return UsageFolds.of({ fold, round, join })
  }))
}

/**
 * Calls with ids younger than this are left alone, in milliseconds: their rows may still be on the way. A call whose id is younger than
 * 30 s when the statement begins that writes its end is in the table within 8 s more, and the clocks of servers may be off by two
 * minutes. A trigger looks at those that end later, whatever their age.
 */
const MARGIN_MS = 180_000

/** Calls folded in one transaction, at most: a late commit of the same user waits for it no longer than a lock may take. */
const FOLD_CALLS_MAX = 10_000

/** Users looked at by one query, at most. */
const USERS_MAX = 500

const HOUR_MS = 3_600_000

/** Calls are folded within minutes; what comes later comes seldom. In milliseconds. */
const RECENT_MS = 6 * HOUR_MS

/** Hours of one step of the pass over all, in milliseconds: a year takes half an hour. */
const JOINED_MS = 168 * HOUR_MS

const Folded = Row({ passed: Schema.Number })

const Now = Row({ atMs: Millis }, { atMs: "at" })

const Joined = Row({ nowMs: Millis, firstMs: Millis }, { nowMs: "now", firstMs: "first" })

const FoldedUser = Row({ id: UserId, isDue: Schema.Boolean }, { isDue: "due" })

/** Between two rounds of a server, in milliseconds. */
const ROUND_MS = 30_000

/** Folds and joins until interrupted. A join that fails keeps no fold. */
export const usageFolder = Effect.flatMap(
  UsageFolds,
  (folds) =>
    Effect.all([
      inRounds(folds.round, { failure: "usage could not be folded", everyMs: ROUND_MS }),
      inRounds(folds.join, { failure: "totals of usage could not be joined", everyMs: ROUND_MS })
    ], { concurrency: 2, discard: true })
)

/** Folds as long as the layer lives. */
export const UsageFolderLayer = Layer.effectDiscard(
  Effect.flatMap(Singletons, (run) => run("usage-folder", usageFolder))
)
