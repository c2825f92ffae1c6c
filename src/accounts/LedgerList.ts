/**
 * The ledger of one account, page by page: its entries, which are everything that moved its balance except the calls, and the same
 * with the calls in between. History does not change, so pages that are read one after the other are of one ledger.
 */
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { idIn, type UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { type IdPage, rowOf, rowsOf } from "../postgres/Rows.ts"
import { type LedgerLine, ledgerLines } from "./LedgerLines.ts"

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

/** The order that an entry belongs to; undefined: it belongs to none. */
export const orderOf = ({ refId, refType }: Pick<LedgerItem, "refId" | "refType">): bigint | undefined =>
  refType === "topup_order" ? idIn(refId) : undefined

export interface LedgerPage {
  /** Newest first. */
  readonly lines: ReadonlyArray<LedgerLine>
  /** The id of the last entry where more follow. */
  readonly next: bigint | undefined
}

/** Entries read at a time for a file. */
const STREAM_ENTRIES = 1_000

export class LedgerList extends Context.Service<LedgerList, {
  page(userId: UserId, page: IdPage): Effect.Effect<ReadonlyArray<LedgerItem>, SqlError.SqlError>
  /** So many entries before one, and the calls between them; without `before` the newest, and the calls since. */
  lines(userId: UserId, page: IdPage): Effect.Effect<LedgerPage, SqlError.SqlError>
  /** All of it, newest first, read as it is taken. */
  rows(userId: UserId): Stream.Stream<LedgerLine, SqlError.SqlError>
}>()("realms/accounts/LedgerList") {
  static readonly layer = Layer.effect(LedgerList)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const page = (userId: UserId, { before, limit }: IdPage) =>
      rowsOf(
        LedgerItem,
        sql`SELECT ${sql.literal(columns)} FROM ledger_entries
          WHERE user_id = ${userId} AND (${before ?? null}::bigint IS NULL OR id < ${before ?? null}::bigint)
          ORDER BY user_id DESC, id DESC LIMIT ${limit}`
      )

    /** The balance and the entries in one statement, so that both are of one moment. */
    const newest = Effect.fnUntraced(function*(userId: UserId, limit: number) {
      const rows = yield* sql`
        SELECT b.usd_micros AS usd_now, b.owed_micros AS owed_now, e.* FROM user_balances b
          LEFT JOIN LATERAL (SELECT ${sql.literal(columns)} FROM ledger_entries
            WHERE user_id = b.user_id ORDER BY user_id DESC, id DESC LIMIT ${limit}) e ON true
          WHERE b.user_id = ${userId} ORDER BY e.id DESC`
      const now = yield* rowOf(BalanceNow, Effect.succeed(rows.slice(0, 1)))
      return { now, entries: yield* rowsOf(LedgerItem, Effect.succeed(rows.filter((row) => row["id"] !== null))) }
    })

    const lines = Effect.fnUntraced(function*(userId: UserId, { before, limit }: IdPage) {
      const { entries, now } = before === undefined
        ? yield* newest(userId, limit + 1)
        : { entries: yield* page(userId, { before, limit: limit + 1 }), now: undefined }
      const shown = entries.slice(0, limit)
      return {
        lines: ledgerLines({ entries: shown, older: entries[limit], now }),
        next: entries.length > limit ? shown.at(-1)?.id : undefined
      }
    })

    return LedgerList.of({
      page: Effect.fn("LedgerList.page")(page),
      lines: Effect.fn("LedgerList.lines")(lines),
      rows: (userId) =>
        Stream.paginate(Option.none<bigint>(), (before) =>
          Effect.map(
            lines(userId, { before: Option.getOrUndefined(before), limit: STREAM_ENTRIES }),
            (read) => [read.lines, Option.map(Option.fromUndefinedOr(read.next), Option.some)] as const
          ))
    })
  }))
}

/** Beside the columns of an entry, which has an `owed_micros` of its own. */
const BalanceNow = Row({ usdMicros: Micros, owedMicros: Micros }, { usdMicros: "usd_now", owedMicros: "owed_now" })

const columns =
  "id, seq, kind, amount_micros, owed_micros, ref_type, ref_id, actor, note, usd_after, owed_after, created_at"
