/**
 * Models and prices as administrators manage them. Those that are managed in config.yaml are only shown. A change is
 * recorded, counts as a new revision, and is in force for the next call in every process; calls under way keep their prices.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { Actor } from "../platform/AuditLog.ts"
import { publish } from "../platform/Notifications.ts"
import { refuseUnseen, type RowAt, type RowChanges, type RowReads, switchRow } from "../platform/RowAdmin.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { ModelNotFound } from "./Catalog.ts"
import { ModelExists, ModelRefused } from "./ModelError.ts"
import {
  type AdminModel,
  insertModel,
  lockModels,
  modelColumns,
  StoredModel,
  toAdminModel,
  updateModel
} from "./ModelRows.ts"
import { isModelId, type ModelTerms, wrongFieldsOf } from "./ModelTerms.ts"

export type { AdminModel } from "./ModelRows.ts"

export interface ModelFilter {
  /** Part of the id, in any case. */
  readonly text?: string | undefined
  readonly state?: "enabled" | "disabled" | undefined
  /** Only ids that come after this one. */
  readonly after?: string | undefined
  readonly limit: number
}

/** Models are listed by id. */
export interface ModelAdminShape
  extends
    RowReads<string, AdminModel, ModelFilter, ModelNotFound>,
    RowChanges<string, ModelTerms, ModelRefused, ModelNotFound>
{
  /** An id has 1 to 200 printable characters and no spaces. */
  create(
    actor: Actor,
    model: ModelTerms & { readonly id: string }
  ): Effect.Effect<void, ModelRefused | ModelExists | SqlError.SqlError>
}

export class ModelAdmin extends Context.Service<ModelAdmin, ModelAdminShape>()("realms/catalog/ModelAdmin") {
  static readonly layer = Layer.effect(ModelAdmin)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const list = Effect.fn("ModelAdmin.list")(function*({ after, limit, state, text }: ModelFilter) {
      const rows = yield* rowsOf(
        StoredModel,
        sql`SELECT ${modelColumns(sql)} FROM models m
      WHERE (${text ?? ""}::text = '' OR strpos(lower(m.id), lower(${text ?? ""}::text)) > 0)
        AND (${state ?? null}::text IS NULL OR (m.disabled_at IS NULL) = (${state ?? null}::text = 'enabled'))
        AND (${after ?? null}::text IS NULL OR m.id > ${after ?? null}::text)
      ORDER BY m.id LIMIT ${limit}`
      )
      return rows.map(toAdminModel)
    })

    const get = Effect.fn("ModelAdmin.get")(function*(id: string) {
      const row = yield* rowOf(StoredModel, sql`SELECT ${modelColumns(sql)} FROM models m WHERE m.id = ${id}`)
      return row === undefined ? yield* new ModelNotFound({ model: id }) : toAdminModel(row)
    })

    const create = Effect.fn("ModelAdmin.create")(
      function*(actor: Actor, model: ModelTerms & { readonly id: string }) {
        const wrong = [...isModelId(model.id) ? [] : ["id" as const], ...wrongFieldsOf(model)]
        if (wrong.length > 0) return yield* new ModelRefused({ fields: wrong })
        yield* inTransaction(
          sql,
          Effect.gen(function*() {
            const isNew = yield* insertModel(sql, actor, { id: model.id, terms: model })
            if (!isNew) return yield* new ModelExists({ model: model.id })
            yield* publish(sql, "catalog", "edited")
          })
        )
      }
    )

    /** The row as the administrator saw it, locked. */
    const lockAsSeen = Effect.fnUntraced(function*({ id, revision }: RowAt<string>) {
      const model = (yield* lockModels(sql, [id])).get(id)
      if (model === undefined) return yield* new ModelNotFound({ model: id })
      yield* refuseUnseen(model, { kind: "model", name: id, revision })
      return model
    })

    const edit = Effect.fn("ModelAdmin.edit")(function*(actor: Actor, at: RowAt<string>, terms: ModelTerms) {
      const wrong = wrongFieldsOf(terms)
      if (wrong.length > 0) return yield* new ModelRefused({ fields: wrong })
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const model = yield* lockAsSeen(at)
          if (yield* updateModel(sql, actor, { model, terms })) yield* publish(sql, "catalog", "edited")
        })
      )
    })

    const setEnabled = Effect.fn("ModelAdmin.setEnabled")(function*(actor: Actor, at: RowAt<string>, enabled: boolean) {
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const switched = yield* switchRow(sql, actor, {
            table: "models",
            kind: "model",
            row: yield* lockAsSeen(at),
            enabled
          })
          if (switched) yield* publish(sql, "catalog", "edited")
        })
      )
    })

    return ModelAdmin.of({ list, get, create, edit, setEnabled })
  }))
}
