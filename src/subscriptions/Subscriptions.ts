/**
 * Subscriptions that users have: made from the terms that were bought, suspended, ended, and taken up again. Every change replaces the
 * row's fence, so that no decision made on the old row is written, and is told to the account's actors when it commits.
 */
import { Effect, Record } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { announceAccount, lockAccount } from "../accounts/Ledger.ts"
import { type OrderId, SubscriptionId, type UserId } from "../domain/Ids.ts"
import { keptTerms, type SoldPlan } from "../domain/Plan.ts"
import { Row } from "../domain/Row.ts"
import { oneRowOf } from "../postgres/Rows.ts"

const MadeSubscription = Row({ id: SubscriptionId })

/**
 * Gives a user a subscription as part of the transaction under way; answers its id. It starts now, or when the last running
 * one of the same plan ends.
 */
export const activate = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  orderId: OrderId | null,
  terms: Omit<SoldPlan, "priceFen">
): Effect.Effect<SubscriptionId, SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* lockAccount(sql, userId)
    const kept = {
      user_id: userId,
      plan_id: terms.planId,
      order_id: orderId,
      plan_code: terms.code,
      plan_name: terms.name,
      ...keptTerms.toRow(terms)
    }
    const { id } = yield* oneRowOf(
      MadeSubscription,
      sql`
      INSERT INTO user_subscriptions (${
        sql.csv(Record.keys(kept).map((column) => sql`${sql(column)}`))
      }, starts_at, ends_at, fence)
        SELECT ${sql.csv(Object.values(kept).map((value) => sql`${value}`))}, s.at,
            s.at + make_interval(days => ${terms.durationDays}::integer), hashtextextended(gen_random_uuid()::text, 0)
          FROM (
            SELECT greatest(now(), max(ends_at)) AS at FROM user_subscriptions
              WHERE user_id = ${userId} AND plan_code = ${terms.code} AND status = 'active' AND ends_at > now()
          ) s
        RETURNING id`
    )
    yield* announceAccount(sql, userId)
    return id
  })

/**
 * Lays the subscriptions of one plan that are to follow out behind the running one, each for its whole time: after one that stopped
 * early what was paid for is not waited for in vain. `push`: those that now overlap are moved back, after one that was taken up again.
 */
const layOut = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  changedId: SubscriptionId,
  push: boolean
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`
    WITH own AS (
      SELECT s.id, s.starts_at, s.ends_at FROM user_subscriptions s
        JOIN user_subscriptions e ON e.id = ${changedId} AND e.user_id = s.user_id AND e.plan_code = s.plan_code
        WHERE s.user_id = ${userId} AND s.status = 'active' AND s.ends_at > now()
    ), base AS (
      SELECT greatest(now(), max(ends_at) FILTER (WHERE starts_at <= now())) AS at FROM own
    ), moved AS (
      SELECT w.id, w.lasts, base.at + sum(w.lasts) OVER (ORDER BY w.starts_at, w.id) - w.lasts AS at
        FROM (SELECT id, starts_at, ends_at - starts_at AS lasts FROM own WHERE starts_at > now()) w, base
    )
    UPDATE user_subscriptions s
      SET starts_at = m.at, ends_at = m.at + m.lasts, fence = hashtextextended(gen_random_uuid()::text, 0)
      FROM moved m WHERE s.id = m.id AND (m.at < s.starts_at OR ${push}::boolean AND m.at > s.starts_at)`)

/** `suspended`: its time stands still. `ended`: for good, unless its price comes back. */
export type PlanStanding = "runs" | "suspended" | "ended"

const stop = (sql: SqlClient.SqlClient, subscriptionId: SubscriptionId, status: "suspended" | "ended") =>
  status === "ended"
    ? sql`UPDATE user_subscriptions SET status = 'ended', suspended_at = coalesce(suspended_at, now()),
          fence = hashtextextended(gen_random_uuid()::text, 0)
        WHERE id = ${subscriptionId} AND status <> 'ended' RETURNING id`
    : sql`UPDATE user_subscriptions SET status = 'suspended', suspended_at = coalesce(suspended_at, now()),
          fence = hashtextextended(gen_random_uuid()::text, 0)
        WHERE id = ${subscriptionId} AND withdrawn_at IS NULL
          AND (status = 'active' AND ends_at > now() OR status = 'ended' AND suspended_at IS NOT NULL) RETURNING id`

/**
 * Takes it up again with the time that was left when it was stopped: from now, or from the end of another of its plan that runs. One
 * that was stopped before its time stood still goes on to its old end.
 */
const takeUp = (sql: SqlClient.SqlClient, subscriptionId: SubscriptionId) =>
  sql`
    UPDATE user_subscriptions s SET status = 'active', suspended_at = NULL, starts_at = n.starts_at, ends_at = n.ends_at,
        fence = hashtextextended(gen_random_uuid()::text, 0)
      FROM (
        SELECT o.id, CASE WHEN o.suspended_at IS NULL THEN o.starts_at ELSE f.at END AS starts_at,
            CASE WHEN o.suspended_at IS NULL THEN o.ends_at
              ELSE f.at + (o.ends_at - greatest(o.suspended_at, o.starts_at)) END AS ends_at
          FROM user_subscriptions o, LATERAL (
            SELECT greatest(now(), max(r.ends_at)) AS at FROM user_subscriptions r
              WHERE r.user_id = o.user_id AND r.plan_code = o.plan_code AND r.id <> o.id AND r.status = 'active'
                AND r.starts_at <= now() AND r.ends_at > now()
          ) f
          WHERE o.id = ${subscriptionId} AND o.status <> 'active' AND o.withdrawn_at IS NULL
      ) n
      WHERE s.id = n.id AND n.ends_at > now() AND n.ends_at > n.starts_at RETURNING s.id`

/** One of whose time nothing was left has nothing to be taken up. */
const endSpent = (sql: SqlClient.SqlClient, subscriptionId: SubscriptionId) =>
  sql`UPDATE user_subscriptions SET status = 'ended', fence = hashtextextended(gen_random_uuid()::text, 0)
    WHERE id = ${subscriptionId} AND status = 'suspended' AND ends_at <= greatest(suspended_at, starts_at)`

/** Brings a subscription to what its price says of it, as part of the transaction under way. Repeating it changes nothing. */
export const setStanding = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  subscriptionId: SubscriptionId,
  standing: PlanStanding
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* lockAccount(sql, userId)
    if (standing === "runs") yield* endSpent(sql, subscriptionId)
    const changed = yield* standing === "runs" ? takeUp(sql, subscriptionId) : stop(sql, subscriptionId, standing)
    if (changed.length === 0) return
    yield* layOut(sql, userId, subscriptionId, standing === "runs")
    yield* announceAccount(sql, userId)
  })

/** Ends a subscription for good as part of the transaction under way: nothing takes it up again. */
export const withdraw = (
  sql: SqlClient.SqlClient,
  userId: UserId,
  subscriptionId: SubscriptionId
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* lockAccount(sql, userId)
    yield* sql`UPDATE user_subscriptions SET withdrawn_at = now() WHERE id = ${subscriptionId} AND user_id = ${userId}`
    yield* setStanding(sql, userId, subscriptionId, "ended")
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
