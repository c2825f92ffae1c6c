/** All subscriptions that a user has or had, bought or granted, page by page. */
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

export class SubscriptionList extends Context.Service<SubscriptionList, {
  page(userId: UserId, page: IdPage): Effect.Effect<ReadonlyArray<SubscriptionItem>, SqlError.SqlError>
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
      })
    })
  }))
}
