import { assert, describe, it } from "@effect/vitest"
import {
  isListed,
  type MappedFilter,
  type MappedModel,
  mappedModels,
  type ModelChoice,
  servedAfter,
  upstreamModelsIn
} from "../../src/gateway/ModelMapping.ts"

describe("the models of an upstream", () => {
  it("are read in the shapes that there are, and nothing else is", () => {
    const table: ReadonlyArray<readonly [json: unknown, ids: ReadonlyArray<string> | undefined]> = [
      [{ object: "list", data: [{ id: "b" }, { id: "a" }, { id: "b" }] }, ["a", "b"]],
      [{ models: [{ name: "models/gemini-2.5-pro" }, { name: "llama3:8b" }] }, ["gemini-2.5-pro", "llama3:8b"]],
      [{ models: [{ model: "x" }] }, ["x"]],
      [["a", "b"], ["a", "b"]],
      [{ data: [] }, []],
      [{ data: [{ id: "a b" }, { id: 7 }, null, { id: "" }, { id: "x".repeat(201) }, { id: "ok" }] }, ["ok"]],
      [{ error: {} }, undefined],
      ["text", undefined],
      [null, undefined],
      [{ data: {} }, undefined]
    ]
    for (const [json, ids] of table) assert.deepStrictEqual(upstreamModelsIn(json), ids, JSON.stringify(json))
    assert.lengthOf(upstreamModelsIn(Array.from({ length: 6_000 }, (_, at) => `m${at}`)) ?? [], 5_000)
  })

  it("are served under the name that they have, else one that is known, else one that has a price", () => {
    const mapped = mappedModels(["served", "openai/known", "openai/offered", "x/y", "known"], {
      served: { ours: "served" },
      known: new Set(["ours", "known"]),
      offered: new Set(["offered"])
    })
    assert.deepStrictEqual(mapped, [
      { upstream: "served", model: "ours", isServed: true, state: "known" },
      { upstream: "openai/known", model: "known", isServed: false, state: "known" },
      { upstream: "openai/offered", model: "offered", isServed: false, state: "offered" },
      { upstream: "x/y", model: "x/y", isServed: false, state: "unknown" },
      { upstream: "known", model: "known", isServed: false, state: "known" }
    ])
  })

  it("are listed by a part of the name, by whether they are served or new, and from a name on", () => {
    const models: ReadonlyArray<MappedModel> = [
      { upstream: "a-Known", model: "a", isServed: false, state: "known" },
      { upstream: "b-new", model: "b", isServed: false, state: "offered" },
      { upstream: "c-served", model: "c", isServed: true, state: "known" }
    ]
    const table: ReadonlyArray<readonly [filter: MappedFilter, names: string]> = [
      [{}, "a-Known b-new c-served"],
      [{ state: "served" }, "c-served"],
      [{ state: "unserved" }, "a-Known b-new"],
      [{ state: "new" }, "b-new"],
      [{ text: "kNOWN" }, "a-Known"],
      [{ after: "a-Known" }, "b-new c-served"],
      [{ after: "a-Known", state: "served", text: "x" }, ""]
    ]
    for (const [filter, names] of table) {
      const found = models.filter((model) => isListed(model, filter))
      assert.strictEqual(found.map(({ upstream }) => upstream).join(" "), names, JSON.stringify(filter))
    }
  })

  it("are served as they are chosen, and what was not looked at stays", () => {
    const served = { a: "A", b: "B", b2: "B", c: "C" }
    const table: ReadonlyArray<
      readonly [choices: ReadonlyArray<ModelChoice>, models: Readonly<Record<string, string>> | string]
    > = [
      [[], served],
      [[{ upstream: "A", model: null }], { b: "B", b2: "B", c: "C" }],
      [[{ upstream: "A", model: "renamed" }], { renamed: "A", b: "B", b2: "B", c: "C" }],
      [[{ upstream: "D", model: "d" }], { ...served, d: "D" }],
      [[{ upstream: "B", model: null }], { a: "A", c: "C" }],
      [[{ upstream: "B", model: "b2" }], served],
      [[{ upstream: "A", model: "b" }], "b"],
      [[{ upstream: "D", model: "d" }, { upstream: "E", model: "d" }], "d"],
      // Two that change their names with each other.
      [[{ upstream: "A", model: "c" }, { upstream: "C", model: "a" }], "c"]
    ]
    for (const [choices, wanted] of table) {
      assert.deepStrictEqual(
        servedAfter(served, choices),
        typeof wanted === "string" ? { twice: wanted } : { models: wanted },
        JSON.stringify(choices)
      )
    }
  })
})
