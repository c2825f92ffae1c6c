/**
 * The terms of a model in its form: prices of long contexts row by row, bounds and tools, and what the price list shows of them.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ConsoleWorld } from "../../support/ConsoleWorld.ts"
import { modelForm, revisionIn, signIn } from "../../support/RootClient.ts"
import { until } from "../../support/Until.ts"
import { countsOfCatalog, refusesModels } from "../../support/WrongFields.ts"

layer(ConsoleWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })("terms of models", (it) => {
  it.effect("that are out of bounds are named beside their fields, and nothing is changed", () =>
    Effect.gen(function*() {
      const { client } = yield* signIn
      yield* refusesModels(client, [
        ...["0", "1.5", "x", "100000001"].map((text) => ["context_tokens", text] as const),
        ["default_output_tokens", "1001"],
        ["default_output_tokens", "0"],
        ["input_overhead_tokens", ""],
        ["image_tokens_max", "0"],
        ...["", "0.99", "101", "1e1", "1.0000001"].map((text) => ["tokenizer_margin", text] as const),
        ["output_tokens_per_second", "0"],
        ["tool_calls_max", "129"],
        ["hosted_tools", "price"],
        ["hosted_tools", "maybe"],
        ["web_search", "1001"],
        ["file_search", "-1"]
      ])
      const before = yield* countsOfCatalog
      // A context below the output limit is a problem of the limit.
      const short = yield* client.post("/admin/models/new", modelForm({ id: "good", context_tokens: "999" }))
      assert.include(short.text, `id="field-max_output_tokens-problem"`)
      assert.deepStrictEqual(yield* countsOfCatalog, before)
    }))

  it.effect("prices of long contexts, bounds and tools are kept, shown in the price list, and wrong rows are named", () =>
    Effect.gen(function*() {
      const { client } = yield* signIn
      const { sql } = yield* ConsoleWorld
      const empty = yield* client.get("/admin/models/new")
      assert.include(empty.text, 'name="tier_1_above"')
      assert.notInclude(empty.text, 'name="tier_2_above"')
      const tier = (row: number, above: string, more: Readonly<Record<string, string>> = {}) =>
        Object.fromEntries(
          Object.entries({ above, input: "5", output: "15", cached_input: "", cache_write: "", ...more })
            .map(([cell, text]) => [`tier_${row}_${cell}`, text])
        )
      const problemsOf = (text: string) =>
        Array.from(text.matchAll(/id="field-(\w+)-problem"/g), (match) => match[1] ?? "")
      const table: ReadonlyArray<readonly [rows: Readonly<Record<string, string>>, problems: ReadonlyArray<string>]> = [
        [tier(0, "0"), ["tier_0_above"]],
        [tier(0, ""), ["tier_0_above"]],
        [tier(0, "200000", { input: "" }), ["tier_0_input"]],
        [tier(0, "200000", { output: "x", cache_write: "-1" }), ["tier_0_output", "tier_0_cache_write"]],
        [{ ...tier(0, "200000"), ...tier(1, "200000") }, ["price_tiers"]],
        [{ ...tier(0, "200000"), ...tier(1, "100") }, ["price_tiers"]],
        [{ ...tier(0, "1"), ...tier(7, "200000", { input: "100001" }) }, ["tier_7_input"]]
      ]
      const before = yield* countsOfCatalog
      for (const [rows, problems] of table) {
        const refused = yield* client.post("/admin/models/new", modelForm({ id: "long", ...rows }))
        assert.strictEqual(refused.status, 422, JSON.stringify(rows))
        assert.deepStrictEqual(problemsOf(refused.text), problems, JSON.stringify(rows))
      }
      assert.deepStrictEqual(yield* countsOfCatalog, before)
      const bounds = {
        context_tokens: "1000000",
        default_output_tokens: "500",
        input_overhead_tokens: "7",
        image_tokens_max: "",
        tokenizer_margin: "2.25",
        output_tokens_per_second: "50",
        hosted_tools: "price",
        tool_calls_max: "2",
        web_search: "0.01",
        file_search: ""
      }
      const made = yield* client.post(
        "/admin/models/new",
        modelForm({
          id: "long",
          ...bounds,
          ...tier(0, "200000", { cached_input: "0.5" }),
          ...tier(3, "500000", { input: "8" })
        })
      )
      assert.strictEqual(made.status, 303, made.text)
      const [row] = yield* sql<
        Record<string, unknown>
      >`SELECT context_tokens, default_output_tokens, input_overhead_tokens,
        image_tokens_max, tokenizer_margin::text, output_tokens_per_second, hosted_tools, tool_calls_max, web_search_micros,
        file_search_micros, price_tiers FROM models WHERE id = 'long'`
      const priced = { cache_write_micros_per_1m: null, output_micros_per_1m: "15000000" }
      assert.deepStrictEqual(row, {
        context_tokens: 1_000_000,
        default_output_tokens: 500,
        input_overhead_tokens: 7,
        image_tokens_max: null,
        tokenizer_margin: "2.25",
        output_tokens_per_second: 50,
        hosted_tools: "price",
        tool_calls_max: 2,
        web_search_micros: 10_000n,
        file_search_micros: null,
        price_tiers: [
          {
            ...priced,
            above_input_tokens: 200_000,
            input_micros_per_1m: "5000000",
            cached_input_micros_per_1m: "500000"
          },
          {
            ...priced,
            above_input_tokens: 500_000,
            input_micros_per_1m: "8000000",
            cached_input_micros_per_1m: "8000000"
          }
        ]
      })
      assert.include((yield* client.get("/admin/models?q=long")).text, "Long contexts")
      // Nobody can call it yet, so the price list does not have it.
      assert.notInclude((yield* client.get("/models")).text, '<code class="break-anywhere">long</code>')
      yield* sql`INSERT INTO channel_models (channel_id, model_id, upstream_model)
        SELECT id, 'long', 'gpt-4o' FROM channels`
      yield* sql`SELECT pg_notify('realms', 'channels:test')`
      yield* until(
        "the price list has it",
        Effect.map(client.get("/models"), ({ text }) => text.includes('<code class="break-anywhere">long</code>'))
      )
      const { text: list } = yield* client.get("/models")
      assert.include(list, "above 200,000 input tokens")
      assert.include(list, "$8.00")
      assert.include(list, "Web search: $0.01 a call")

      const path = "/admin/models/edit?id=long"
      const edit = yield* client.get(path)
      assert.include(edit.text, 'id="field-tier_0_above" type="text" value="200000"')
      assert.include(edit.text, 'name="tier_3_above"')
      assert.notInclude(edit.text, 'name="tier_4_above"')
      assert.include(edit.text, '<option value="price" selected')
      // A row that is emptied is gone, and what an old form does not send stays.
      const none = { above: "", input: "", output: "", cached_input: "", cache_write: "" }
      const saved = yield* client.post(path, {
        ...modelForm(),
        ...tier(0, "", none),
        ...tier(1, "500000", { input: "8" }),
        revision: revisionIn(edit.text)
      })
      assert.strictEqual(saved.status, 303, saved.text)
      const [now] = yield* sql<{ tiers: bigint; margin: string; search: bigint | null }>`
        SELECT jsonb_array_length(price_tiers)::bigint AS tiers, tokenizer_margin::text AS margin,
          web_search_micros AS search FROM models WHERE id = 'long'`
      assert.deepStrictEqual(now, { tiers: 1n, margin: "2.25", search: 10_000n })
    }))
})
