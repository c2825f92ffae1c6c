import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Dialect } from "../../src/gateway/CallRequest.ts"
import { normaliseUsage, REPORTED_TOKENS_MAX } from "../../src/gateway/UpstreamUsage.ts"

const chat = (prompt: unknown, completion: unknown, details?: object, extra?: object) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  ...(details === undefined ? {} : { prompt_tokens_details: details }),
  ...extra
})

type Buckets = readonly [input: number, cached: number, written: number, output: number, flagged: boolean]

describe("normaliseUsage", () => {
  it.each<[string, Dialect, unknown, Buckets | undefined]>([
    ["plain", "chat", chat(10, 5), [10, 0, 0, 5, false]],
    ["explicit zero", "chat", chat(0, 0), [0, 0, 0, 0, false]],
    ["cached", "chat", chat(10, 5, { cached_tokens: 4 }), [6, 4, 0, 5, false]],
    ["all cached", "chat", chat(10, 5, { cached_tokens: 10 }), [0, 10, 0, 5, false]],
    ["cached above the prompt", "chat", chat(10, 5, { cached_tokens: 11 }), [0, 10, 0, 5, true]],
    ["cache writes", "chat", chat(10, 5, { cached_tokens: 4, cache_write_tokens: 3 }), [3, 4, 3, 5, false]],
    ["cache writes above the rest", "chat", chat(10, 5, { cached_tokens: 8, cache_write_tokens: 3 }), [
      0,
      8,
      2,
      5,
      true
    ]],
    ["cache creation", "chat", chat(10, 5, undefined, { cache_creation_input_tokens: 3 }), [7, 0, 3, 5, false]],
    ["DeepSeek", "chat", chat(10, 5, undefined, { prompt_cache_hit_tokens: 4 }), [6, 4, 0, 5, false]],
    [
      "reasoning is part of output",
      "chat",
      chat(1, 9, undefined, { completion_tokens_details: { reasoning_tokens: 8 } }),
      [1, 0, 0, 9, false]
    ],
    ["null details", "chat", chat(1, 2, undefined, { prompt_tokens_details: null }), [1, 0, 0, 2, false]],
    ["negative", "chat", chat(-1, -5), [0, 0, 0, 0, true]],
    ["negative cached", "chat", chat(10, 5, { cached_tokens: -4 }), [10, 0, 0, 5, true]],
    ["fraction", "chat", chat(1.5, 2), [2, 0, 0, 2, true]],
    ["string", "chat", chat("10", "x"), [10, 0, 0, 0, true]],
    ["NaN", "chat", chat(NaN, 1), [0, 0, 0, 1, true]],
    ["huge", "chat", chat(1, 1e300), [1, 0, 0, REPORTED_TOKENS_MAX, true]],
    ["responses", "responses", { input_tokens: 10, output_tokens: 5, input_tokens_details: { cached_tokens: 4 } }, [
      6,
      4,
      0,
      5,
      false
    ]],
    ["chat names in a response", "responses", chat(10, 5), [10, 0, 0, 5, false]],
    ["response names in chat", "chat", { input_tokens: 10, output_tokens: 5 }, [10, 0, 0, 5, false]],
    ["empty", "chat", {}, undefined],
    ["null", "chat", null, undefined],
    ["array", "chat", [], undefined],
    ["half", "chat", { prompt_tokens: 10 }, undefined],
    ["null count", "chat", chat(10, null), undefined]
  ])("%s", (_, dialect, json, expected) => {
    const usage = normaliseUsage(json, dialect)
    assert.deepStrictEqual(
      usage && [usage.inputTokens, usage.cachedInputTokens, usage.cacheWriteTokens, usage.outputTokens, usage.flagged],
      expected && [...expected]
    )
  })

  it.prop(
    "gives disjoint counts that add up to the prompt",
    [Schema.Number, Schema.Number, Schema.Number, Schema.Number],
    ([prompt, completion, cached, written]) => {
      const usage = normaliseUsage(
        chat(prompt, completion, { cached_tokens: cached, cache_write_tokens: written }),
        "chat"
      )
      assert.isDefined(usage)
      const counts = [usage.inputTokens, usage.cachedInputTokens, usage.cacheWriteTokens, usage.outputTokens]
      assert.isTrue(counts.every((count) => Number.isInteger(count) && count >= 0 && count <= REPORTED_TOKENS_MAX))
      const input = usage.inputTokens + usage.cachedInputTokens + usage.cacheWriteTokens
      if (!usage.flagged) assert.strictEqual(input, prompt)
      assert.isAtMost(input, REPORTED_TOKENS_MAX)
    }
  )
})
