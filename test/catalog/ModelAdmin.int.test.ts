/**
 * Models managed by two administrators at once, beside a configuration file, and by files of prices: what was looked at is what
 * happens, every change is on record, and a refusal changes nothing.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Catalog } from "../../src/catalog/Catalog.ts"
import { declareModels } from "../../src/catalog/Declared.ts"
import { ModelAdmin } from "../../src/catalog/ModelAdmin.ts"
import type { ModelField, ModelTerms } from "../../src/catalog/ModelTerms.ts"
import { type ComparedOffer, PriceImports } from "../../src/catalog/PriceImports.ts"
import type { Actor } from "../../src/platform/AuditLog.ts"
import { AppConfig, testConfig } from "../../src/platform/Config.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { until } from "../support/TestGateway.ts"
import { modelsDev } from "./PriceSamples.ts"

const TestLayer = Layer.mergeAll(Catalog.layer, ModelAdmin.layer, PriceImports.layer).pipe(
  Layer.provideMerge(Notifications.layer),
  Layer.provideMerge(TestDatabase.layer)
)

const ada: Actor = { name: "user:1", userId: 1n, address: "192.0.2.1" }
const bob: Actor = { name: "user:2", userId: 2n, address: "192.0.2.2" }

const terms = (input: bigint, more: Partial<ModelTerms> = {}): ModelTerms => ({
  price: {
    inputMicrosPer1m: input,
    cachedInputMicrosPer1m: input,
    cacheWriteMicrosPer1m: null,
    outputMicrosPer1m: 4n * input
  },
  maxOutputTokens: 1_000,
  reasoning: false,
  ...more
})

const declare = (ids: ReadonlyArray<string>) =>
  declareModels.pipe(Effect.provideService(
    AppConfig,
    testConfig({ models: ids.map((id) => ({ id, input_usd_per_1m: "1", output_usd_per_1m: "2" })) })
  ))

const trail = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ actor: string; action: string; target: string }>`
    SELECT actor, action, target FROM audit_log ORDER BY id`
  return rows.map(({ action, actor, target }) => `${actor} ${action} ${target}`)
})

const tagOf = <A, R>(effect: Effect.Effect<A, { readonly _tag: string }, R>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

const choicesOf = (offers: ReadonlyArray<ComparedOffer>) =>
  offers.map(({ position, revision }) => ({ position, revision }))

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
        ["m", { ...good, maxOutputTokens: 0 }, "max_output_tokens"],
        ["m", { ...good, maxOutputTokens: 1.5 }, "max_output_tokens"],
        ["m", { ...good, maxOutputTokens: 100_000_001 }, "max_output_tokens"]
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

  it.live("leaves alone what config.yaml declares, and takes over what has left it", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      yield* declare(["kept", "gone"])
      const kept = yield* models.get("kept")
      assert.isTrue(kept.declared)
      assert.strictEqual(yield* tagOf(models.edit(ada, kept, terms(5n))), "ModelDeclared")
      assert.strictEqual(yield* tagOf(models.setEnabled(ada, kept, false)), "ModelDeclared")
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

describe("PriceImports", () => {
  it.live("shows what would change and applies what was shown", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      const imports = yield* PriceImports
      yield* declare(["claude-sonnet-4-5"])
      yield* models.create(ada, { id: "gpt-4o-mini", ...terms(150_000n, { maxOutputTokens: 16_384 }) })
      const id = yield* imports.read(ada, modelsDev)
      const found = yield* imports.get(id)
      assert.deepInclude(found, {
        skipped: 1,
        counts: { changed: 1, new: 3, same: 0, declared: 1, refused: 5 },
        providers: ["anthropic", "openai", "reseller"]
      })
      assert.strictEqual((yield* imports.compare(id, { state: "refused", limit: 100 })).length, 5)
      assert.deepStrictEqual(
        (yield* imports.compare(id, { provider: "reseller", text: "O4", limit: 100 })).map(({ modelId }) => modelId),
        ["o4-mini"]
      )
      const changed = yield* imports.compare(id, { state: "changed", limit: 100 })
      const fresh = yield* imports.compare(id, { state: "new", limit: 100 })
      assert.deepStrictEqual(
        changed.map(({ after, before }) => [
          before?.price.cachedInputMicrosPer1m,
          after?.price.cachedInputMicrosPer1m
        ]),
        [[150_000n, 80_000n]]
      )
      const first = yield* imports.compare(id, { state: "new", limit: 1 })
      assert.deepStrictEqual(
        [...first, ...yield* imports.compare(id, { state: "new", after: first[0]?.position, limit: 100 })],
        fresh
      )
      const wanted = [...changed, ...fresh.filter(({ provider }) => provider !== "openai")]
      assert.deepStrictEqual(yield* imports.apply(bob, id, choicesOf(wanted)), { created: 2, changed: 1 })
      for (const { after, modelId } of wanted) {
        assert.deepStrictEqual((yield* models.get(modelId)).terms, after, modelId)
      }
      assert.deepStrictEqual((yield* trail).slice(1), [
        "user:2 model.changed model:gpt-4o-mini",
        "user:2 model.created model:o4-mini",
        "user:2 model.created model:fine"
      ])
      // The same model as its other provider has it is a change now.
      assert.deepInclude(yield* imports.get(id), {
        counts: { changed: 1, new: 0, same: 3, declared: 1, refused: 5 }
      })
      // A file that is silent leaves the model's own limit alone.
      const silent = `{"x/fine":{"cost":{"input":7,"output":8}}}`
      yield* models.edit(ada, yield* models.get("fine"), terms(1n, { maxOutputTokens: 77, reasoning: true }))
      const second = yield* imports.read(ada, silent)
      yield* imports.apply(ada, second, choicesOf(yield* imports.compare(second, { limit: 9 })))
      assert.deepInclude((yield* models.get("fine")).terms, { maxOutputTokens: 77, reasoning: true })
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("applies all or nothing, and nothing that has changed since it was shown", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      const imports = yield* PriceImports
      const sql = yield* SqlClient.SqlClient
      yield* declare(["claude-sonnet-4-5"])
      yield* models.create(ada, { id: "gpt-4o-mini", ...terms(1n) })
      const id = yield* imports.read(ada, modelsDev)
      const all = yield* imports.compare(id, { limit: 100 })
      const of = (modelId: string) => choicesOf(all.filter((offer) => offer.modelId === modelId))
      const before = yield* sql`SELECT * FROM models ORDER BY id`
      const [twice] = of("fine")
      const table = [
        [[], "ImportRefused"],
        [Array.from({ length: 501 }, (_, position) => ({ position, revision: 0n })), "ImportRefused"],
        // Two providers of one model, one line twice, a line that is not there, a refused and a declared one.
        [of("o4-mini"), "ImportRefused"],
        [twice === undefined ? [] : [twice, twice], "ImportRefused"],
        [[...of("fine"), { position: 9_999, revision: 0n }], "ImportRefused"],
        [[...of("fine"), ...of("absurd")], "ImportRefused"],
        [[...of("fine"), ...of("claude-sonnet-4-5")], "ImportRefused"],
        [[...of("fine"), ...of("gpt-4o-mini").map(({ position }) => ({ position, revision: 9n }))], "ChangedMeanwhile"]
      ] as const
      for (const [choices, tag] of table) {
        assert.strictEqual(yield* tagOf(imports.apply(bob, id, choices)), tag, JSON.stringify(choices.length))
      }
      assert.strictEqual(yield* tagOf(imports.apply(bob, id + 1n, of("fine"))), "ImportRefused")
      assert.deepStrictEqual(yield* sql`SELECT * FROM models ORDER BY id`, before)
      // Ada edits one and makes the other after Bob has looked.
      yield* models.edit(ada, yield* models.get("gpt-4o-mini"), terms(2n))
      yield* models.create(ada, { id: "fine", ...terms(3n) })
      for (const modelId of ["gpt-4o-mini", "fine"]) {
        assert.strictEqual(yield* tagOf(imports.apply(bob, id, of(modelId))), "ChangedMeanwhile")
      }
      assert.strictEqual((yield* models.get("fine")).terms.price.inputMicrosPer1m, 3n)
      const racers = choicesOf(yield* imports.compare(id, { text: "gpt-4o-mini", limit: 9 }))
      const outcomes = yield* Effect.forEach(
        [ada, bob, ada],
        (actor) => Effect.result(imports.apply(actor, id, racers)),
        { concurrency: 3 }
      )
      assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Success").length, 1)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("keeps the newest files, and nothing of a file that cannot be read", () =>
    Effect.gen(function*() {
      const imports = yield* PriceImports
      const sql = yield* SqlClient.SqlClient
      const file = `{"x/m":{"cost":{"input":1,"output":2}}}`
      const ids = yield* Effect.forEach(Array.from({ length: 12 }), () => imports.read(ada, file))
      const outcomes = yield* Effect.forEach(ids, (id) => Effect.result(imports.get(id)))
      assert.deepStrictEqual(outcomes.map(({ _tag }) => _tag), [
        "Failure",
        "Failure",
        ...Array.from({ length: 10 }, () => "Success" as const)
      ])
      assert.strictEqual(yield* tagOf(imports.read(ada, "{}")), "PriceFileRefused")
      const [row] = yield* sql<{ imports: bigint; offers: bigint }>`
        SELECT (SELECT count(*) FROM price_imports) AS imports, (SELECT count(*) FROM price_offers) AS offers`
      assert.deepStrictEqual(row, { imports: 10n, offers: 10n })
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))
})
