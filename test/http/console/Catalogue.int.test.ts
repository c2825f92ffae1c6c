/**
 * What visitors see before they sign in: the first page, the catalogue, and a model's page under any id.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect } from "effect"
import { ConsoleClient } from "../../support/ConsoleClient.ts"
import { asUser, ConsoleWorld } from "../../support/ConsoleWorld.ts"

const ODD_ID = "vendor/it's-<b>?a=1&b#x%2F"
const MANY = 120

const entry = { input_usd_per_1m: "2", output_usd_per_1m: "8", cache_write_usd_per_1m: "2.5" }

const models = [
  {
    ...entry,
    id: ODD_ID,
    vendor: "Acme <Labs>",
    description: "Reads\n<i>everything</i>.",
    capabilities: ["tools", "vision"],
    context_tokens: 1_000_000,
    price_tiers: [{ above_input_tokens: 200_000, input_usd_per_1m: "4", output_usd_per_1m: "16" }],
    hosted_tools: "price",
    tools: { web_search_usd_per_call: "0.01" }
  },
  { ...entry, id: "embed-1", vendor: "Other", capabilities: ["embeddings"] },
  { ...entry, id: "hidden-model", vendor: "Hidden" },
  ...Array.from({ length: MANY }, (_, at) => ({ ...entry, id: `many-${String(at).padStart(3, "0")}`, reasoning: true }))
]

/** Serves all but the hidden one. */
const served = Object.fromEntries(models.filter(({ id }) => id !== "hidden-model").map(({ id }) => [id, "gpt-4o"]))
const channels = [{ name: "all", base_url: "http://127.0.0.1:9", api_key: "sk-x", models: served }]

const idsIn = (text: string): ReadonlyArray<string> =>
  Array.from(text.matchAll(/href="\/models\/([^"]+)"/g), ([, id = ""]) => decodeURIComponent(id))

const world = ConsoleWorld.layerOf({ models, channels, billing: { multiplier: "1.5" } })

describe("what visitors see", () => {
  layer(world, { excludeTestServices: true, timeout: 60_000 })((it) => {
    it.effect("a first page that says what is offered, and users their dashboard in its place", () =>
      Effect.gen(function*() {
        const { client, world } = yield* asUser
        const landing = yield* new ConsoleClient(world.origin).get("/")
        assert.strictEqual(landing.status, 200)
        assert.include(landing.text, `${MANY + 2} models of Acme &lt;Labs>, Other`)
        assert.include(landing.text, 'href="/register"')
        assert.include(landing.text, `${world.origin}/v1`)
        assert.include(landing.text, "Alipay")
        // The first call is a conversation, which the first model of the list does not hold.
        assert.match(
          landing.text,
          /chat\/completions.*"model":"many-000"|chat\/completions.*&quot;model&quot;:&quot;many-000/s
        )
        assert.isAtMost(idsIn(landing.text).length, 8)
        assert.notInclude(landing.text, "hidden-model")
        assert.include((yield* client.get("/")).text, "<title>Dashboard")
      }))

    it.effect("a catalogue that is searched and read page by page", () =>
      Effect.gen(function*() {
        const { origin } = yield* ConsoleWorld
        const visitor = new ConsoleClient(origin)
        const first = yield* visitor.get("/models")
        assert.strictEqual(idsIn(first.text).length, 50)
        const next = /href="([^"]+)" rel="next"/.exec(first.text)?.[1] ?? ""
        const second = yield* visitor.get(next.replaceAll("&amp;", "&"))
        const last = /href="([^"]+)" rel="next"/.exec(second.text)?.[1] ?? ""
        const third = yield* visitor.get(last.replaceAll("&amp;", "&"))
        assert.notInclude(third.text, 'rel="next"')
        const all = [first, second, third].flatMap(({ text }) => idsIn(text))
        assert.deepStrictEqual(all.toSorted(), Object.keys(served).toSorted())
        const found = (query: string) => Effect.map(visitor.get(`/models?${query}`), ({ text }) => idsIn(text))
        assert.deepStrictEqual(yield* found("q=everything+ACME"), [ODD_ID])
        assert.deepStrictEqual(yield* found("vendor=Other"), ["embed-1"])
        assert.deepStrictEqual(yield* found("can=vision"), [ODD_ID])
        assert.strictEqual((yield* found("can=reasoning&q=many-01")).length, 10)
        // What is no vendor and no capability narrows nothing.
        assert.strictEqual((yield* found("vendor=Hidden&can=magic")).length, 50)
        assert.include((yield* visitor.get("/models?q=nothing-like-it")).text, "No model matches")
        assert.include((yield* visitor.get("/models?after=gone&q=%00%EF%BF%BF")).text, "No model matches")
      }))

    it.effect("a page for each model, under any id, with prices by bucket and length, and how it is called", () =>
      Effect.gen(function*() {
        const { origin } = yield* ConsoleWorld
        const visitor = new ConsoleClient(origin)
        const page = yield* visitor.get(`/models/${encodeURIComponent(ODD_ID)}`)
        assert.strictEqual(page.status, 200)
        // Times the multiplier of billing.
        for (const price of ["$3.00", "$3.75", "$12.00", "$6.00", "$24.00", "Web search: $0.015 a call"]) {
          assert.include(page.text, price)
        }
        for (
          const text of [
            "Acme &lt;Labs>",
            "&lt;i>everything&lt;/i>",
            "Images",
            "1,000,000 tokens",
            "above 200,000",
            "up to 200,000"
          ]
        ) {
          assert.include(page.text, text)
        }
        assert.notInclude(page.text, "<b>")
        const embeddings = yield* visitor.get("/models/embed-1")
        assert.include(embeddings.text, "/v1/embeddings")
        assert.notInclude(embeddings.text, "/v1/chat/completions")
        for (
          const id of ["hidden-model", "nothing", "%", "%E0%A4", "", "a/../embed-1", encodeURIComponent("many-000/")]
        ) {
          assert.strictEqual((yield* visitor.get(`/models/${id}`)).status, id === "a/../embed-1" ? 200 : 404, id)
        }
      }))
  })
})
