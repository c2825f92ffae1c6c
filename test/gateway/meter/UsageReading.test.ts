import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { ReportedUsage } from "../../../src/gateway/meter/Reported.ts"
import { usageCountOf, usageNames } from "../../../src/gateway/meter/UsageNames.ts"
import { readUsage } from "../../../src/gateway/meter/UsageReading.ts"
import { tokenCount, UsageTally } from "../../../src/gateway/meter/UsageTally.ts"

type Read = readonly [
  uncached: number | undefined,
  cached: number | undefined,
  written: number | undefined,
  output: number | undefined,
  outside: number,
  unexplained: number
]
const read = (usage: ReportedUsage): Read => [
  usage.input?.uncached,
  usage.input?.cached,
  usage.input?.written,
  usage.output,
  usage.reasoningOutside,
  usage.unexplained
]
const none = undefined

const counts = (input?: unknown, output?: unknown, total?: unknown, extra?: object) => ({
  ...(input === undefined ? {} : { prompt_tokens: input }),
  ...(output === undefined ? {} : { completion_tokens: output }),
  ...(total === undefined ? {} : { total_tokens: total }),
  ...extra
})
const cached = (tokens: unknown, written?: unknown) => ({
  prompt_tokens_details: { cached_tokens: tokens, ...(written === undefined ? {} : { cache_write_tokens: written }) }
})
const reasoning = (tokens: unknown) => ({ completion_tokens_details: { reasoning_tokens: tokens } })

describe("readUsage", () => {
  it.each<[string, object, Read]>([
    ["plain", counts(10, 5, 15), [10, 0, 0, 5, 0, 0]],
    ["no total", counts(10, 5), [10, 0, 0, 5, 0, 0]],
    ["explicit zero", counts(0, 0, 0), [0, 0, 0, 0, 0, 0]],
    ["cache inside", counts(10, 5, 15, cached(4)), [6, 4, 0, 5, 0, 0]],
    ["all cached", counts(10, 5, 15, cached(10)), [0, 10, 0, 5, 0, 0]],
    ["reads and writes inside", counts(10, 5, 15, cached(4, 3)), [3, 4, 3, 5, 0, 0]],
    ["cache outside, by the total", counts(10, 5, 19, cached(4)), [10, 4, 0, 5, 0, 0]],
    ["reads and writes outside, by the total", counts(10, 5, 22, cached(4, 3)), [10, 4, 3, 5, 0, 0]],
    ["reasoning inside", counts(10, 5, 15, reasoning(4)), [10, 0, 0, 5, 0, 0]],
    ["reasoning outside, by the total", counts(10, 5, 19, reasoning(4)), [10, 0, 0, 5, 4, 0]],
    ["both outside", counts(10, 5, 21, { ...cached(2), ...reasoning(4) }), [10, 2, 0, 5, 4, 0]],
    ["reasoning outside rather than cache", counts(10, 5, 19, { ...cached(4), ...reasoning(4) }), [6, 4, 0, 5, 4, 0]],
    ["cache above the prompt, no total", counts(10, 5, none, cached(11)), [10, 11, 0, 5, 0, 0]],
    ["reads and writes above the prompt together", counts(10, 5, none, cached(8, 3)), [10, 8, 3, 5, 0, 0]],
    ["cache below the prompt, no total", counts(10, 5, none, cached(9)), [1, 9, 0, 5, 0, 0]],
    ["cache that cannot be inside, whatever the total", counts(10, 5, 15, cached(100)), [10, 100, 0, 5, 0, 0]],
    ["reasoning above the completion, no total", counts(10, 5, none, reasoning(6)), [10, 0, 0, 5, 6, 0]],
    ["reasoning above the completion, and a total that it is not in", counts(10, 5, 15, reasoning(6)), [
      10,
      0,
      0,
      5,
      0,
      0
    ]],
    ["more in the total than in the parts", counts(10, 5, 40), [10, 0, 0, 5, 0, 25]],
    ["the same with a cache inside", counts(10, 5, 40, cached(4)), [6, 4, 0, 5, 0, 25]],
    ["less in the total", counts(10, 5, 12), [10, 0, 0, 5, 0, 0]],
    ["a total of zero", counts(10, 5, 0), [10, 0, 0, 5, 0, 0]],
    ["a tool-use prompt explains the total", counts(10, 5, 18, { toolUsePromptTokenCount: 3 }), [13, 0, 0, 5, 0, 0]],
    ["it explains a part of it", counts(10, 5, 20, { toolUsePromptTokenCount: 3 }), [13, 0, 0, 5, 0, 2]],
    ["it is inside when the total says so", counts(10, 5, 15, { toolUsePromptTokenCount: 3 }), [10, 0, 0, 5, 0, 0]],
    ["it counts for nothing without a total", counts(10, 5, none, { toolUsePromptTokenCount: 3 }), [10, 0, 0, 5, 0, 0]],
    ["a prompt of zero, by the total", counts(0, 5, 30), [25, 0, 0, 5, 0, 0]],
    [
      "a prompt of zero, by the total, with a cache and reasoning",
      counts(0, 5, 30, { ...cached(4), ...reasoning(3) }),
      [
        21,
        4,
        0,
        5,
        0,
        0
      ]
    ],
    ["zeros with a total", counts(0, 0, 30), [none, none, none, none, 0, 0]],
    ["output missing", counts(10), [10, 0, 0, none, 0, 0]],
    ["output missing, with a total", counts(10, none, 30), [10, 0, 0, 20, 0, 0]],
    ["output missing, with a total that is less", counts(10, none, 9), [10, 0, 0, none, 0, 0]],
    ["input missing", counts(none, 5), [none, none, none, 5, 0, 0]],
    ["input missing, with a total", counts(none, 5, 30, cached(4)), [21, 4, 0, 5, 0, 0]],
    ["a total alone", counts(none, none, 30), [none, none, none, none, 0, 0]],
    ["a cache alone", cached(4), [none, none, none, none, 0, 0]],
    ["misses of a cache instead of a prompt", {
      prompt_cache_hit_tokens: 4,
      prompt_cache_miss_tokens: 6,
      completion_tokens: 5
    }, [6, 4, 0, 5, 0, 0]],
    [
      "writes by their time to live",
      counts(10, 5, 15, {
        cache_creation: { ephemeral_5m_input_tokens: 2, ephemeral_1h_input_tokens: 1 }
      }),
      [7, 0, 3, 5, 0, 0]
    ],
    ["names of both dialects", { input_tokens: 10, output_tokens: 5, prompt_tokens: 12 }, [12, 0, 0, 5, 0, 0]],
    ["null details", counts(10, 5, 15, { prompt_tokens_details: null, completion_tokens_details: null }), [
      10,
      0,
      0,
      5,
      0,
      0
    ]],
    ["text", counts("10", " 5", "15", cached("4")), [6, 4, 0, 5, 0, 0]],
    ["nonsense in one count", counts(10, -5, none), [10, 0, 0, none, 0, 0]],
    ["nonsense under one name", { prompt_tokens: 1.5, input_tokens: 10, completion_tokens: 5 }, [10, 0, 0, 5, 0, 0]],
    ["nonsense of a cache", counts(10, 5, 15, cached(-4)), [10, 0, 0, 5, 0, 0]]
  ])("reads %s", (_, usage, expected) => {
    assert.deepStrictEqual(read(readUsage([usage], "chat")), expected)
    assert.deepStrictEqual(read(readUsage([usage], "responses")), expected)
  })

  it("takes the largest of each count over all objects", () => {
    const objects = [counts(9, 1, 10), counts(9, 5, 14, cached(3)), counts(0, 0, 0), null, "abc", []]
    assert.deepStrictEqual(read(readUsage(objects, "chat")), [6, 3, 0, 5, 0, 0])
    assert.deepStrictEqual(read(readUsage(objects.toReversed(), "chat")), [6, 3, 0, 5, 0, 0])
    assert.deepStrictEqual(read(readUsage([], "chat")), [none, none, none, none, 0, 0])
  })

  it("reads embeddings as input alone", () => {
    assert.deepStrictEqual(read(readUsage([counts(8, none, 8)], "embeddings")), [8, 0, 0, 0, 0, 0])
    assert.deepStrictEqual(read(readUsage([counts(none, none, 8)], "embeddings")), [8, 0, 0, 0, 0, 0])
    assert.deepStrictEqual(read(readUsage([counts(0, 0, 8)], "embeddings")), [8, 0, 0, 0, 0, 0])
    assert.deepStrictEqual(read(readUsage([{}], "embeddings")), [none, none, none, 0, 0, 0])
  })

  const Count = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

  it.prop("gives parts that add up to the total, in each reading", [Count, Count, Count, Count, Count], (
    [plain, read, written, visible, hidden]
  ) => {
    for (const cacheInside of [true, false]) {
      for (const reasoningInside of [true, false]) {
        const total = plain + read + written + visible + hidden
        const usage = readUsage([counts(
          plain + (cacheInside ? read + written : 0),
          visible + (reasoningInside ? hidden : 0),
          total,
          { ...cached(read, written), ...reasoning(hidden) }
        )], "chat")
        const { input } = usage
        const sum = (input?.uncached ?? 0) + (input?.cached ?? 0) + (input?.written ?? 0) + (usage.output ?? 0) +
          usage.reasoningOutside
        assert.strictEqual(sum, total)
        assert.strictEqual(usage.unexplained, 0)
      }
    }
  })

  it.prop("never charges less than the prompt and the completion, nor makes a number of nonsense", [
    Schema.Number,
    Schema.Number,
    Schema.Number,
    Schema.Number,
    Schema.Number
  ], ([input, output, total, read, hidden]) => {
    const usage = readUsage([counts(input, output, total, { ...cached(read), ...reasoning(hidden) })], "chat")
    const parts = [usage.input?.uncached, usage.input?.cached, usage.output, usage.reasoningOutside, usage.unexplained]
    assert.isTrue(parts.every((part) => part === undefined || Number.isInteger(part) && part >= 0))
    const prompt = tokenCount(input)
    if (prompt !== undefined && usage.input !== undefined) {
      assert.isAtLeast(usage.input.uncached + usage.input.cached, prompt)
    }
    assert.isAtLeast(usage.output ?? Infinity, tokenCount(output) ?? 0)
  })
})

describe("tokenCount", () => {
  it.each<[unknown, number | undefined]>([
    [0, 0],
    [12, 12],
    ["12", 12],
    [" +12 ", 12],
    ["12.0", 12],
    [9007199254740992, 9007199254740992],
    [1e300, 1e300],
    [-1, none],
    ["-1", none],
    [1.5, none],
    ["1.5", none],
    ["1e3", none],
    ["abc", none],
    ["", none],
    [NaN, none],
    [Infinity, none],
    ["9".repeat(400), none],
    [true, none],
    [null, none],
    [{}, none],
    [[1], none]
  ])("of %j is %j", (value, tokens) => {
    assert.strictEqual(tokenCount(value), tokens)
  })
})

describe("UsageTally", () => {
  it("says whether a usage covers the output so far", () => {
    const tally = new UsageTally()
    const adds = [counts(9), counts(9, 5), counts(9, 3), counts(9, 5), counts(9, 0), {}, "abc", counts(9, 6)]
    assert.deepStrictEqual(adds.map((usage) => tally.add(usage)), [false, true, false, true, false, false, false, true])
    assert.strictEqual(tally.counts.output, 6)
  })

  it("finds counts in details, but not in lists, and not without end", () => {
    const nest = (depth: number): object => depth === 0 ? { cached_tokens: 7 } : { details: nest(depth - 1) }
    const tally = new UsageTally()
    tally.add(nest(3))
    assert.strictEqual(tally.counts.cached, 7)
    const other = new UsageTally()
    other.add(nest(4))
    other.add({ details: [{ cached_tokens: 7 }] })
    other.add(Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`a${index}`, index])))
    assert.deepStrictEqual(other.counts, {})
  })
})

describe("usage names", () => {
  it("are known in snake case, camel case and with capitals, each for one count", () => {
    assert.strictEqual(usageCountOf("prompt_tokens"), "input")
    assert.strictEqual(usageCountOf("cacheReadInputTokens"), "cached")
    assert.strictEqual(usageCountOf("CompletionTokens"), "output")
    assert.isUndefined(usageCountOf("tokens_cached"))
    assert.isUndefined(usageCountOf("constructor"))
    const all = Object.values(usageNames).flat()
    assert.strictEqual(new Set(all).size, all.length)
  })
})
