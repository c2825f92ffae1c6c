/**
 * Models managed by two administrators at once and beside a configuration file: what was looked at is what happens, every
 * change is on record, and a refusal changes nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { ModelAdmin } from "../../src/catalog/ModelAdmin.ts"
import type { ModelField, ModelTerms } from "../../src/catalog/ModelTerms.ts"
import type { PriceTier } from "../../src/domain/Price.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { ada, bob, tagOf, trail } from "../support/AuditTrail.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { declare, terms } from "./ModelFixtures.ts"
import { until } from "../support/Until.ts"

const TestLayer = Layer.mergeAll(Catalog.layer, ModelAdmin.layer).pipe(
  Layer.provideMerge(Notifications.layer),
  Layer.provideMerge(TestDatabase.layer)
)

describe("ModelAdmin", () => {
  it.live("makes, changes, disables and enables a model; callers get what is there at once, and all of it is on record", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      const catalog = yield* Catalog
      const sql = yield* SqlClient.SqlClient
      yield* models.create(ada, { id: "vendor/m", ...terms(100n) })
      const made = yield* models.get("vendor/m")
      assert.deepInclude(made, { declared: false, disabledAt: null, revision: 1n, channels: [], terms: terms(100n) })
      const callers = (price: bigint | undefined) =>
        until(
          `callers get ${price}`,
          catalog.find("vendor/m").pipe(
            Effect.map((found) => found.price.inputMicrosPer1m),
            Effect.catchTag("ModelNotFound", () => Effect.undefined),
            Effect.map((now) => now === price)
          )
        )
      yield* callers(100n)
      yield* models.edit(ada, made, terms(200n, { reasoning: true }))
      yield* callers(200n)
      const changed = yield* models.get("vendor/m")
      // Saving what is there already is no change.
      yield* models.edit(ada, changed, changed.terms)
      yield* models.setEnabled(ada, changed, true)
      assert.strictEqual((yield* models.get("vendor/m")).revision, changed.revision)
      yield* models.setEnabled(bob, changed, false)
      yield* callers(undefined)
      yield* models.setEnabled(bob, yield* models.get("vendor/m"), true)
      yield* callers(200n)
      assert.deepStrictEqual(yield* trail, [
        "user:1 model.created model:vendor/m",
        "user:1 model.changed model:vendor/m",
        "user:2 model.disabled model:vendor/m",
        "user:2 model.enabled model:vendor/m"
      ])
      const [row] = yield* sql<{ before: unknown; after: unknown }>`
        SELECT before, after FROM audit_log WHERE action = 'model.changed'`
      assert.deepStrictEqual(row, {
        before: {
          input_micros_per_1m: "100",
          cached_input_micros_per_1m: "100",
          output_micros_per_1m: "400",
          reasoning: false
        },
        after: {
          input_micros_per_1m: "200",
          cached_input_micros_per_1m: "200",
          output_micros_per_1m: "800",
          reasoning: true
        }
      })
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("tells the second of two administrators, and overwrites nothing", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      yield* models.create(ada, { id: "m", ...terms(100n) })
      const seen = yield* models.get("m")
      const outcomes = yield* Effect.forEach(
        [models.edit(ada, seen, terms(200n)), models.edit(bob, seen, terms(300n)), models.setEnabled(bob, seen, false)],
        (attempt) => Effect.result(attempt),
        { concurrency: 3 }
      )
      assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Success").length, 1)
      assert.strictEqual((yield* models.get("m")).revision, 2n)
      assert.strictEqual((yield* trail).length, 2)
      assert.strictEqual(yield* tagOf(models.edit(bob, seen, terms(5n))), "ChangedMeanwhile")
      assert.strictEqual(yield* tagOf(models.create(bob, { id: "m", ...terms(5n) })), "ModelExists")
      assert.strictEqual(yield* tagOf(models.edit(bob, { id: "none", revision: 1n }, terms(5n))), "ModelNotFound")
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("refuses ids, prices and limits that are out of bounds, and names the fields", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      const good = terms(1n)
      const price = (more: Partial<ModelTerms["price"]>) => ({ ...good, price: { ...good.price, ...more } })
      const tier = (aboveInputTokens: number, more: Partial<PriceTier> = {}): PriceTier => ({
        aboveInputTokens,
        inputMicrosPer1m: 1n,
        cachedInputMicrosPer1m: 1n,
        cacheWriteMicrosPer1m: null,
        outputMicrosPer1m: 1n,
        ...more
      })
      const table: ReadonlyArray<readonly [id: string, terms: ModelTerms, field: ModelField]> = [
        ["", good, "id"],
        ["a b", good, "id"],
        ["a\u0000b", good, "id"],
        ["x".repeat(201), good, "id"],
        ["m", price({ inputMicrosPer1m: -1n }), "input"],
        ["m", price({ inputMicrosPer1m: 100_000_000_001n }), "input"],
        ["m", price({ cachedInputMicrosPer1m: -1n }), "cached_input"],
        ["m", price({ cacheWriteMicrosPer1m: 10n ** 20n }), "cache_write"],
        ["m", price({ outputMicrosPer1m: -5n }), "output"],
        ["m", { ...good, maxOutputTokens: 0 }, "maxOutputTokens"],
        ["m", { ...good, maxOutputTokens: 1.5 }, "maxOutputTokens"],
        ["m", { ...good, maxOutputTokens: 100_000_001 }, "maxOutputTokens"],
        ["m", { ...good, contextTokens: 999 }, "maxOutputTokens"],
        ["m", { ...good, defaultOutputTokens: 1_001 }, "defaultOutputTokens"],
        ["m", { ...good, contextTokens: 1.5, maxOutputTokens: 1 }, "contextTokens"],
        ["m", { ...good, inputOverheadTokens: -1 }, "inputOverheadTokens"],
        ["m", { ...good, imageTokensMax: 0 }, "imageTokensMax"],
        ["m", { ...good, tokenizerMarginMicros: 999_999 }, "tokenizerMarginMicros"],
        ["m", { ...good, tokenizerMarginMicros: NaN }, "tokenizerMarginMicros"],
        ["m", { ...good, outputTokensPerSecond: 100_001 }, "outputTokensPerSecond"],
        ["m", { ...good, toolCallsMax: 0 }, "toolCallsMax"],
        ["m", { ...good, hostedTools: "price" }, "hostedTools"],
        ["m", { ...good, hostedTools: "price", contextTokens: 5_000 }, "hostedTools"],
        ["m", price({ tools: { webSearchMicros: -1n, fileSearchMicros: null } }), "web_search"],
        ["m", price({ tools: { webSearchMicros: null, fileSearchMicros: 1_000_000_001n } }), "file_search"],
        ["m", price({ tiers: [tier(0)] }), "price_tiers"],
        ["m", price({ tiers: [tier(5), tier(5)] }), "price_tiers"],
        ["m", price({ tiers: [tier(5, { outputMicrosPer1m: -1n })] }), "price_tiers"],
        ["m", price({ tiers: [1, 2, 3, 4, 5, 6, 7, 8, 9].map((above) => tier(above)) }), "price_tiers"]
      ]
      for (const [id, bad, field] of table) {
        const error = yield* Effect.flip(models.create(ada, { id, ...bad }))
        assert.deepInclude(error, { _tag: "ModelRefused", fields: [field] }, `${id} ${field}`)
      }
      yield* models.create(ada, { id: "most", ...price({ inputMicrosPer1m: 100_000_000_000n, outputMicrosPer1m: 0n }) })
      const most = yield* models.get("most")
      assert.strictEqual(yield* tagOf(models.edit(ada, most, { ...good, maxOutputTokens: -1 })), "ModelRefused")
      assert.deepStrictEqual(yield* models.get("most"), most)
      assert.strictEqual((yield* trail).length, 1)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("keeps every term of a model as it was written, and records which of them changed", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      const sql = yield* SqlClient.SqlClient
      const all: ModelTerms = {
        price: {
          ...terms(100n).price,
          tiers: [{
            aboveInputTokens: 200_000,
            inputMicrosPer1m: 200n,
            cachedInputMicrosPer1m: 20n,
            cacheWriteMicrosPer1m: 250n,
            outputMicrosPer1m: 300n
          }],
          tools: { webSearchMicros: 10_000n, fileSearchMicros: null }
        },
        vendor: "OpenAI",
        description: "Writes well.\nReads images.",
        capabilities: ["tools", "vision"],
        contextTokens: 1_000_000,
        maxOutputTokens: 64_000,
        defaultOutputTokens: 64_000,
        inputOverheadTokens: 0,
        imageTokensMax: 1,
        tokenizerMarginMicros: 1_000_001,
        outputTokensPerSecond: 7,
        reasoning: true,
        hostedTools: "price",
        toolCallsMax: 128
      }
      yield* models.create(ada, { id: "m", ...all })
      assert.deepStrictEqual((yield* models.get("m")).terms, all)
      assert.deepInclude(yield* (yield* Catalog).find("m"), all)
      const less: ModelTerms = { ...all, price: terms(100n).price, hostedTools: "refuse", imageTokensMax: null }
      yield* models.edit(ada, yield* models.get("m"), less)
      const now = yield* models.get("m")
      assert.deepStrictEqual(now.terms, less)
      yield* models.edit(ada, now, less)
      assert.strictEqual((yield* models.get("m")).revision, now.revision, "the same again changes nothing")
      const [row] = yield* sql<{ before: unknown; after: unknown }>`
        SELECT before, after FROM audit_log WHERE action = 'model.changed'`
      assert.deepStrictEqual(row, {
        before: {
          price_tiers: [{
            above_input_tokens: 200_000,
            input_micros_per_1m: "200",
            cached_input_micros_per_1m: "20",
            cache_write_micros_per_1m: "250",
            output_micros_per_1m: "300"
          }],
          web_search_micros: "10000",
          image_tokens_max: 1,
          hosted_tools: "price"
        },
        after: { price_tiers: null, web_search_micros: null, image_tokens_max: null, hosted_tools: "refuse" }
      })
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("leaves alone what config.yaml declares, and takes over what has left it", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      yield* declare(["kept", "gone"])
      const kept = yield* models.get("kept")
      assert.isTrue(kept.declared)
      assert.strictEqual(yield* tagOf(models.edit(ada, kept, terms(5n))), "ConfigManaged")
      assert.strictEqual(yield* tagOf(models.setEnabled(ada, kept, false)), "ConfigManaged")
      assert.strictEqual(yield* tagOf(models.create(ada, { id: "kept", ...terms(5n) })), "ModelExists")
      yield* declare(["kept"])
      const gone = yield* models.get("gone")
      assert.isFalse(gone.declared)
      yield* models.setEnabled(ada, gone, true)
      yield* models.edit(ada, yield* models.get("gone"), terms(5n))
      yield* declare(["kept"])
      assert.deepInclude(yield* models.get("gone"), { disabledAt: null, terms: terms(5n) })
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("lists by id, page by page, by text and by state, with the channels that serve each", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      const sql = yield* SqlClient.SqlClient
      yield* Effect.forEach(["a-1", "a-2", "b-1", "B-2"], (id) => models.create(ada, { id, ...terms(1n) }))
      yield* models.setEnabled(ada, yield* models.get("a-2"), false)
      yield* sql`INSERT INTO channels (name, base_url, priority, disabled_at)
        VALUES ('low', 'http://x', 0, NULL), ('high', 'http://x', 5, NULL), ('off', 'http://x', 9, now())`
      yield* sql`INSERT INTO channel_models (channel_id, model_id, upstream_model)
        SELECT id, 'b-1', 'b-1' FROM channels`
      const ids = (filter: Partial<Parameters<typeof models.list>[0]>) =>
        Effect.map(models.list({ limit: 10, ...filter }), (found) => found.map(({ id }) => id))
      const all = yield* ids({})
      assert.sameMembers([...all], ["a-1", "a-2", "b-1", "B-2"])
      const first = yield* ids({ limit: 2 })
      assert.deepStrictEqual([...first, ...yield* ids({ after: first[1] })], all)
      assert.sameMembers([...yield* ids({ text: "B-" })], ["b-1", "B-2"])
      assert.deepStrictEqual(yield* ids({ text: "%" }), [])
      assert.deepStrictEqual(yield* ids({ state: "disabled" }), ["a-2"])
      assert.notInclude(yield* ids({ state: "enabled" }), "a-2")
      assert.deepStrictEqual((yield* models.get("b-1")).channels, ["high", "low"])
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))
})
