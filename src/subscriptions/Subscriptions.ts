/**
 * Subscriptions that users have: made from the terms that were bought, ended, and taken up again. Every change replaces the
 * row's fence, so that no decision made on the old row is written, and is told to the account's actors when it commits.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { announceAccount, lockAccount } from "../accounts/Ledger.ts"

/** What was bought. Limits in micros, 0 for none; the multiplier is scaled by 10^6. */
export interface BoughtTerms {
  readonly planId: bigint
  readonly code: string
  readonly name: string
  readonly durationDays: number
  readonly limit5hMicros: bigint
  readonly limit1dMicros: bigint
  readonly limit7dMicros: bigint
  readonly limit30dMicros: bigint
  readonly multiplierMicros: bigint
}

/**
 * Gives a user a subscription as part of the transaction under way; answers its id. It starts now, or when the last running
 * one of the same plan ends.
 */
export const activate = (
  sql: SqlClient.SqlClient,
  userId: bigint,
  orderId: bigint | null,
  terms: BoughtTerms
): Effect.Effect<bigint, SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* lockAccount(sql, userId)
    const [row] = yield* sql<{ id: bigint }>`
      INSERT INTO user_subscriptions (user_id, plan_id, order_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros,
          limit_7d_micros, limit_30d_micros, multiplier_micros, starts_at, ends_at, fence)
        SELECT ${userId}::bigint, ${terms.planId}::bigint, ${orderId}::bigint, ${terms.code}::text, ${terms.name}::text,
            ${terms.limit5hMicros}::bigint, ${terms.limit1dMicros}::bigint, ${terms.limit7dMicros}::bigint,
            ${terms.limit30dMicros}::bigint, ${terms.multiplierMicros}::bigint, s.at,
            s.at + make_interval(days => ${terms.durationDays}::integer), hashtextextended(gen_random_uuid()::text, 0)
          FROM (
            SELECT greatest(now(), max(ends_at)) AS at FROM user_subscriptions
              WHERE user_id = ${userId} AND plan_code = ${terms.code} AND status = 'active' AND ends_at > now()
          ) s
        RETURNING id`
    yield* announceAccount(sql, userId)
    return row === undefined ? yield* Effect.die(new Error("a subscription was not inserted")) : row.id
  })

/**
 * After one of several subscriptions of a plan has ended early, those that were to follow it start as soon as the running one
 * ends, each for its whole time: what was paid for is not waited for in vain.
 */
const pullForward = (
  sql: SqlClient.SqlClient,
  userId: bigint,
  endedId: bigint
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`
    WITH own AS (
      SELECT s.id, s.starts_at, s.ends_at FROM user_subscriptions s
        JOIN user_subscriptions e ON e.id = ${endedId} AND e.user_id = s.user_id AND e.plan_code = s.plan_code
        WHERE s.user_id = ${userId} AND s.status = 'active' AND s.ends_at > now()
    ), base AS (
      SELECT greatest(now(), max(ends_at) FILTER (WHERE starts_at <= now())) AS at FROM own
    ), moved AS (
      SELECT w.id, w.lasts, base.at + sum(w.lasts) OVER (ORDER BY w.starts_at, w.id) - w.lasts AS at
        FROM (SELECT id, starts_at, ends_at - starts_at AS lasts FROM own WHERE starts_at > now()) w, base
    )
    UPDATE user_subscriptions s
      SET starts_at = m.at, ends_at = m.at + m.lasts, fence = hashtextextended(gen_random_uuid()::text, 0)
      FROM moved m WHERE s.id = m.id AND m.at < s.starts_at`)

/**
 * Ends a subscription, or takes up one whose time is not over and that was not withdrawn, as part of the transaction under
 * way.
 */
export const setActive = (
  sql: SqlClient.SqlClient,
  userId: bigint,
  subscriptionId: bigint,
  active: boolean
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* lockAccount(sql, userId)
    yield* sql`UPDATE user_subscriptions
      SET status = ${active ? "active" : "ended"}, fence = hashtextextended(gen_random_uuid()::text, 0)
      WHERE id = ${subscriptionId} AND user_id = ${userId} AND status <> ${active ? "active" : "ended"}
        AND (NOT ${active}::boolean OR (ends_at > now() AND withdrawn_at IS NULL))`
    if (!active) yield* pullForward(sql, userId, subscriptionId)
    yield* announceAccount(sql, userId)
  })

/** Ends a subscription for good as part of the transaction under way: nothing takes it up again. */
export const withdraw = (
  sql: SqlClient.SqlClient,
  userId: bigint,
  subscriptionId: bigint
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* lockAccount(sql, userId)
    yield* sql`UPDATE user_subscriptions SET withdrawn_at = now() WHERE id = ${subscriptionId} AND user_id = ${userId}`
    yield* setActive(sql, userId, subscriptionId, false)
  })

/** After its end a subscription stays loaded for its last calls so long; then it is marked as ended. */
const AFTERGLOW_HOURS = 2

/** Marks subscriptions whose time is over; answers how many. */
export const endOverdue = (sql: SqlClient.SqlClient): Effect.Effect<number, SqlError.SqlError> =>
  Effect.map(
    sql`UPDATE user_subscriptions SET status = 'ended', fence = hashtextextended(gen_random_uuid()::text, 0)
      WHERE id IN (
        SELECT id FROM user_subscriptions
          WHERE status = 'active' AND ends_at < now() - make_interval(hours => ${AFTERGLOW_HOURS}::integer)
          ORDER BY id LIMIT 500 FOR UPDATE SKIP LOCKED
      ) RETURNING id`,
    (rows) => rows.length
  )
