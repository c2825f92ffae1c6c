/**
 * What can be called and what it costs. The whole catalog is held in memory, read again when a message says it changed, and
 * not trusted while messages may be missed.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import type { PriceSnapshot } from "../domain/Price.ts"
import { Notifications } from "../platform/Notifications.ts"

export interface Model {
  readonly id: string
  readonly price: PriceSnapshot
  readonly maxOutputTokens: number
  /** Thinks in tokens that are not all seen. */
  readonly reasoning: boolean
  readonly createdAtMs: number
}

export class ModelNotFound extends Schema.TaggedError<ModelNotFound>()("ModelNotFound", { id: Schema.String }) {}

/** The catalog cannot be read now. */
export class CatalogUnavailable extends Schema.TaggedError<CatalogUnavailable>()("CatalogUnavailable", {}) {}

export class Catalog extends Context.Service<Catalog, {
  find(id: string): Effect.Effect<Model, ModelNotFound | CatalogUnavailable>
  /** The model, when it may be had without asking the database. */
  cached(id: string): Model | undefined
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
  const notifications = yield* Notifications
  let snapshot: ReadonlyMap<string, Model> | undefined
  let generation = 0
  const drop = () => {
    generation++
    snapshot = undefined
  }
  yield* notifications.subscribe({
    onMessage: (topic) => {
      if (topic === "catalog") drop()
    },
    onDown: drop,
    onUp: drop
  })

  const models: Effect.Effect<ReadonlyMap<string, Model>, CatalogUnavailable> = Effect.suspend(() => {
    if (snapshot !== undefined && notifications.isUp()) return Effect.succeed(snapshot)
    const asOf = generation
    return sql<ModelRow>`SELECT * FROM models WHERE disabled_at IS NULL ORDER BY id`.pipe(
      Effect.mapError(() => new CatalogUnavailable()),
      Effect.map((rows) => {
        const loaded = new Map(rows.map((row) => [row.id, toModel(row)]))
        if (asOf === generation && notifications.isUp()) snapshot = loaded
        return loaded
      })
    )
  })

  const find = Effect.fn("Catalog.find")(function*(id: string) {
    const model = (yield* models).get(id)
    return model ?? (yield* new ModelNotFound({ id }))
  })

  return Catalog.of({
    find,
    cached: (id) => notifications.isUp() ? snapshot?.get(id) : undefined,
    list: Effect.map(models, (all) => Array.from(all.values()))
  })
})
