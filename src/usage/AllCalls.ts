/**
 * The calls of everybody, one by one, for root: pages, a stream for files, and the receipt of any call. Bounded as a user's
 * own list is, whatever the filter.
 */
import { Context, Effect, Layer, Schema, type Stream } from "effect"
import { SqlClient } from "effect/sql"
import { isUuid, UserId } from "../domain/Ids.ts"
import { Row, RowWith } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { ListedCall } from "./CallItem.ts"
import { type CallPage, callReader, type WideCallFilter } from "./CallPages.ts"
import { type CallReceipt, PricedReceipt, receiptColumns, toReceipt } from "./Receipts.ts"
import { bounded, type UsageRefused } from "./UsageRefused.ts"

export type { WideCallFilter } from "./CallPages.ts"

/** Whose call it is. */
const CallOwner = Row({ userId: UserId, email: Schema.NullOr(Schema.String) })
export interface CallOwner extends Schema.Schema.Type<typeof CallOwner> {}

export const WideCall = RowWith(ListedCall, {
  ...CallOwner.fields,
  /** Null until it has ended, and where none was reached. */
  channel: Schema.NullOr(Schema.String)
})
export interface WideCall extends Schema.Schema.Type<typeof WideCall> {}

const OwnedReceipt = RowWith(PricedReceipt, CallOwner.fields)

export class AllCalls extends Context.Service<AllCalls, {
  /** 50 calls at most, after `cursor`, which is the `next` of another page of the same filter. */
  page(
    filter: WideCallFilter,
    cursor?: string
  ): Effect.Effect<CallPage<WideCall>, UsageRefused | DatabaseUnavailable>
  /** All calls that the filter matches, newest first, read as they are taken. A call may change while they are. */
  rows(filter: WideCallFilter): Stream.Stream<WideCall, UsageRefused | DatabaseUnavailable>
  /** Undefined when there is no such call. */
  receipt(id: string): Effect.Effect<(CallReceipt & CallOwner) | undefined, DatabaseUnavailable>
}>()("realms/usage/AllCalls") {
  static readonly layer = Layer.effect(AllCalls)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const reader = callReader(sql, WideCall, wide)
    return AllCalls.of({
      page: Effect.fn("AllCalls.page")(function*(filter: WideCallFilter, cursor?: string) {
        return yield* reader.page(filter, cursor)
      }),
      rows: reader.rows,
      receipt: Effect.fn("AllCalls.receipt")(function*(id: string) {
        if (!isUuid(id)) return undefined
        const row = yield* bounded(rowOf(OwnedReceipt, sql.unsafe(receiptSql, [id])))
        return row === undefined ? undefined : { ...toReceipt(row), userId: row.userId, email: row.email }
      })
    })
  }))
}

const wide = {
  columns: ", e.user_id, u.email, e.channel",
  joins: "LEFT JOIN users u ON u.id = e.user_id"
}

const receiptSql = `
  SELECT ${receiptColumns}, e.user_id, u.email
    FROM calls e LEFT JOIN api_keys k ON k.id = e.key_id AND k.user_id = e.user_id ${wide.joins}
    WHERE e.id = $1 AND e.endpoint <> ''`
