/**
 * Models managed by files of prices: what was looked at is what happens, every change is on record, a refusal changes nothing,
 * and what a file is silent about stays.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { ModelAdmin } from "../../src/catalog/ModelAdmin.ts"
import type { ModelTerms } from "../../src/catalog/ModelTerms.ts"
import { type ComparedOffer, PriceImports } from "../../src/catalog/PriceImports.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { ada, bob, tagOf, trail } from "../support/AuditTrail.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { declare, terms } from "./ModelFixtures.ts"
import { modelsDev } from "./PriceSamples.ts"

const TestLayer = Layer.mergeAll(ModelAdmin.layer, PriceImports.layer).pipe(
  Layer.provideMerge(Notifications.layer),
  Layer.provideMerge(TestDatabase.layer)
)

const choicesOf = (offers: ReadonlyArray<ComparedOffer>) =>
  offers.map(({ position, revision }) => ({ position, revision }))

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
        counts: { changed: 1, new: 4, same: 0, declared: 1, refused: 5 },
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
      const wanted = [
        ...changed,
        ...fresh.filter(({ modelId, provider }) => provider !== "openai" || modelId.startsWith("text-"))
      ]
      assert.deepStrictEqual(yield* imports.apply(bob, id, choicesOf(wanted)), { created: 3, changed: 1 })
      for (const { after, modelId } of wanted) {
        assert.deepStrictEqual((yield* models.get(modelId)).terms, after, modelId)
      }
      assert.deepStrictEqual((yield* trail).slice(1), [
        "user:2 model.changed model:gpt-4o-mini",
        "user:2 model.created model:text-embedding-3-small",
        "user:2 model.created model:o4-mini",
        "user:2 model.created model:fine"
      ])
      // The same model as its other provider has it is a change now.
      assert.deepInclude(yield* imports.get(id), {
        counts: { changed: 1, new: 0, same: 4, declared: 1, refused: 5 }
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

  it.live("takes lengths, tiers and tool prices from a file, and leaves alone what the file is silent about", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      const imports = yield* PriceImports
      const own: ModelTerms = {
        ...terms(2_000_000n),
        contextTokens: 500_000,
        defaultOutputTokens: 900,
        tokenizerMarginMicros: 2_000_000,
        hostedTools: "price",
        price: {
          ...terms(2_000_000n).price,
          tiers: [{ ...terms(9n).price, aboveInputTokens: 7 }],
          tools: { webSearchMicros: 5n, fileSearchMicros: 6n }
        }
      }
      yield* models.create(ada, { id: "m", ...own })
      const change = Effect.fnUntraced(function*(entry: object) {
        const id = yield* imports.read(ada, JSON.stringify({ m: { mode: "chat", ...entry } }))
        const [offer] = yield* imports.compare(id, { limit: 1 })
        return { id, offer }
      })
      const price = { input_cost_per_token: 2e-6, output_cost_per_token: 8e-6 }
      assert.deepInclude((yield* change(price)).offer, { state: "same", before: own, after: own, unread: [] })
      const { id, offer } = yield* change({
        ...price,
        max_input_tokens: 400_000,
        max_output_tokens: 2_000,
        supports_reasoning: true,
        supports_function_calling: true,
        input_cost_per_token_above_200k_tokens: 4e-6,
        search_context_cost_per_query: { search_context_size_low: 0.01, search_context_size_high: 0.025 },
        output_cost_per_reasoning_token: 9e-6
      })
      const after: ModelTerms = {
        ...own,
        contextTokens: 400_000,
        maxOutputTokens: 2_000,
        reasoning: true,
        capabilities: ["tools"],
        price: {
          ...own.price,
          tiers: [{
            aboveInputTokens: 200_000,
            inputMicrosPer1m: 4_000_000n,
            cachedInputMicrosPer1m: 4_000_000n,
            cacheWriteMicrosPer1m: null,
            outputMicrosPer1m: 8_000_000n
          }],
          tools: { webSearchMicros: 25_000n, fileSearchMicros: 6n }
        }
      }
      assert.deepInclude(offer, { state: "changed", after, unread: ["output_cost_per_reasoning_token"] })
      yield* imports.apply(ada, id, offer === undefined ? [] : choicesOf([offer]))
      assert.deepStrictEqual((yield* models.get("m")).terms, after)
      assert.deepInclude((yield* imports.compare(id, { limit: 1 }))[0], { state: "same" })
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("refuses lengths that contradict those of the model, and shortens the default of a new one", () =>
    Effect.gen(function*() {
      const models = yield* ModelAdmin
      const imports = yield* PriceImports
      yield* models.create(ada, { id: "long", ...terms(1n, { maxOutputTokens: 9_000 }) })
      yield* models.create(ada, { id: "held", ...terms(1n, { maxOutputTokens: 9_000, defaultOutputTokens: 8_000 }) })
      yield* declare(["declared"])
      const entry = (limit: object) => ({ cost: { input: 1, output: 2 }, limit })
      const id = yield* imports.read(
        ada,
        JSON.stringify({
          "x/long": entry({ context: 8_000 }),
          "x/held": entry({ output: 7_000 }),
          "x/declared": entry({ context: 8_000 }),
          "x/short": entry({ context: 8_000 }),
          "x/odd": entry({ context: 8_000, output: 8_001 })
        })
      )
      const offers = yield* imports.compare(id, { limit: 9 })
      const seen = offers.map(({ after, modelId, problem, state, unread }) =>
        [modelId, state, problem, after?.contextTokens, after?.maxOutputTokens, unread.join()] as const
      )
      assert.deepStrictEqual(seen, [
        ["long", "refused", "lengths", 8_000, 9_000, ""],
        ["held", "refused", "lengths", null, 7_000, ""],
        ["declared", "declared", null, 8_000, 16_384, ""],
        ["short", "new", null, 8_000, 8_000, ""],
        ["odd", "new", null, null, 16_384, "limit.context,limit.output"]
      ])
      const of = (modelId: string) => choicesOf(offers.filter((offer) => offer.modelId === modelId))
      assert.strictEqual(yield* tagOf(imports.apply(ada, id, of("long"))), "ImportRefused")
      assert.deepStrictEqual(yield* imports.apply(ada, id, [...of("short"), ...of("odd")]), { created: 2, changed: 0 })
      assert.deepInclude((yield* models.get("short")).terms, { contextTokens: 8_000, maxOutputTokens: 8_000 })
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
