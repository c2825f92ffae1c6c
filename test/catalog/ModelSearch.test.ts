import { assert, describe, it } from "@effect/vitest"
import { abilitiesOf, sampleModel, searchModels, vendorsOf } from "../../src/catalog/ModelSearch.ts"
import { defaultTerms } from "../../src/domain/ModelTerms.ts"

const models = [
  { ...defaultTerms, id: "a/gpt-4o", vendor: "OpenAI", capabilities: ["tools", "vision"] as const },
  { ...defaultTerms, id: "b-claude", vendor: "Anthropic", description: "Writes long texts", reasoning: true },
  { ...defaultTerms, id: "c-plain" },
  { ...defaultTerms, id: "d-gpt", vendor: "OpenAI", reasoning: true }
]

const idsOf = (query: Parameters<typeof searchModels>[1]) => searchModels(models, query).map(({ id }) => id)

describe("the search for models", () => {
  it("finds by words of id, vendor and description, in any case and order", () => {
    assert.deepStrictEqual(idsOf({}), ["a/gpt-4o", "b-claude", "c-plain", "d-gpt"])
    assert.deepStrictEqual(idsOf({ text: "openai GPT" }), ["a/gpt-4o", "d-gpt"])
    assert.deepStrictEqual(idsOf({ text: "  texts   long " }), ["b-claude"])
    assert.deepStrictEqual(idsOf({ text: "openai claude" }), [])
  })

  it("shows a first call with a model that holds conversations, where there is one", () => {
    const vectors = { ...defaultTerms, id: "a-vectors", capabilities: ["embeddings"] as const }
    assert.strictEqual(sampleModel([vectors, ...models])?.id, "a/gpt-4o")
    assert.strictEqual(sampleModel([vectors])?.id, "a-vectors")
    assert.isUndefined(sampleModel([]))
  })

  it("narrows by vendor and by what models can do", () => {
    assert.deepStrictEqual(idsOf({ vendor: "OpenAI", ability: "reasoning" }), ["d-gpt"])
    assert.deepStrictEqual(idsOf({ ability: "vision" }), ["a/gpt-4o"])
    assert.deepStrictEqual(vendorsOf(models), ["Anthropic", "OpenAI"])
    assert.deepStrictEqual(models.map((model) => abilitiesOf(model).join()), [
      "tools,vision",
      "reasoning",
      "",
      "reasoning"
    ])
  })

  it("goes on after an id, and from the beginning where the id is gone", () => {
    assert.deepStrictEqual(idsOf({ after: "b-claude" }), ["c-plain", "d-gpt"])
    assert.deepStrictEqual(idsOf({ after: "a/gpt-4o", text: "gpt" }), ["d-gpt"])
    assert.deepStrictEqual(idsOf({ after: "gone" }).length, 4)
    assert.deepStrictEqual(idsOf({ after: "d-gpt" }), [])
  })
})
