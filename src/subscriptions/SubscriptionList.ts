/** All subscriptions that a user has or had, bought or granted, page by page, and those that have just ended. */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { OrderId, SubscriptionId, type UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type IdPage, rowsOf } from "../postgres/Rows.ts"

export const SubscriptionItem = Row({
  id: SubscriptionId,
  planCode: Schema.String,
  planName: Schema.String,
  /** Whether its time is to come, running, or over, in itself or because it was ended. */
  state: Schema.Literals(["coming", "running", "suspended", "over"]),
  startsAt: Schema.Date,
  /** As bought or granted; ended early, it did not last so long. */
  endsAt: Schema.Date,
  /** Null: it was granted. */
  orderId: Schema.NullOr(OrderId),
  /** Of the grant; null where it was bought. */
  note: Schema.NullOr(Schema.String)
})
export interface SubscriptionItem extends Schema.Schema.Type<typeof SubscriptionItem> {}

/** A plan that has ended, and why: its time was over, its price was given back, or root ended it. */
export const EndedSubscription = Row({
  id: SubscriptionId,
  planName: Schema.String,
  endedAt: Schema.Date,
  why: Schema.Literals(["over", "refunded", "withdrawn"])
})
export interface EndedSubscription extends Schema.Schema.Type<typeof EndedSubscription> {}

/** For how long a user is told of a plan that has ended, in days, and of how many. */
const ENDED_DAYS = 14
const ENDED_MAX = 3

export class SubscriptionList extends Context.Service<SubscriptionList, {
  page(userId: UserId, page: IdPage): Effect.Effect<ReadonlyArray<SubscriptionItem>, SqlError.SqlError>
  /** Those that ended lately, the last first. One whose time was over is left out where another one of the user runs. */
  ended(userId: UserId): Effect.Effect<ReadonlyArray<EndedSubscription>, SqlError.SqlError>
}>()("realms/subscriptions/SubscriptionList") {
  static readonly layer = Layer.effect(SubscriptionList)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    return SubscriptionList.of({
      page: Effect.fn("SubscriptionList.page")(function*(userId, { before, limit }) {
        return yield* rowsOf(
          SubscriptionItem,
          sql`
        SELECT s.id, s.plan_code, s.plan_name, s.starts_at, s.ends_at, s.order_id, g.note,
            CASE WHEN s.status = 'suspended' THEN 'suspended'
              WHEN s.status <> 'active' OR s.ends_at <= now() THEN 'over'
              WHEN s.starts_at > now() THEN 'coming' ELSE 'running' END AS state
          FROM user_subscriptions s LEFT JOIN subscription_grants g ON g.subscription_id = s.id
          WHERE s.user_id = ${userId} AND (${before ?? null}::bigint IS NULL OR s.id < ${before ?? null}::bigint)
          ORDER BY s.id DESC LIMIT ${limit}`
        )
      }),
      ended: Effect.fn("SubscriptionList.ended")((userId) =>
        rowsOf(
          EndedSubscription,
          sql`
        WITH own AS (
          SELECT id, plan_name, status = 'active' AND starts_at <= now() AND ends_at > now() AS runs,
              status = 'ended' OR (status = 'active' AND ends_at <= now()) AS is_over,
              CASE WHEN withdrawn_at IS NOT NULL THEN 'withdrawn' WHEN suspended_at < ends_at THEN 'refunded' ELSE 'over' END AS why,
              CASE WHEN withdrawn_at IS NOT NULL THEN withdrawn_at ELSE least(suspended_at, ends_at) END AS ended_at
            FROM user_subscriptions
            WHERE user_id = ${userId}
        )
        SELECT id, plan_name, why, ended_at FROM own
          WHERE is_over AND ended_at > now() - make_interval(days => ${ENDED_DAYS}::integer)
            AND (why <> 'over' OR NOT EXISTS (SELECT FROM own r WHERE r.runs))
          ORDER BY ended_at DESC, id DESC LIMIT ${ENDED_MAX}`
        )
      )
    })
  }))
}
