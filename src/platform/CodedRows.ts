/**
 * What administrators do with the rows of tables that have a code which never changes: groups and plans. Rows that are managed in
 * config.yaml are only shown. Each change is recorded in the audit log, and makes a new revision.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Fragment } from "effect/sql/Statement"
import { isCode } from "../domain/Code.ts"
import type { IdOf } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { type IdPage, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { type Actor, type AuditFacts, recordChange } from "./AuditLog.ts"
import {
  editRow,
  managedFields,
  type ManagedRow,
  refuseUnseen,
  type RowAt,
  type RowChanges,
  type RowReads,
  switchRow
} from "./RowAdmin.ts"

export interface CodedFilter extends IdPage {
  readonly state?: "enabled" | "disabled" | undefined
}

interface CodedRow<Id> extends ManagedRow<Id> {
  readonly code: string
}

/** What administrators do with such a table; it is listed newest first. */
export interface CodedAdmin<Id, Coded, Terms, Refused, Exists, Unknown>
  extends RowReads<Id, Coded, CodedFilter, Unknown>, RowChanges<Id, Terms, Refused, Unknown>
{
  /** A code has 1 to 40 of `a-z0-9-`. Answers the id. */
  create(
    actor: Actor,
    terms: Terms & { readonly code: string }
  ): Effect.Effect<Id, Refused | Exists | SqlError.SqlError>
}

/** In what one table differs from the others. */
export interface CodedTable<Id extends bigint, S, Coded, Terms, Field, Refused, Exists, Unknown> {
  /** The name of the service, for its spans. */
  readonly name: string
  readonly table: string
  /** What the audit log calls a row. */
  readonly kind: string
  readonly id: IdOf<Id>
  readonly row: S
  /** Columns besides the table's own, read from the row `r`. */
  readonly counts: Fragment
  readonly terms: {
    wrong(terms: Terms): ReadonlyArray<Field>
    toRow(terms: Terms): AuditFacts
  }
  readonly refused: (fields: ReadonlyArray<Field | "code">) => Refused
  readonly exists: (code: string) => Exists
  readonly unknown: (id: Id) => Unknown
  /** Further rules for terms, checked in the transaction that writes them; `before` is the row that is edited. */
  readonly check: (terms: Terms, before: Coded | undefined) => Effect.Effect<void, Refused | SqlError.SqlError>
  /** Announces a change to the processes that keep these rows in memory. Part of the transaction that makes the change. */
  readonly onChange: (change: "created" | "edited" | "switched") => Effect.Effect<void, SqlError.SqlError>
}

/** A row of such a table as the pages of administrators show it: its terms, and what else there is to know of it. */
export const codedRow = <
  const Id extends Schema.Top,
  const Terms extends Schema.Struct.Fields,
  const More extends Schema.Struct.Fields
>(id: Id, terms: Terms, more: More) =>
  Row({
    id,
    /** Never changes. */
    code: Schema.String,
    ...terms,
    ...managedFields,
    ...more,
    createdAt: Schema.Date,
    updatedAt: Schema.Date
  }, { declared: "read_only" })

const MadeRow = Row({ id: Schema.BigInt })

/** Manages such a table. */
export const codedRows = <
  Id extends bigint,
  Coded extends CodedRow<Id> & Terms,
  S extends Schema.ConstraintDecoder<unknown> & { readonly Type: Coded },
  Terms,
  Field,
  Refused,
  Exists,
  Unknown
>(
  sql: SqlClient.SqlClient,
  of: CodedTable<Id, S, Coded, Terms, Field, Refused, Exists, Unknown>
): CodedAdmin<Id, S["Type"], Terms, Refused, Exists, Unknown> => {
  const { kind, table, terms } = of

  /** A row of the file is disabled only by its absence from the file. */
  const selected = sql`SELECT r.*, r.declared AND r.disabled_at IS NULL AS read_only, ${of.counts} FROM ${sql(table)} r`

  const list = Effect.fn(`${of.name}.list`)(function*({ before, limit, state }: CodedFilter) {
    return yield* rowsOf(
      of.row,
      sql`${selected}
      WHERE (${state ?? null}::text IS NULL OR (r.disabled_at IS NULL) = (${state ?? null}::text = 'enabled'))
        AND (${before ?? null}::bigint IS NULL OR r.id < ${before ?? null}::bigint)
      ORDER BY r.id DESC LIMIT ${limit}`
    )
  })

  const get = Effect.fn(`${of.name}.get`)(function*(id: Id) {
    const row = yield* rowOf(of.row, sql`${selected} WHERE r.id = ${id}`)
    return row ?? (yield* Effect.fail(of.unknown(id)))
  })

  /** The row as the administrator saw it, locked. */
  const lockAsSeen = Effect.fnUntraced(function*({ id, revision }: RowAt<Id>) {
    const row = yield* rowOf(of.row, sql`${selected} WHERE r.id = ${id} FOR NO KEY UPDATE OF r`)
    if (row === undefined) return yield* Effect.fail(of.unknown(id))
    yield* refuseUnseen(row, { kind, name: row.code, revision })
    return row
  })

  const create = Effect.fn(`${of.name}.create`)(function*(actor: Actor, made: Terms & { readonly code: string }) {
    const wrong = [...isCode(made.code) ? [] : ["code" as const], ...terms.wrong(made)]
    if (wrong.length > 0) return yield* Effect.fail(of.refused(wrong))
    const values = { code: made.code, ...terms.toRow(made) }
    return yield* inTransaction(
      sql,
      Effect.gen(function*() {
        yield* of.check(made, undefined)
        const row = yield* rowOf(
          MadeRow,
          sql`INSERT INTO ${sql(table)} ${sql.insert(values)} ON CONFLICT (code) DO NOTHING RETURNING id`
        )
        if (row === undefined) return yield* Effect.fail(of.exists(made.code))
        yield* recordChange(sql, actor, {
          action: `${kind}.created`,
          target: `${kind}:${row.id}`,
          before: null,
          after: values
        })
        yield* of.onChange("created")
        return of.id.make(row.id)
      })
    )
  })

  const edit = Effect.fn(`${of.name}.edit`)(function*(actor: Actor, at: RowAt<Id>, asked: Terms) {
    const wrong = terms.wrong(asked)
    if (wrong.length > 0) return yield* Effect.fail(of.refused(wrong))
    yield* inTransaction(
      sql,
      Effect.gen(function*() {
        const row = yield* lockAsSeen(at)
        yield* of.check(asked, row)
        const columns = terms.toRow(asked)
        const changed = yield* editRow(sql, actor, { table, kind, row, was: terms.toRow(row), columns })
        if (changed) yield* of.onChange("edited")
      })
    )
  })

  const setEnabled = Effect.fn(`${of.name}.setEnabled`)(function*(actor: Actor, at: RowAt<Id>, enabled: boolean) {
    yield* inTransaction(
      sql,
      Effect.gen(function*() {
        const switched = yield* switchRow(sql, actor, { table, kind, row: yield* lockAsSeen(at), enabled })
        if (switched) yield* of.onChange("switched")
      })
    )
  })

  return { list, get, create, edit, setEnabled }
}
