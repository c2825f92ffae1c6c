import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Queue } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { writeConfigModels } from "../../src/catalog/ConfigModels.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { defaultTerms } from "../../src/domain/ModelTerms.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { writeConfigPlans } from "../../src/subscriptions/ConfigPlans.ts"
import { hear, say } from "../support/Heard.ts"
import { logsTo } from "../support/LogLines.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const TestLayer = Catalog.layer.pipe(Layer.provideMerge(Notifications.layer), Layer.provideMerge(TestDatabase.layer))

const start = (document: unknown) =>
  Effect.andThen(writeConfigModels, writeConfigPlans).pipe(Effect.provideService(AppConfig, testConfig(document)))

const mini = {
  id: "mini",
  input_usd_per_1m: "0.15",
  output_usd_per_1m: "0.60",
  max_output_tokens: 100,
  reasoning: true
}
const large = {
  id: 'large "quoted", {braced}',
  input_usd_per_1m: "5",
  cached_input_usd_per_1m: "0.5",
  cache_write_usd_per_1m: "6.25",
  output_usd_per_1m: "25"
}

describe("Catalog", () => {
  it.live("knows what is declared, from memory after the first question", () =>
    Effect.gen(function*() {
      const heard = yield* hear
      const catalog = yield* Catalog
      yield* start({ models: [mini, large] })
      assert.strictEqual(yield* Queue.take(heard), "catalog declared")
      assert.isUndefined(catalog.cached("mini"))
      const found = yield* catalog.find("mini")
      assert.deepInclude(found, { id: "mini", maxOutputTokens: 100, reasoning: true })
      assert.deepStrictEqual(found.price, {
        inputMicrosPer1m: 150_000n,
        cachedInputMicrosPer1m: 150_000n,
        cacheWriteMicrosPer1m: null,
        outputMicrosPer1m: 600_000n
      })
      assert.strictEqual(catalog.cached("mini"), found)
      assert.strictEqual(catalog.cached(large.id)?.price.cacheWriteMicrosPer1m, 6_250_000n)
      assert.deepStrictEqual((yield* catalog.list).map(({ id }) => id).sort(), [large.id, "mini"].sort())
      assert.strictEqual((yield* Effect.flip(catalog.find("nano")))._tag, "ModelNotFound")
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("knows every term that is declared, and what a model has where nothing is", () =>
    Effect.gen(function*() {
      const catalog = yield* Catalog
      yield* start({
        models: [mini, {
          ...large,
          context_tokens: 200_000,
          max_output_tokens: 64_000,
          default_output_tokens: 1_000,
          input_overhead_tokens: 0,
          image_tokens_max: 5_000,
          tokenizer_margin: "2.5",
          output_tokens_per_second: 60,
          hosted_tools: "price",
          tool_calls_max: 3,
          tools: { file_search_usd_per_call: "0.0025" },
          price_tiers: [{
            above_input_tokens: 100_000,
            input_usd_per_1m: "10",
            cache_write_usd_per_1m: "12.5",
            output_usd_per_1m: "37.5"
          }]
        }]
      })
      const { createdAtMs: _, id, price, ...terms } = yield* catalog.find(large.id)
      assert.strictEqual(id, large.id)
      assert.deepStrictEqual(terms, {
        vendor: "",
        description: "",
        capabilities: [],
        contextTokens: 200_000,
        maxOutputTokens: 64_000,
        defaultOutputTokens: 1_000,
        inputOverheadTokens: 0,
        imageTokensMax: 5_000,
        tokenizerMarginMicros: 2_500_000,
        outputTokensPerSecond: 60,
        reasoning: false,
        hostedTools: "price",
        toolCallsMax: 3
      })
      assert.deepStrictEqual(price, {
        inputMicrosPer1m: 5_000_000n,
        cachedInputMicrosPer1m: 500_000n,
        cacheWriteMicrosPer1m: 6_250_000n,
        outputMicrosPer1m: 25_000_000n,
        tiers: [{
          aboveInputTokens: 100_000,
          inputMicrosPer1m: 10_000_000n,
          cachedInputMicrosPer1m: 10_000_000n,
          cacheWriteMicrosPer1m: 12_500_000n,
          outputMicrosPer1m: 37_500_000n
        }],
        tools: { webSearchMicros: null, fileSearchMicros: 2_500n }
      })
      assert.deepInclude(yield* catalog.find("mini"), { ...defaultTerms, maxOutputTokens: 100, reasoning: true })
      // Taken out of the file again, the terms are gone.
      yield* start({ models: [mini, large] })
      const fresh = yield* Effect.provide(
        Effect.flatMap(Catalog, ({ find }) => find(large.id)),
        Layer.fresh(Catalog.layer)
      )
      assert.deepInclude(fresh, defaultTerms)
      assert.deepStrictEqual(Object.keys(fresh.price).toSorted(), [
        "cacheWriteMicrosPer1m",
        "cachedInputMicrosPer1m",
        "inputMicrosPer1m",
        "outputMicrosPer1m"
      ])
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("knows whether a model that is served costs nothing", () =>
    Effect.gen(function*() {
      const heard = yield* hear
      const catalog = yield* Catalog
      const sql = yield* SqlClient.SqlClient
      const free = { id: "free", input_usd_per_1m: "0", output_usd_per_1m: "0" }
      yield* start({ models: [mini, free] })
      yield* Queue.take(heard)
      assert.isUndefined(catalog.cachedHasFreeModel())
      assert.isFalse(yield* catalog.hasFreeModel, "nothing serves it")
      assert.isFalse(catalog.cachedHasFreeModel())
      const said = (change: Effect.Effect<unknown, SqlError.SqlError>) =>
        Effect.gen(function*() {
          yield* change
          yield* say("channels", "changed")
          yield* Queue.take(heard)
          return yield* catalog.hasFreeModel
        })
      const serve = sql`INSERT INTO channel_models SELECT id, 'free', 'x' FROM channels`
      yield* sql`INSERT INTO channels (name, base_url) VALUES ('c', 'http://c')`
      assert.isTrue(yield* said(serve))
      assert.isTrue(catalog.cachedHasFreeModel())
      assert.isFalse(yield* said(sql`UPDATE channels SET disabled_at = now()`))
      assert.isTrue(yield* said(sql`UPDATE channels SET disabled_at = NULL`))
      const tier = { above_input_tokens: 5, input_usd_per_1m: "0", output_usd_per_1m: "0.000001" }
      yield* start({ models: [mini, { ...free, price_tiers: [tier] }] })
      yield* Queue.take(heard)
      assert.isFalse(yield* catalog.hasFreeModel, "long calls of it cost something")
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("does not sell a model that this version cannot read, and sells the others", () => {
    const logged: Array<string> = []
    return Effect.gen(function*() {
      const catalog = yield* Catalog
      const sql = yield* SqlClient.SqlClient
      yield* start({ models: [mini, large] })
      // As a later version might write it.
      yield* sql`ALTER TABLE models DROP CONSTRAINT models_hosted_tools_check`
      yield* sql`UPDATE models SET hosted_tools = 'auction' WHERE id = 'mini'`
      assert.deepStrictEqual((yield* catalog.list).map(({ id }) => id), [large.id])
      assert.strictEqual((yield* Effect.flip(catalog.find("mini")))._tag, "ModelNotFound")
      assert.include(logged.join(), "hosted_tools")
    }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(TestLayer, logsTo(logged))))
  })

  it.live("learns of another price, of a model gone from the file, and of its return", () =>
    Effect.gen(function*() {
      const heard = yield* hear
      const catalog = yield* Catalog
      const sql = yield* SqlClient.SqlClient
      yield* start({ models: [mini, large] })
      yield* Queue.take(heard)
      yield* catalog.find("mini")
      yield* start({ models: [{ ...mini, output_usd_per_1m: "0.70" }] })
      yield* Queue.take(heard)
      assert.isUndefined(catalog.cached("mini"))
      assert.strictEqual((yield* catalog.find("mini")).price.outputMicrosPer1m, 700_000n)
      assert.strictEqual((yield* Effect.flip(catalog.find(large.id)))._tag, "ModelNotFound")
      const [row] = yield* sql<{ disabled: boolean }>`
        SELECT disabled_at IS NOT NULL AS disabled FROM models WHERE id = ${large.id}`
      assert.isTrue(row?.disabled, "disabled, not deleted")
      yield* start({ models: [mini, large] })
      yield* Queue.take(heard)
      assert.strictEqual((yield* catalog.find(large.id)).id, large.id)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("a start with the same file touches no row and tells nobody; rows made in the console are left alone", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const heard = yield* hear
      const plan = { code: "basic", name: "Basic", price_cny: "12.00", duration_days: 30, limit_5h_usd: "6" }
      yield* sql`INSERT INTO models (id, input_micros_per_1m, cached_input_micros_per_1m, output_micros_per_1m,
        max_output_tokens) VALUES ('console', 1, 1, 1, 1)`
      yield* start({ models: [mini, large], plans: [plan] })
      const rows = sql`SELECT m.xmin::text AS x, m.* FROM models m ORDER BY id`
      const plans = sql`SELECT p.xmin::text AS x, p.* FROM subscription_plans p ORDER BY id`
      const before = [yield* rows, yield* plans]
      assert.deepInclude(before[1]?.[0], {
        code: "basic",
        price_fen: 1_200n,
        limit_5h_micros: 6_000_000n,
        disabled_at: null
      })
      yield* start({ models: [mini, large], plans: [plan] })
      assert.deepStrictEqual([yield* rows, yield* plans], before)
      yield* say("catalog", "end")
      const messages = yield* Effect.forEach([1, 2, 3], () => Queue.take(heard))
      assert.deepStrictEqual(messages, ["catalog declared", "catalog declared", "catalog end"])
      yield* start({})
      const after = yield* sql<{ what: string }>`SELECT id AS what FROM models WHERE disabled_at IS NULL
        UNION ALL SELECT code FROM subscription_plans WHERE disabled_at IS NULL`
      assert.deepStrictEqual(after.map(({ what }) => what), ["console"])
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("two processes that start at once do not get into each other's way", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const forth = { models: [mini, large] }
      const back = { models: [large, mini] }
      yield* Effect.forEach([forth, back, forth, back], start, { concurrency: 4 })
      const [row] = yield* sql<{ n: bigint }>`SELECT count(*) AS n FROM models WHERE disabled_at IS NULL`
      assert.strictEqual(row?.n, 2n)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that cannot be read says so, and not that there is no such model", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const catalog = yield* Catalog
      yield* sql`ALTER TABLE models RENAME TO models_away`
      assert.strictEqual((yield* Effect.flip(catalog.find("mini")))._tag, "DatabaseUnavailable")
      assert.strictEqual((yield* Effect.flip(catalog.list))._tag, "DatabaseUnavailable")
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))
})
