/**
 * The models that can be called, with their prices: a snapshot of the whole table in memory, dropped when any process
 * changes it. A model that is not here has no price, and what has no price is not called.
 */
import { Context, Effect, Layer, Result, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { ModelTerms } from "../domain/ModelTerms.ts"
import { isFree } from "../domain/Price.ts"
import { Millis, RowWith } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { makeSnapshot } from "../settings/Snapshot.ts"
import { TermColumns, termColumns, termsOfRow } from "./ModelColumns.ts"

/** A model for sale. */
export interface Model extends ModelTerms {
  readonly id: string
  readonly createdAtMs: number
}

/** Unknown or disabled. */
export class ModelNotFound extends Schema.TaggedError<ModelNotFound>()("ModelNotFound", { model: Schema.String }) {}

export class Catalog extends Context.Service<Catalog, {
  find(id: string): Effect.Effect<Model, ModelNotFound | DatabaseUnavailable>
  /** From memory, at once; undefined says only that `find` must be asked. */
  cached(id: string): Model | undefined
  /** All that can be called, by id. */
  readonly list: Effect.Effect<ReadonlyArray<Model>, DatabaseUnavailable>
  /** Whether an enabled channel serves a model whose tokens cost nothing, so that a call may need no funds. */
  readonly hasFreeModel: Effect.Effect<boolean, DatabaseUnavailable>
  /** The same from memory, at once; undefined says only that `hasFreeModel` must be asked. */
  cachedHasFreeModel(): boolean | undefined
}>()("realms/catalog/Catalog") {
  static readonly layer = Layer.effect(Catalog)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const snapshot = yield* makeSnapshot<Prices>({
      topics: ["catalog", "channels"],
      load: Effect.flatMap(
        rowsOf(
          StoredModel,
          sql`SELECT m.id, ${termColumns(sql, "m")}, m.created_at,
          EXISTS (SELECT FROM channel_models s JOIN channels c ON c.id = s.channel_id
            WHERE s.model_id = m.id AND c.disabled_at IS NULL) AS served
        FROM models m WHERE m.disabled_at IS NULL ORDER BY m.id`
        ),
        pricesOf
      )
    })
    const prices = snapshot.get

    return Catalog.of({
      find: (id) =>
        Effect.flatMap(prices, ({ models }) => {
          const model = models.get(id)
          return model === undefined ? Effect.fail(new ModelNotFound({ model: id })) : Effect.succeed(model)
        }),
      cached: (id) => snapshot.cached()?.models.get(id),
      list: Effect.map(prices, ({ models }) => Array.from(models.values())),
      hasFreeModel: Effect.map(prices, ({ hasFree }) => hasFree),
      cachedHasFreeModel: () => snapshot.cached()?.hasFree
    })
  }))
}

const StoredModel = RowWith(TermColumns, {
  id: Schema.String,
  createdAtMs: Millis,
  /** An enabled channel serves it. */
  isServed: Schema.Boolean
}, { createdAtMs: "created_at", isServed: "served" })

interface Prices {
  readonly models: ReadonlyMap<string, Model>
  readonly hasFree: boolean
}

/** A row that this version cannot read is not sold, and the others are. */
const pricesOf = Effect.fnUntraced(function*(rows: ReadonlyArray<typeof StoredModel.Type>) {
  const models = new Map<string, Model>()
  let hasFree = false
  for (const row of rows) {
    const read = termsOfRow(row)
    if (Result.isFailure(read)) {
      yield* Effect.logError(`model "${row.id}" is not sold: this version cannot read its ${read.failure.join(", ")}`)
      continue
    }
    const model = { ...read.success, id: row.id, createdAtMs: row.createdAtMs }
    models.set(row.id, model)
    hasFree ||= row.isServed && isFree(model.price)
  }
  return { models, hasFree } satisfies Prices
})
