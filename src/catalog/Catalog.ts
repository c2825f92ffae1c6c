/**
 * The models that can be called, with their prices: a snapshot of the whole table in memory, dropped when any process
 * changes it. A model that is not here has no price, and what has no price is not called.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { PriceSnapshot } from "../domain/Price.ts"
import { makeSnapshot } from "../settings/Snapshot.ts"

/** A model for sale. */
export interface Model {
  readonly id: string
  readonly price: PriceSnapshot
  readonly maxOutputTokens: number
  /** True: it spends output tokens that are not seen in the stream. */
  readonly reasoning: boolean
  readonly createdAtMs: number
}

/** Unknown or disabled. */
export class ModelNotFound extends Schema.TaggedError<ModelNotFound>()("ModelNotFound", { model: Schema.String }) {}

/** The prices could not be read. */
export class CatalogUnavailable extends Schema.TaggedError<CatalogUnavailable>()("CatalogUnavailable", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

export class Catalog extends Context.Service<Catalog, {
  find(id: string): Effect.Effect<Model, ModelNotFound | CatalogUnavailable>
  /** From memory, at once; undefined says only that `find` must be asked. */
  cached(id: string): Model | undefined
  /** All that can be called, by id. */
  readonly list: Effect.Effect<ReadonlyArray<Model>, CatalogUnavailable>
}>()("realms/catalog/Catalog") {
  static readonly layer = Layer.effect(Catalog, Effect.suspend(() => make))
}

interface ModelRow {
  readonly id: string
  readonly input_micros_per_1m: bigint
  readonly cached_input_micros_per_1m: bigint
  readonly cache_write_micros_per_1m: bigint | null
  readonly output_micros_per_1m: bigint
  readonly max_output_tokens: bigint
  readonly reasoning: boolean
  readonly created_at: Date
}

const toModel = (row: ModelRow): Model => ({
  id: row.id,
  price: {
    inputMicrosPer1m: row.input_micros_per_1m,
    cachedInputMicrosPer1m: row.cached_input_micros_per_1m,
    cacheWriteMicrosPer1m: row.cache_write_micros_per_1m,
    outputMicrosPer1m: row.output_micros_per_1m
  },
  maxOutputTokens: Number(row.max_output_tokens),
  reasoning: row.reasoning,
  createdAtMs: row.created_at.getTime()
})

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const snapshot = yield* makeSnapshot({
    topics: ["catalog"],
    load: Effect.map(
      sql<ModelRow>`SELECT id, input_micros_per_1m, cached_input_micros_per_1m, cache_write_micros_per_1m,
          output_micros_per_1m, max_output_tokens, reasoning, created_at
        FROM models WHERE disabled_at IS NULL ORDER BY id`,
      (rows) => new Map(rows.map((row) => [row.id, toModel(row)]))
    )
  })
  const models = Effect.mapError(snapshot.get, ({ reason }) => new CatalogUnavailable({ reason }))

  return Catalog.of({
    find: (id) =>
      Effect.flatMap(models, (all) => {
        const model = all.get(id)
        return model === undefined ? Effect.fail(new ModelNotFound({ model: id })) : Effect.succeed(model)
      }),
    cached: (id) => snapshot.cached()?.get(id),
    list: Effect.map(models, (all) => Array.from(all.values()))
  })
})
