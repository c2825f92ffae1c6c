/** The ledger entries of one account, page by page: everything that moved its balance except the calls. */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { type IdPage, rowsOf } from "../postgres/Rows.ts"

export const LedgerItem = Row({
  id: Schema.BigInt,
  /** 1, 2, 3, … of each account. */
  seq: Schema.BigInt,
  /** `topup`, `adjustment`, `refund` and the like. */
  kind: Schema.String,
  /** Signed, in micros: what the balance moved by. */
  amountMicros: Micros,
  /** What a debit could not take from the balance and became owed; negative: what is not owed any more. In micros. */
  owedMicros: Micros,
  /** What caused it, such as `topup_order` 7. */
  refType: Schema.String,
  refId: Schema.String,
  /** See `AuditLog`; `system` where nobody acted. */
  actor: Schema.String,
  note: Schema.String,
  /** The spendable balance and the debt after the entry, in micros. Null: from before they were written down. */
  usdAfterMicros: Schema.NullOr(Micros),
  owedAfterMicros: Schema.NullOr(Micros),
  createdAt: Schema.Date
}, { usdAfterMicros: "usd_after", owedAfterMicros: "owed_after" })
export interface LedgerItem extends Schema.Schema.Type<typeof LedgerItem> {}

export class LedgerList extends Context.Service<LedgerList, {
  page(userId: UserId, page: IdPage): Effect.Effect<ReadonlyArray<LedgerItem>, SqlError.SqlError>
}>()("realms/accounts/LedgerList") {
  static readonly layer = Layer.effect(LedgerList)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    return LedgerList.of({
      page: Effect.fn("LedgerList.page")((userId, { before, limit }) =>
        rowsOf(
          LedgerItem,
          sql`SELECT id, seq, kind, amount_micros, owed_micros, ref_type, ref_id, actor, note, usd_after, owed_after, created_at FROM ledger_entries
          WHERE user_id = ${userId} AND (${before ?? null}::bigint IS NULL OR id < ${before ?? null}::bigint)
          ORDER BY user_id DESC, id DESC LIMIT ${limit}`
        )
      )
    })
  }))
}
