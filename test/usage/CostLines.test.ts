import { assert, describe, it } from "@effect/vitest"
import { costLines, type UsedOfCall } from "../../src/usage/CostLines.ts"
import { miniPrice } from "../support/MiniPrice.ts"

const call: UsedOfCall = {
  price: miniPrice,
  inputTokens: 22,
  cachedInputTokens: 0,
  cacheWriteTokens: null,
  outputTokens: 20,
  webSearchCalls: null,
  fileSearchCalls: null
}

const shown = (changes: Partial<UsedOfCall>) =>
  costLines({ ...call, ...changes }).map(({ count, name, sum }) => `${name} ${count} ${sum}`)

describe("the lines of a call's cost", () => {
  it("are input and output, and what else was used", () => {
    assert.deepStrictEqual(shown({}), ["input 22 3300000", "output 20 12000000"])
    assert.deepStrictEqual(shown({ cachedInputTokens: 2 }), [
      "input 22 3300000",
      "cachedInput 2 150000",
      "output 20 12000000"
    ])
  })

  it("price cache writes as input where they have no price", () => {
    assert.include(shown({ cacheWriteTokens: 3 }), "cacheWrite 3 450000")
  })

  it("price tools by the call, and as nothing where they have no price", () => {
    assert.include(shown({ webSearchCalls: 2 }), "webSearch 2 20000000000")
    assert.include(shown({ fileSearchCalls: 2 }), "fileSearch 2 0")
  })

  it("are there for a call of which nothing is known yet", () => {
    assert.deepStrictEqual(shown({ inputTokens: null, outputTokens: null }), ["input 0 0", "output 0 0"])
  })
})
