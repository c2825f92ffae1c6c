/**
 * The entries of one account's ledger, page by page: everything that moved its balance but the calls themselves.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"

export interface LedgerItem {
  readonly id: bigint
  /** 1, 2, 3, … of each account. */
  readonly seq: bigint
  /** `topup`, `adjustment`, `refund` and the like. */
  readonly kind: string
  /** Signed, in micros: what the balance moved by. */
  readonly amountMicros: bigint
  /** What a debit could not take from the balance and became owed; negative: what is not owed any more. In micros. */
  readonly owedMicros: bigint
  /** What caused it, such as `topup_order` 7. */
  readonly refType: string
  readonly refId: string
  /** See `AuditLog`; `system` where nobody acted. */
  readonly actor: string
  readonly note: string
  /** The spendable balance and the debt after the entry, in micros. Null: from before they were written down. */
  readonly usdAfterMicros: bigint | null
  readonly owedAfterMicros: bigint | null
  readonly createdAt: Date
}

export class LedgerList extends Context.Service<LedgerList, {
  /** Newest first; below `before` where it is given. */
  page(
    userId: bigint,
    range: { readonly limit: number; readonly before?: bigint | undefined }
  ): Effect.Effect<ReadonlyArray<LedgerItem>, SqlError.SqlError>
}>()("realms/accounts/LedgerList") {
  static readonly layer = Layer.effect(
    LedgerList,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      return LedgerList.of({
        page: Effect.fn("LedgerList.page")(function*(userId, { before, limit }) {
          const rows = yield* sql<LedgerRow>`
        SELECT id, seq, kind, amount_micros, owed_micros, ref_type, ref_id, actor, note, usd_after, owed_after, created_at FROM ledger_entries
          WHERE user_id = ${userId} AND (${before ?? null}::bigint IS NULL OR id < ${before ?? null}::bigint)
          ORDER BY user_id DESC, id DESC LIMIT ${limit}`
          return rows.map(toItem)
        })
      })
    })
  )
}

interface LedgerRow {
  readonly id: bigint
  readonly seq: bigint
  readonly kind: string
  readonly amount_micros: bigint
  readonly owed_micros: bigint
  readonly ref_type: string
  readonly ref_id: string
  readonly actor: string
  readonly note: string
  readonly usd_after: bigint | null
  readonly owed_after: bigint | null
  readonly created_at: Date
}

const toItem = (row: LedgerRow): LedgerItem => ({
  id: row.id,
  seq: row.seq,
  kind: row.kind,
  amountMicros: row.amount_micros,
  owedMicros: row.owed_micros,
  refType: row.ref_type,
  refId: row.ref_id,
  actor: row.actor,
  note: row.note,
  usdAfterMicros: row.usd_after,
  owedAfterMicros: row.owed_after,
  createdAt: row.created_at
})
