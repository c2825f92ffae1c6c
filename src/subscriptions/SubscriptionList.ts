/**
 * All subscriptions that a user has or had, bought and granted, page by page.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"

export interface SubscriptionItem {
  readonly id: bigint
  readonly planCode: string
  readonly planName: string
  /** Whether its time is to come, running, or over, in itself or because it was ended. */
  readonly state: "coming" | "running" | "suspended" | "over"
  readonly startsAt: Date
  /** As bought or granted; ended early, it did not last so long. */
  readonly endsAt: Date
  /** Null: it was granted. */
  readonly orderId: bigint | null
  /** Of the grant; null where it was bought. */
  readonly note: string | null
}

export class SubscriptionList extends Context.Service<SubscriptionList, {
  /** Newest first; below `before` where it is given. */
  page(
    userId: bigint,
    range: { readonly limit: number; readonly before?: bigint | undefined }
  ): Effect.Effect<ReadonlyArray<SubscriptionItem>, SqlError.SqlError>
}>()("realms/subscriptions/SubscriptionList") {
  static readonly layer = Layer.effect(
    SubscriptionList,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      return SubscriptionList.of({
        page: Effect.fn("SubscriptionList.page")(function*(userId, { before, limit }) {
          const rows = yield* sql<SubscriptionRow>`
        SELECT s.id, s.plan_code, s.plan_name, s.starts_at, s.ends_at, s.order_id, g.note,
            CASE WHEN s.status = 'suspended' THEN 'suspended'
              WHEN s.status <> 'active' OR s.ends_at <= now() THEN 'over'
              WHEN s.starts_at > now() THEN 'coming' ELSE 'running' END AS state
          FROM user_subscriptions s LEFT JOIN subscription_grants g ON g.subscription_id = s.id
          WHERE s.user_id = ${userId} AND (${before ?? null}::bigint IS NULL OR s.id < ${before ?? null}::bigint)
          ORDER BY s.id DESC LIMIT ${limit}`
          return rows.map(toItem)
        })
      })
    })
  )
}

interface SubscriptionRow {
  readonly id: bigint
  readonly plan_code: string
  readonly plan_name: string
  readonly state: SubscriptionItem["state"]
  readonly starts_at: Date
  readonly ends_at: Date
  readonly order_id: bigint | null
  readonly note: string | null
}

const toItem = (row: SubscriptionRow): SubscriptionItem => ({
  id: row.id,
  planCode: row.plan_code,
  planName: row.plan_name,
  state: row.state,
  startsAt: row.starts_at,
  endsAt: row.ends_at,
  orderId: row.order_id,
  note: row.note
})
