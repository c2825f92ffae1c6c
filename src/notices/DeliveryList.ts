/**
 * What was sent to whom, by what, and how it went: for a user what is theirs, for root everything.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type IdPage, rowsOf } from "../postgres/Rows.ts"

export const deliveryStates = ["waiting", "sent", "failed", "dropped"] as const
export type DeliveryState = typeof deliveryStates[number]

export const deliveryChannels = ["mail", "webhook"] as const
export type DeliveryChannel = typeof deliveryChannels[number]

export const ListedDelivery = Row({
  id: Schema.BigInt,
  kind: Schema.String,
  data: Schema.Unknown,
  channel: Schema.Literals(deliveryChannels),
  state: Schema.Literals(deliveryStates),
  attempts: Schema.Number,
  /** Why the last attempt did not go well; empty where it did. */
  problem: Schema.String,
  createdAt: Schema.Date,
  endedAt: Schema.NullOr(Schema.Date),
  nextAttemptAt: Schema.Date,
  /** Where a mail went, or whose webhook it is. Null: the installation's webhook. */
  email: Schema.NullOr(Schema.String)
})
export interface ListedDelivery extends Schema.Schema.Type<typeof ListedDelivery> {}

export interface DeliveryFilter {
  readonly channel?: DeliveryChannel | undefined
  readonly state?: DeliveryState | undefined
}

export class DeliveryList extends Context.Service<DeliveryList, {
  /** Newest first. */
  ofUser(userId: UserId, page: IdPage): Effect.Effect<ReadonlyArray<ListedDelivery>, DatabaseUnavailable>
  all(filter: DeliveryFilter, page: IdPage): Effect.Effect<ReadonlyArray<ListedDelivery>, DatabaseUnavailable>
}>()("realms/notices/DeliveryList") {
  static readonly layer = Layer.effect(DeliveryList)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const columns = sql`d.id, n.kind, n.data, d.channel, d.state, d.attempts, d.problem, d.created_at, d.ended_at,
      d.next_attempt_at, coalesce(d.mail_to, u.email) AS email`
    const from = sql`notice_deliveries d JOIN notices n ON n.id = d.notice_id LEFT JOIN users u ON u.id = d.user_id`

    const ofUser = (userId: UserId, { before, limit }: IdPage) =>
      orUnavailable(rowsOf(
        ListedDelivery,
        sql`SELECT ${columns} FROM ${from} WHERE d.user_id = ${userId}
          AND (${before ?? null}::bigint IS NULL OR d.id < ${before ?? null}::bigint) ORDER BY d.id DESC LIMIT ${limit}`
      ))

    const all = ({ channel, state }: DeliveryFilter, { before, limit }: IdPage) =>
      orUnavailable(rowsOf(
        ListedDelivery,
        sql`SELECT ${columns} FROM ${from}
          WHERE (${before ?? null}::bigint IS NULL OR d.id < ${before ?? null}::bigint)
            AND (${channel ?? null}::text IS NULL OR d.channel = ${channel ?? null})
            AND (${state ?? null}::text IS NULL OR d.state = ${state ?? null})
          ORDER BY d.id DESC LIMIT ${limit}`
      ))

    return DeliveryList.of({ ofUser, all })
  }))
}
