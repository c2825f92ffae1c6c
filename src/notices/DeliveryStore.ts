/**
 * The rows of deliveries: how they are made of notices, taken by one server at a time, and ended. A delivery is leased: the server that
 * takes it sets its next attempt to the end of the lease, so that one whose server dies is taken again.
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { Language } from "../domain/Language.ts"
import { UserId } from "../domain/Ids.ts"
import { orElse, Row } from "../domain/Row.ts"
import { BATCH_ROWS_MAX, inBatches } from "../platform/Batches.ts"
import { oneRowOf, rowsOf } from "../postgres/Rows.ts"
import { TEST_KIND } from "./NoticeKinds.ts"

type Sql = SqlClient.SqlClient
type Done<A = void> = Effect.Effect<A, SqlError.SqlError>

/** Notices that get their deliveries by one statement, at most. */
export const SPREAD_ROWS_MAX = 100

/** Deliveries that wait for one webhook, at most: of more the oldest are dropped, and their rows say so. */
export const WAITING_PER_ENDPOINT_MAX = 200

/** Statements of one round that do so, at most: what is left over comes with the next round. */
const SPREAD_STEPS_MAX = 50

/**
 * Drops what is too much of what waits for those of these webhooks that have failed, the oldest first: a receiver that takes nothing makes
 * looking at the queue no slower, and is not sent a heap of old news when it is back. One that takes them is sent all, and what is on its
 * way is left alone.
 */
const dropOverflow = Effect.fnUntraced(function*(sql: Sql, endpointIds: ReadonlyArray<string>) {
  if (endpointIds.length === 0) return
  const problem = `more than ${WAITING_PER_ENDPOINT_MAX} waited for this webhook`
  const dropped = yield* sql`WITH surplus AS (
      SELECT d.id FROM notice_deliveries d WHERE d.state = 'waiting' AND d.id IN (
          SELECT o.id FROM unnest(${endpointIds}::bigint[]) AS e (id) CROSS JOIN LATERAL (
            SELECT id FROM notice_deliveries w WHERE w.endpoint_id = e.id AND w.state = 'waiting'
              ORDER BY id DESC OFFSET ${WAITING_PER_ENDPOINT_MAX}) o
            WHERE EXISTS (SELECT FROM notice_deliveries f
              WHERE f.endpoint_id = e.id AND f.state = 'waiting' AND f.attempts > 1))
          AND (d.attempts = 0 OR d.next_attempt_at <= now())
        FOR UPDATE SKIP LOCKED
    )
    UPDATE notice_deliveries d SET state = 'dropped', ended_at = now(), problem = ${problem}
      FROM surplus WHERE d.id = surplus.id RETURNING d.id`
  if (dropped.length > 0) {
    yield* Effect.logWarning("notices were dropped: too many waited for one webhook", { count: dropped.length })
  }
})

const Spread = Row({ notices: Schema.Number, endpointIds: Schema.Array(Schema.String) })

/**
 * Makes the deliveries of notices that have none yet: a mail to the user or to each root, and one to the owner's webhook, as far as they
 * want it. Users are mailed at verified addresses only: who typed somebody else's has that person told nothing. Staff are mailed at any:
 * an administrator has given them their role. What is switched on later gets nothing of what was before. Answers how many notices there
 * were. `userId`: of this user alone, those that another server is about to spread included.
 */
export const spreadNotices = (
  sql: Sql,
  { hasMail, userId = null }: { readonly hasMail: boolean; readonly userId?: UserId | null }
): Done<number> =>
  Effect.gen(function*() {
    const { endpointIds, notices } = yield* oneRowOf(
      Spread,
      sql`WITH taken AS (
        SELECT id, kind, user_id FROM notices
          WHERE spread_at IS NULL AND (${userId}::bigint IS NULL OR user_id = ${userId}::bigint)
          ORDER BY id LIMIT ${SPREAD_ROWS_MAX} FOR UPDATE ${sql.literal(userId === null ? "SKIP LOCKED" : "")}
      ), readers AS (
        SELECT t.id, t.kind, u.id AS user_id, u.email FROM taken t JOIN users u ON u.id = t.user_id
          WHERE u.disabled_at IS NULL AND (u.email_verified_at IS NOT NULL OR u.role <> 'user')
        UNION ALL SELECT t.id, t.kind, u.id, u.email FROM taken t JOIN users u ON u.role = 'root'
          WHERE t.user_id IS NULL AND u.disabled_at IS NULL
      ), mails AS (
        INSERT INTO notice_deliveries (notice_id, channel, user_id, mail_to)
          SELECT r.id, 'mail', r.user_id, r.email FROM readers r LEFT JOIN notice_preferences p ON p.user_id = r.user_id
            WHERE ${hasMail}::boolean AND r.kind <> ALL (coalesce(p.muted_mail, '{}'))
          ON CONFLICT DO NOTHING
      ), hooks AS (
        INSERT INTO notice_deliveries (notice_id, channel, user_id, endpoint_id)
          SELECT t.id, 'webhook', e.user_id, e.id
            FROM taken t JOIN webhook_endpoints e ON coalesce(e.user_id, 0) = coalesce(t.user_id, 0)
              LEFT JOIN users u ON u.id = e.user_id
            WHERE e.disabled_at IS NULL AND u.disabled_at IS NULL AND t.kind <> ALL (e.muted)
          ON CONFLICT DO NOTHING RETURNING endpoint_id
      ), spread AS (
        UPDATE notices n SET spread_at = now() FROM taken t WHERE n.id = t.id RETURNING n.id
      )
      SELECT (SELECT count(*)::integer FROM spread) AS notices,
        (SELECT coalesce(array_agg(DISTINCT endpoint_id::text), '{}') FROM hooks) AS endpoint_ids`
    )
    yield* dropOverflow(sql, endpointIds)
    return notices
  })

/** Spreads all that waits for it, as far as one round goes. */
export const spreadAll = (sql: Sql, options: Parameters<typeof spreadNotices>[1]): Done =>
  Effect.asVoid(Effect.repeat(spreadNotices(sql, options), {
    while: (count) => count >= SPREAD_ROWS_MAX,
    times: SPREAD_STEPS_MAX - 1
  }))

/**
 * Mails a notice that is not spread yet to an address that its user is about to lose, verified or not; the one that they get is mailed as
 * ever. Part of the transaction of the change, so that nobody loses an account without being told.
 */
export const mailToOldAddress = (
  sql: Sql,
  { email, key }: { readonly key: string; readonly email: string }
): Done =>
  Effect.asVoid(sql`INSERT INTO notice_deliveries (notice_id, channel, user_id, mail_to)
    SELECT id, 'mail', user_id, ${email} FROM notices WHERE key = ${key} AND user_id IS NOT NULL ON CONFLICT DO NOTHING`)

/** A delivery that is to be tried now, with what is sent. */
export const DueDelivery = Row({
  id: Schema.BigInt,
  uid: Schema.String,
  channel: Schema.Literals(["mail", "webhook"]),
  /** With this one. */
  attempts: Schema.Number,
  /** No attempt follows this one. */
  isLast: Schema.Boolean,
  kind: Schema.String,
  data: Schema.Unknown,
  /** When what it tells of happened. */
  at: Schema.Date,
  /** Null: it is for root. */
  noticeUserId: Schema.NullOr(UserId),
  /** Where a mail goes; null for a user who is disabled, and for webhooks. */
  email: Schema.NullOr(Schema.String),
  language: orElse(Language, "en"),
  endpointId: Schema.NullOr(Schema.BigInt),
  /** Null: the endpoint is gone, or its owner is disabled. */
  url: Schema.NullOr(Schema.String)
})
export interface DueDelivery extends Schema.Schema.Type<typeof DueDelivery> {}

/** What waits for nobody else: `ours` are mails and root's webhooks, `users` the webhooks of users. */
export type DeliveryLane = "ours" | "users"

export interface ClaimBounds {
  readonly lane: DeliveryLane
  /** Nothing is taken for these endpoints. */
  readonly busy: ReadonlyArray<bigint>
  readonly limit: number
  readonly leaseSeconds: number
  readonly attemptsMax: number
  readonly ageHoursMax: number
}

/** Where deliveries of a lane are, as the indexes of those that are due have it. */
const inLane = (sql: Sql, lane: DeliveryLane) =>
  lane === "users"
    ? sql`d.channel = 'webhook' AND d.user_id IS NOT NULL`
    : sql`(d.channel <> 'webhook' OR d.user_id IS NULL)`

/** Takes deliveries whose time has come, one of each webhook; nobody else does until their leases end. */
export const claimDeliveries = (
  sql: Sql,
  { ageHoursMax, attemptsMax, busy, lane, leaseSeconds, limit }: ClaimBounds
): Done<ReadonlyArray<DueDelivery>> =>
  rowsOf(
    DueDelivery,
    sql`WITH due AS (
        SELECT d.id FROM notice_deliveries d
          WHERE d.state = 'waiting' AND ${inLane(sql, lane)} AND d.next_attempt_at <= now()
            AND (d.endpoint_id IS NULL OR d.endpoint_id <> ALL (${busy.map(String)}::bigint[]))
            AND NOT EXISTS (SELECT FROM notice_deliveries o WHERE o.endpoint_id = d.endpoint_id AND o.state = 'waiting'
              AND o.next_attempt_at <= now() AND o.id < d.id)
          ORDER BY d.next_attempt_at LIMIT ${limit} FOR UPDATE OF d SKIP LOCKED
      ), taken AS (
        UPDATE notice_deliveries d SET attempts = d.attempts + 1,
            next_attempt_at = now() + make_interval(secs => ${leaseSeconds})
          FROM due WHERE d.id = due.id RETURNING d.*
      )
      SELECT t.id, t.uid::text, t.channel, t.attempts, n.kind, n.data, n.created_at AS at, n.user_id AS notice_user_id,
          t.attempts >= ${attemptsMax}::integer OR n.kind = ${TEST_KIND}
            OR n.created_at < now() - make_interval(hours => ${ageHoursMax}::integer) AS is_last,
          CASE WHEN u.disabled_at IS NULL THEN t.mail_to END AS email, coalesce(u.language, e.language) AS language,
          t.endpoint_id, CASE WHEN e.disabled_at IS NULL AND u.disabled_at IS NULL THEN e.url END AS url
        FROM taken t JOIN notices n ON n.id = t.notice_id
          LEFT JOIN users u ON u.id = t.user_id LEFT JOIN webhook_endpoints e ON e.id = t.endpoint_id
        ORDER BY t.id`
  )

/** Ends a delivery. One that has ended meanwhile stays as it is. */
export const endDelivery = (
  sql: Sql,
  id: bigint,
  { problem, state }: { readonly state: "sent" | "failed" | "dropped"; readonly problem: string }
): Done =>
  Effect.asVoid(sql`UPDATE notice_deliveries SET state = ${state}, problem = ${problem}, ended_at = now()
    WHERE id = ${id} AND state = 'waiting'`)

/** It is tried again after so many seconds. */
export const retryDelivery = (
  sql: Sql,
  id: bigint,
  { afterSeconds, problem }: { readonly afterSeconds: number; readonly problem: string }
): Done =>
  Effect.asVoid(sql`UPDATE notice_deliveries SET problem = ${problem},
      next_attempt_at = now() + make_interval(secs => ${afterSeconds})
    WHERE id = ${id} AND state = 'waiting'`)

/** The endpoint says that it is gone: nothing is sent to it until its owner saves it again. */
export const disableEndpoint = (sql: Sql, id: bigint): Done =>
  Effect.asVoid(sql`WITH gone AS (UPDATE webhook_endpoints SET disabled_at = now() WHERE id = ${id} RETURNING id)
    UPDATE notice_deliveries d SET state = 'dropped', ended_at = now() FROM gone
      WHERE d.endpoint_id = gone.id AND d.state = 'waiting'`)

/** Removes notices that are older with all their deliveries, and secrets that sign no more. */
export const cleanNotices = Effect.fnUntraced(function*(sql: Sql, { days }: { readonly days: number }) {
  yield* inBatches(sql`DELETE FROM notices WHERE id IN (SELECT id FROM notices
    WHERE created_at < now() - make_interval(days => ${days}::integer) ORDER BY created_at LIMIT ${BATCH_ROWS_MAX}
    FOR UPDATE SKIP LOCKED) RETURNING id`)
  yield* sql`DELETE FROM webhook_secrets WHERE expires_at < now()`
  yield* sql`DELETE FROM notice_conditions WHERE seen_at < now() - make_interval(days => ${days}::integer)`
})
