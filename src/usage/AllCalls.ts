/**
 * The calls of everybody, one by one, for root: pages, a stream for files, and the receipt of any call. Bounded as a user's
 * own list is, whatever the filter.
 */
import { Context, Effect, Layer, type Stream } from "effect"
import { SqlClient } from "effect/sql"
import { isUuid } from "../domain/Ids.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type CallItem, type CallRow, toItem } from "./CallItem.ts"
import { type CallPage, callReader, type WideCallFilter } from "./CallPages.ts"
import { type CallReceipt, receiptColumns, type ReceiptRow, toReceipt } from "./Receipts.ts"
import { bounded, type UsageRefused } from "./UsageRefused.ts"

export { type StatusClass, statusClasses, type WideCallFilter } from "./CallPages.ts"

/** Whose call it is. */
export interface CallOwner {
  readonly userId: bigint
  readonly email: string | null
}

export interface WideCall extends CallItem, CallOwner {
  /** Null until it has ended, and where none was reached. */
  readonly channel: string | null
}

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
  static readonly layer = Layer.effect(
    AllCalls,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const reader = callReader<WideRow, WideCall>(sql, { ...wide, toItem: toWide })
      return AllCalls.of({
        page: Effect.fn("AllCalls.page")(function*(filter: WideCallFilter, cursor?: string) {
          return yield* reader.page(filter, cursor)
        }),
        rows: reader.rows,
        receipt: Effect.fn("AllCalls.receipt")(function*(id: string) {
          if (!isUuid(id)) return undefined
          const [row] = yield* bounded(sql.unsafe<ReceiptRow & OwnerRow>(receiptSql, [id]))
          return row === undefined ? undefined : { ...toReceipt(row), userId: row.user_id, email: row.email }
        })
      })
    })
  )
}

interface OwnerRow {
  readonly user_id: bigint
  readonly email: string | null
}

interface WideRow extends CallRow, OwnerRow {
  readonly channel: string | null
}

const wide = {
  columns: ", e.user_id, u.email, e.channel",
  joins: "LEFT JOIN users u ON u.id = e.user_id"
}

const toWide = (row: WideRow): WideCall => ({
  ...toItem(row),
  userId: row.user_id,
  email: row.email,
  channel: row.channel
})

const receiptSql = `
  SELECT ${receiptColumns}, e.user_id, u.email
    FROM usage_events e LEFT JOIN api_keys k ON k.id = e.key_id AND k.user_id = e.user_id ${wide.joins}
    WHERE e.id = $1 AND e.endpoint <> ''`
