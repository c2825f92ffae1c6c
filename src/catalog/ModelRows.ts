/**
 * The rows of models as administrators see them, and the two ways in which they are written here, each with its entry in the
 * record of changes.
 * @internal
 */
import { Effect, Result, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { Row, RowWith } from "../domain/Row.ts"
import { type Actor, type AuditFacts, changesBetween, recordChange } from "../platform/AuditLog.ts"
import { managedFields } from "../platform/RowAdmin.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { columnsOf, recordOf, TermColumns, termColumns, termsOfRow } from "./ModelColumns.ts"
import type { ModelTerms } from "./ModelTerms.ts"

/** A model besides its terms. */
const Model = Row({
  id: Schema.String,
  ...managedFields,
  createdAt: Schema.Date,
  updatedAt: Schema.Date,
  /** The names of enabled channels that serve it. */
  channels: Schema.Array(Schema.String)
}, { declared: "read_only" })

/** A model with everything there is to know of it. */
export interface AdminModel extends Schema.Schema.Type<typeof Model> {
  readonly terms: ModelTerms
}

/** The columns of {@link modelColumns}. */
export const StoredModel = RowWith(Model, TermColumns.fields, TermColumns.columns)

/** A declared row is disabled only by its absence from the file. */
export const modelColumns = (sql: SqlClient.SqlClient) =>
  sql`m.id, ${termColumns(sql, "m")}, m.declared AND m.disabled_at IS NULL AS read_only, m.disabled_at, m.revision,
    m.created_at, m.updated_at,
    ARRAY(SELECT c.name FROM channel_models s JOIN channels c ON c.id = s.channel_id
      WHERE s.model_id = m.id AND c.disabled_at IS NULL ORDER BY c.priority DESC, c.name) AS channels`

/** A row that cannot be read is a defect here: it is not to be edited by a version that does not know all of it. */
export const toAdminModel = (row: typeof StoredModel.Type): AdminModel => ({
  id: row.id,
  terms: Result.getOrThrowWith(
    termsOfRow(row),
    (columns) => new Error(`model ${row.id} has values that this version does not know: ${columns.join(", ")}`)
  ),
  declared: row.declared,
  disabledAt: row.disabledAt,
  revision: row.revision,
  createdAt: row.createdAt,
  updatedAt: row.updatedAt,
  channels: row.channels
})

/** Rows locked until the transaction under way ends, always in the order of their ids. */
export const lockModels = (
  sql: SqlClient.SqlClient,
  ids: ReadonlyArray<string>
): Effect.Effect<ReadonlyMap<string, AdminModel>, SqlError.SqlError> =>
  Effect.map(
    rowsOf(
      StoredModel,
      sql`SELECT ${modelColumns(sql)} FROM models m
      WHERE m.id IN (SELECT jsonb_array_elements_text(${JSON.stringify(ids)}::jsonb)) ORDER BY m.id FOR UPDATE OF m`
    ),
    (rows) => new Map(rows.map((row) => [row.id, toAdminModel(row)]))
  )

interface ModelWrite {
  readonly terms: ModelTerms
  /** Said beside the terms in the record of changes. */
  readonly more?: AuditFacts
}

/** Answers false, with nothing written, when there is one of this id already. */
export const insertModel = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  actor: Actor,
  { id, more, terms }: ModelWrite & { readonly id: string }
) {
  const written = yield* sql`INSERT INTO models (id, ${termColumns(sql)})
    SELECT ${id}, ${termColumns(sql, "d")} FROM jsonb_populate_record(NULL::models, ${recordOf(terms)}::jsonb) AS d
    ON CONFLICT (id) DO NOTHING RETURNING id`
  if (written.length === 0) return false
  const after = { ...columnsOf(terms), ...more }
  yield* recordChange(sql, actor, { action: "model.created", target: `model:${id}`, before: null, after })
  return true
})

/** Writes the terms of a locked row; one that has them already is left alone. */
export const updateModel = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  actor: Actor,
  { model, more, terms }: ModelWrite & { readonly model: AdminModel }
) {
  const { after, before } = changesBetween(columnsOf(model.terms), columnsOf(terms))
  if (Object.keys(after).length === 0) return false
  yield* sql`UPDATE models SET (${termColumns(sql)}) = (
      SELECT ${termColumns(sql, "d")} FROM jsonb_populate_record(NULL::models, ${recordOf(terms)}::jsonb) AS d
    ), declared = false, updated_at = now()
    WHERE id = ${model.id}`
  yield* recordChange(sql, actor, {
    action: "model.changed",
    target: `model:${model.id}`,
    before,
    after: { ...after, ...more }
  })
  return true
})
