/**
 * The audit log as administrators read it: who did what to what, before and after; page by page for people and as a stream for
 * files, newest first. Its rows are written by {@link recordChange} of `AuditLog`.
 */
import { Context, Effect, Layer, Option, Schema, Stream } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { orElse, Row } from "../domain/Row.ts"
import { type IdPage, msOrNull, rowsOf } from "../postgres/Rows.ts"

/** What is left out does not matter. */
export interface AuditFilter {
  /** As recorded, such as `user:7`, `key:3` or `cli`; or an e-mail address: what its user did, by whichever session or key. */
  readonly actor?: string | undefined
  /** How the action begins, such as `user.`. */
  readonly action?: string | undefined
  /** As recorded, such as `user:7`. */
  readonly target?: string | undefined
  /** From this moment on and before that one, ms since the epoch. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** A thing as it was or is, by field. */
export const AuditState = Schema.Record(Schema.String, Schema.Unknown)
export type AuditState = typeof AuditState.Type

export const AuditItem = Row({
  id: Schema.BigInt,
  at: Schema.Date,
  actor: Schema.String,
  /** Of the user who acted; null on the command line. */
  email: Schema.NullOr(Schema.String),
  action: Schema.String,
  target: Schema.String,
  before: Schema.NullOr(AuditState),
  after: Schema.NullOr(AuditState),
  /** Of the client; empty where it was not known. */
  address: orElse(Schema.String, "")
})
export interface AuditItem extends Schema.Schema.Type<typeof AuditItem> {}

export class AuditTrail extends Context.Service<AuditTrail, {
  page(filter: AuditFilter, page: IdPage): Effect.Effect<ReadonlyArray<AuditItem>, SqlError.SqlError>
  /** The newest {@link AUDIT_STREAM_ITEMS_MAX} that the filter matches, read as they are taken. */
  rows(filter: AuditFilter): Stream.Stream<AuditItem, SqlError.SqlError>
}>()("realms/platform/AuditTrail") {
  static readonly layer = Layer.effect(AuditTrail)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const read = (filter: AuditFilter, limit: number, before: bigint | undefined) =>
      rowsOf(
        AuditItem,
        sql.unsafe(pageSql, [
          comparable(filter.actor),
          comparable(filter.action),
          comparable(filter.target),
          msOrNull(filter.fromMs),
          msOrNull(filter.toMs),
          before ?? null,
          limit
        ])
      )

    return AuditTrail.of({
      page: Effect.fn("AuditTrail.page")((filter, { before, limit }) => read(filter, limit, before)),
      rows: (filter) =>
        Stream.paginate<bigint | undefined, AuditItem, SqlError.SqlError>(
          undefined,
          (before) =>
            Effect.map(read(filter, STREAM_PAGE_ITEMS, before), (items) =>
              [
                items,
                items.length < STREAM_PAGE_ITEMS ? Option.none() : Option.fromUndefinedOr(items.at(-1)?.id)
              ] as const)
        ).pipe(Stream.take(AUDIT_STREAM_ITEMS_MAX))
    })
  }))
}

/** One stream gives no more. */
export const AUDIT_STREAM_ITEMS_MAX = 100_000

const STREAM_PAGE_ITEMS = 1_000

/** $1 actor, $2 beginning of the action, $3 target, $4 and $5 range in ms, $6 below which id, $7 how many. */
const pageSql = `
  SELECT a.id, a.at, a.actor, a.action, a.target, a.before, a.after, a.address,
    coalesce((SELECT u.email FROM users u
        WHERE u.id = (CASE WHEN a.actor ~ '^user:[0-9]{1,18}$' THEN substr(a.actor, 6)::bigint END)),
      (SELECT u.email FROM api_keys k JOIN users u ON u.id = k.user_id
        WHERE k.id = (CASE WHEN a.actor ~ '^key:[0-9]{1,18}$' THEN substr(a.actor, 5)::bigint END))) AS email
  FROM audit_log a
  WHERE ($1::text IS NULL OR a.actor IN (
      SELECT $1::text
      UNION ALL SELECT 'user:' || u.id FROM users u WHERE u.email = lower($1)
      UNION ALL SELECT 'key:' || k.id FROM api_keys k JOIN users u ON u.id = k.user_id WHERE u.email = lower($1)
    ))
    AND ($2::text IS NULL OR starts_with(a.action, $2)) AND ($3::text IS NULL OR a.target = $3)
    AND ($4::bigint IS NULL OR a.at >= to_timestamp($4::bigint / 1000.0))
    AND ($5::bigint IS NULL OR a.at < to_timestamp($5::bigint / 1000.0))
    AND ($6::bigint IS NULL OR a.id < $6)
  ORDER BY a.id DESC LIMIT $7`

/** PostgreSQL has no text with a NUL in it. */
const comparable = (text: string | undefined): string | null => text?.replaceAll("\0", "") ?? null
