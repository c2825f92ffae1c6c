/**
 * Looks for what no transaction tells of: balances below their thresholds, plans and disputes whose time comes, debts, books that do not
 * agree, a disk that fills. Once a minute, by index and in bounded steps, so that no call pays for it.
 */
import { Effect, Layer, Option, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { hostname } from "node:os"
import { LedgerDrift } from "../accounts/LedgerDrift.ts"
import { AppConfig } from "../config/Config.ts"
import { UserId } from "../domain/Ids.ts"
import { PLAN_ENDING_DAYS_MAX } from "../domain/NoticeTerms.ts"
import { Micros, MICROS_PER_USD } from "../domain/Money.ts"
import { Count, Row } from "../domain/Row.ts"
import { inRounds } from "../platform/Rounds.ts"
import { Singletons } from "../platform/Singletons.ts"
import { freeBytes } from "../postgres/DiskSpace.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import { seeCondition } from "./NoticeConditions.ts"

/** Between two looks, in milliseconds. */
const LOOK_MS = 60_000

/** Notices that one look writes of each kind, at most; what is left over comes with the next one. */
const LOOK_ROWS_MAX = 1_000

/** Users whose balances one statement looks at, at most: those with a threshold. */
const STEP_USERS_MAX = 5_000

/** Root is told of debts from this sum on, in USD micros: less is the end of a call that cost a little more than was left. */
const DEBT_MICROS_MIN = 10n * MICROS_PER_USD

/** Before the last day to answer a dispute, in hours. */
const DISPUTE_DUE_HOURS = 48

/** With less free space in `data_dir` root is told, in bytes. */
const DISK_FREE_BYTES_MIN = 2_147_483_648

type Look = Effect.Effect<unknown, SqlError.SqlError>

const LastUser = Row({ userId: Schema.NullOr(UserId) })

/** The last of the users with a threshold that one step looks at; null: there are no more. */
const stepEnd = (sql: SqlClient.SqlClient, after: bigint) =>
  Effect.map(
    oneRowOf(
      LastUser,
      sql`SELECT max(user_id) AS user_id FROM (SELECT user_id FROM notice_preferences
        WHERE low_balance_micros IS NOT NULL AND user_id > ${after}
        ORDER BY user_id LIMIT ${STEP_USERS_MAX}) step`
    ),
    ({ userId }) => userId
  )

/** Of users with ids above `after` up to `to`, of each table by its range: PostgreSQL would else read all balances for each step. */
const stepOfBalances = (sql: SqlClient.SqlClient, after: bigint, to: bigint) =>
  Effect.andThen(
    sql`UPDATE notice_preferences p SET low_balance_told_at = NULL FROM user_balances b
      WHERE p.user_id > ${after} AND p.user_id <= ${to} AND p.low_balance_told_at IS NOT NULL AND b.user_id = p.user_id
        AND b.user_id > ${after} AND b.user_id <= ${to} AND b.usd_micros + b.held_micros >= p.low_balance_micros`,
    sql`WITH low AS (
        SELECT p.user_id, b.usd_micros + b.held_micros AS balance
          FROM notice_preferences p JOIN user_balances b ON b.user_id = p.user_id JOIN users u ON u.id = p.user_id
          WHERE p.user_id > ${after} AND p.user_id <= ${to} AND b.user_id > ${after} AND b.user_id <= ${to}
            AND u.id > ${after} AND u.id <= ${to} AND p.low_balance_micros IS NOT NULL
            AND p.low_balance_told_at IS NULL AND u.disabled_at IS NULL
            AND b.usd_micros + b.held_micros < p.low_balance_micros
      ), told AS (
        UPDATE notice_preferences p SET low_balance_told_at = now() FROM low
          WHERE p.user_id = low.user_id AND p.low_balance_told_at IS NULL
          RETURNING p.user_id, p.low_balance_micros, low.balance
      )
      INSERT INTO notices (key, kind, user_id, data)
        SELECT 'low_balance:' || user_id || ':' || extract(epoch FROM now()), 'low_balance', user_id,
            jsonb_build_object('balance_micros', balance::text, 'threshold_micros', low_balance_micros::text)
          FROM told
        ON CONFLICT (key) DO NOTHING`
  )

/**
 * Balances below their thresholds, each told once until it is above again. What open calls hold counts as there: it comes back for the
 * most part.
 */
export const lookAtBalances = (sql: SqlClient.SqlClient): Look =>
  Effect.gen(function*() {
    let after = 0n
    while (true) {
      const to = yield* stepEnd(sql, after)
      if (to === null) return
      yield* stepOfBalances(sql, after, to)
      after = to
    }
  })

/** Plans in the second half of their time that end soon and that the same plan does not follow: each end is told once. */
export const lookAtPlans = (sql: SqlClient.SqlClient): Look =>
  sql`INSERT INTO notices (key, kind, user_id, data)
    SELECT 'plan_ending:' || s.id || ':' || extract(epoch FROM s.ends_at), 'plan_ending', s.user_id,
        jsonb_build_object('subscription_id', s.id::text, 'plan', s.plan_name,
          'ends_at', to_char(s.ends_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
      FROM user_subscriptions s JOIN users u ON u.id = s.user_id LEFT JOIN notice_preferences p ON p.user_id = s.user_id
      WHERE s.status = 'active' AND u.disabled_at IS NULL AND s.ends_at > now()
        AND s.ends_at <= now() + make_interval(days => ${PLAN_ENDING_DAYS_MAX})
        AND s.ends_at <= now() + make_interval(days => coalesce(p.plan_ending_days, 3))
        AND now() >= s.starts_at + (s.ends_at - s.starts_at) / 2
        AND NOT EXISTS (SELECT FROM user_subscriptions f WHERE f.user_id = s.user_id AND f.ends_at > s.ends_at
          AND f.plan_code = s.plan_code AND f.status = 'active')
        AND NOT EXISTS (SELECT FROM notices n
          WHERE n.key = 'plan_ending:' || s.id || ':' || extract(epoch FROM s.ends_at))
      ORDER BY s.ends_at LIMIT ${LOOK_ROWS_MAX}
    ON CONFLICT (key) DO NOTHING`

/** Disputes that wait for an answer whose last day is near. */
export const lookAtDisputes = (sql: SqlClient.SqlClient): Look =>
  sql`INSERT INTO notices (key, kind, data)
    SELECT 'dispute_due:' || d.id || ':' || extract(epoch FROM d.due_at), 'dispute_due',
        jsonb_build_object('dispute_id', d.dispute_id, 'provider', d.provider, 'reason', d.reason,
          'amount_minor', d.amount_minor::text, 'currency', d.currency,
          'due_at', to_char(d.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
      FROM payment_disputes d
      WHERE d.due_at BETWEEN now() AND now() + make_interval(hours => ${DISPUTE_DUE_HOURS})
        AND d.status IN ('needs_response', 'warning_needs_response')
      ORDER BY d.due_at LIMIT ${LOOK_ROWS_MAX}
    ON CONFLICT (key) DO NOTHING`

const Debts = Row({ accounts: Count, owedMicros: Micros })

/** What all accounts owe together. */
export const lookAtDebts = (sql: SqlClient.SqlClient): Look =>
  Effect.flatMap(
    oneRowOf(
      Debts,
      sql`SELECT count(*) AS accounts, coalesce(sum(owed_micros), 0)::bigint AS owed_micros
        FROM user_balances WHERE owed_micros > 0`
    ),
    ({ accounts, owedMicros }) =>
      owedMicros < DEBT_MICROS_MIN ? Effect.void : seeCondition(sql, {
        kind: "debt",
        subject: "all",
        afterSeconds: 0,
        everyMs: LOOK_MS,
        data: { accounts, owed_micros: owedMicros.toString() }
      })
  )

/**
 * Names a disk for as long as it is there: a container has another host name after each start, and where the database is embedded there is
 * no server elsewhere.
 */
export const diskName = (
  { dataDir, isEmbedded, server }: { readonly server: string; readonly dataDir: string; readonly isEmbedded: boolean }
): string => isEmbedded ? dataDir : `${server}:${dataDir}`

/** What each server sees for itself: its disk, and the accounts that it compares with their rows. */
const lookAround = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const { dataDir, database } = yield* AppConfig
  const drift = yield* LedgerDrift
  const server = hostname()
  const disk = diskName({ server, dataDir, isEmbedded: Option.isNone(database.url) })
  return Effect.gen(function*() {
    const free = yield* freeBytes(dataDir)
    if (free !== undefined && free < DISK_FREE_BYTES_MIN) {
      const data = { server, free_bytes: BigInt(Math.trunc(free)).toString() }
      yield* seeCondition(sql, {
        kind: "disk_low",
        subject: disk,
        afterSeconds: 0,
        everyMs: LOOK_MS,
        data
      })
    }
    const drifting = drift.current()
    if (drifting.length > 0) {
      const sum = drifting.reduce((total, { driftMicros }) => total + driftMicros, 0n)
      const data = { accounts: drifting.length, drift_micros: sum.toString() }
      yield* seeCondition(sql, { kind: "ledger_drift", subject: "all", afterSeconds: 0, everyMs: LOOK_MS, data })
    }
  })
})

/** Looks as long as the layer lives. */
export const NoticeWatchLayer = Layer.effectDiscard(Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const run = yield* Singletons
  const failure = "what notices are about could not be looked at"
  const looking = <E>(look: Effect.Effect<unknown, E>) => inRounds(look, { failure, everyMs: LOOK_MS })
  const looks = [lookAtBalances, lookAtPlans, lookAtDisputes, lookAtDebts]
  // One that fails keeps no other.
  yield* run(
    "notice-watch",
    Effect.forEach(looks, (look) => looking(look(sql)), { concurrency: looks.length, discard: true })
  )
  yield* Effect.forkScoped(looking(yield* lookAround))
}))
