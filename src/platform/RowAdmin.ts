/**
 * Rows of the catalog that administrators change: models, plans and groups alike. A change names the revision that the administrator saw.
 * What `config.yaml` manages is changed there alone.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { type Actor, type AuditFacts, changesBetween, recordChange } from "./AuditLog.ts"
import { ChangedMeanwhile, ConfigManaged } from "./ChangedMeanwhile.ts"

/** The id, and the revision that the change was made on. */
export interface RowAt<Id> {
  readonly id: Id
  readonly revision: bigint
}

/** The fields that all such rows have. */
export const managedFields = {
  /** It is managed in config.yaml. A row that is gone from the file can be managed here. */
  declared: Schema.Boolean,
  /** Since then users are not offered it; what they have stays as it is. */
  disabledAt: Schema.NullOr(Schema.Date),
  /** Counts the changes of the row. */
  revision: Schema.BigInt
}

export interface ManagedRow<Id = string | bigint> extends RowAt<Id> {
  readonly declared: boolean
  readonly disabledAt: Date | null
}

/** How such rows are read; disabled ones, too. */
export interface RowReads<Id, Row, Filter, Missing> {
  list(filter: Filter): Effect.Effect<ReadonlyArray<Row>, SqlError.SqlError>
  get(id: Id): Effect.Effect<Row, Missing | SqlError.SqlError>
}

/** The changes that such a row takes, once there is one. */
export interface RowChanges<Id, Terms, Refused, Missing> {
  edit(
    actor: Actor,
    at: RowAt<Id>,
    terms: Terms
  ): Effect.Effect<void, Refused | Missing | ConfigManaged | ChangedMeanwhile | SqlError.SqlError>
  /** Users are not offered a disabled row; what they bought or ordered goes on. Repeating it changes nothing. */
  setEnabled(
    actor: Actor,
    at: RowAt<Id>,
    enabled: boolean
  ): Effect.Effect<void, Missing | ConfigManaged | ChangedMeanwhile | SqlError.SqlError>
}

/** Refuses to change a locked row, which people know by `name`, when the file manages it or somebody else changed it. */
export const refuseUnseen = (
  row: ManagedRow,
  seen: { readonly kind: string; readonly name: string; readonly revision: bigint }
): Effect.Effect<void, ConfigManaged | ChangedMeanwhile> => {
  if (row.declared) return Effect.fail(new ConfigManaged({ name: seen.name }))
  if (row.revision !== seen.revision) return Effect.fail(new ChangedMeanwhile({ target: `${seen.kind}:${row.id}` }))
  return Effect.void
}

interface LockedRow {
  readonly table: string
  /** What the audit log calls it. */
  readonly kind: string
  readonly row: ManagedRow
  /** False: config.yaml has no such rows. */
  readonly isDeclarable?: boolean
}

/** Written with every change: the row is managed here from now on. */
const taken = (sql: SqlClient.SqlClient, { isDeclarable = true }: LockedRow) =>
  isDeclarable ? sql`declared = false, updated_at = now()` : sql`updated_at = now()`

/**
 * Writes the columns of a locked row, and records those that change. Answers false, and writes nothing, when none changes.
 */
export const editRow = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  actor: Actor,
  { columns, was, ...at }: LockedRow & {
    /** The values before. */
    readonly was: AuditFacts
    readonly columns: AuditFacts
  }
) {
  const { kind, row, table } = at
  const changed = changesBetween(was, columns)
  if (Object.keys(changed.after).length === 0) return false
  yield* sql`UPDATE ${sql(table)} SET ${sql.update(columns)}, ${taken(sql, at)} WHERE id = ${row.id}`
  yield* recordChange(sql, actor, { action: `${kind}.changed`, target: `${kind}:${row.id}`, ...changed })
  return true
})

/** Disables or enables a locked row, and records it. Answers false, with nothing written, when it is so already. */
export const switchRow = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  actor: Actor,
  { enabled, ...at }: LockedRow & { readonly enabled: boolean }
) {
  const { kind, row, table } = at
  if (enabled === (row.disabledAt === null)) return false
  yield* sql`UPDATE ${sql(table)}
    SET disabled_at = CASE WHEN ${enabled}::boolean THEN NULL ELSE now() END, ${taken(sql, at)}
    WHERE id = ${row.id}`
  yield* recordChange(sql, actor, {
    action: enabled ? `${kind}.enabled` : `${kind}.disabled`,
    target: `${kind}:${row.id}`,
    before: { enabled: !enabled },
    after: { enabled }
  })
  return true
})
