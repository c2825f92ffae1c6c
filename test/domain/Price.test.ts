import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { divideUp } from "../../src/domain/Money.ts"
import {
  costMicros,
  costNumerator,
  inputTokenBound,
  isFree,
  MULTIPLIER_ONE,
  type PriceSnapshot,
  type TokenUsage,
  zeroUsage
} from "../../src/domain/Price.ts"

const price: PriceSnapshot = {
  inputMicrosPer1m: 150_000n,
  cachedInputMicrosPer1m: 75_000n,
  cacheWriteMicrosPer1m: 187_500n,
  outputMicrosPer1m: 600_000n
}
const free: PriceSnapshot = {
  inputMicrosPer1m: 0n,
  cachedInputMicrosPer1m: 0n,
  cacheWriteMicrosPer1m: null,
  outputMicrosPer1m: 0n
}

const use = (input: number, cached: number, write: number, output: number): TokenUsage => ({
  inputTokens: input,
  cachedInputTokens: cached,
  cacheWriteTokens: write,
  outputTokens: output
})

const cost = (
  snapshot: PriceSnapshot,
  usage: TokenUsage,
  billingMultiplier: bigint = MULTIPLIER_ONE,
  planMultiplier: bigint = MULTIPLIER_ONE,
  groupMultiplier: bigint = MULTIPLIER_ONE
): bigint => costMicros(costNumerator(snapshot, usage), { billingMultiplier, planMultiplier, groupMultiplier })

const times = (multiplier: bigint, groupMultiplier: bigint = MULTIPLIER_ONE) => ({
  billingMultiplier: multiplier,
  planMultiplier: multiplier,
  groupMultiplier
})

describe("costMicros", () => {
  const half = MULTIPLIER_ONE / 2n
  const cases: ReadonlyArray<readonly [what: string, actual: bigint, expected: bigint]> = [
    ["nothing used", cost(price, zeroUsage), 0n],
    ["a million input", cost(price, use(1_000_000, 0, 0, 0)), 150_000n],
    ["a million cached", cost(price, use(0, 1_000_000, 0, 0)), 75_000n],
    ["a million written to the cache", cost(price, use(0, 0, 1_000_000, 0)), 187_500n],
    ["a million output", cost(price, use(0, 0, 0, 1_000_000)), 600_000n],
    ["one cheap token rounds up to a micro", cost(price, use(1, 0, 0, 0)), 1n],
    ["0.15 + 0.075 + 0.1875 + 0.6 = 1.0125 is 2, not 4", cost(price, use(1, 1, 1, 1)), 2n],
    ["0.15 × 2 + 0.6 = 0.9 is 1, not 2", cost(price, use(2, 0, 0, 1)), 1n],
    ["an exact micro is not raised", cost(price, use(20, 0, 0, 0)), 3n],
    ["without a cache write price it is input", cost({ ...price, cacheWriteMicrosPer1m: null }, use(0, 0, 20, 0)), 3n],
    ["a cache write price of 0 is 0", cost({ ...price, cacheWriteMicrosPer1m: 0n }, use(0, 0, 20, 0)), 0n],
    ["a free model", cost(free, use(9, 9, 9, 9)), 0n],
    ["a multiplier of 0", cost(price, use(9, 9, 9, 9), 0n), 0n],
    ["a plan multiplier of 0", cost(price, use(9, 9, 9, 9), MULTIPLIER_ONE, 0n), 0n],
    ["half price", cost(price, use(1_000_000, 0, 0, 0), half), 75_000n],
    ["half of half", cost(price, use(1_000_000, 0, 0, 0), half, half), 37_500n],
    ["a group multiplier of 0", cost(price, use(9, 9, 9, 9), MULTIPLIER_ONE, MULTIPLIER_ONE, 0n), 0n],
    ["half of half for half", cost(price, use(1_000_000, 0, 0, 0), half, half, half), 18_750n],
    // 0.15 × 2 × 2 = 0.6; rounded before the multipliers it would be 4, between them 2.
    ["rounded once behind the multipliers", costMicros(150_000n, times(2n * MULTIPLIER_ONE)), 1n],
    ["the smallest fraction counts", costMicros(1n, times(1n)), 1n],
    [
      "beyond 2^53",
      costMicros(9_007_199_254_740_993n * 1_000_000n, times(MULTIPLIER_ONE)),
      9_007_199_254_740_993n
    ]
  ]
  for (const [what, actual, expected] of cases) it(what, () => assert.strictEqual(actual, expected))
})

const Tokens = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000_000 }))
const Rate = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 1_000_000_000n }))
const Snapshot = Schema.Struct({
  inputMicrosPer1m: Rate,
  cachedInputMicrosPer1m: Rate,
  cacheWriteMicrosPer1m: Schema.NullOr(Rate),
  outputMicrosPer1m: Rate
})
const Usage = Schema.Struct({
  inputTokens: Tokens,
  cachedInputTokens: Tokens,
  cacheWriteTokens: Tokens,
  outputTokens: Tokens
})

describe("prices", () => {
  it.prop("the cost is the least whole micro that covers the exact cost", {
    numerator: Rate,
    billing: Rate,
    plan: Rate,
    group: Rate
  }, ({ billing, group, numerator, plan }) => {
    const micros = costMicros(numerator, {
      billingMultiplier: billing,
      planMultiplier: plan,
      groupMultiplier: group
    })
    const exact = numerator * billing * plan * group
    const scale = 10n ** 24n
    return micros * scale >= exact && (micros === 0n ? exact === 0n : (micros - 1n) * scale < exact)
  })

  it.prop(
    "the short way for multipliers of 1 is the long way",
    { numerator: Rate },
    ({ numerator }) => costMicros(numerator, times(MULTIPLIER_ONE)) === divideUp(numerator, 1_000_000n)
  )

  it.prop("more usage never costs less, and halves never cost less than the whole", {
    snapshot: Snapshot,
    one: Usage,
    two: Usage
  }, ({ one, snapshot, two }) => {
    const both = cost(snapshot, {
      inputTokens: one.inputTokens + two.inputTokens,
      cachedInputTokens: one.cachedInputTokens + two.cachedInputTokens,
      cacheWriteTokens: one.cacheWriteTokens + two.cacheWriteTokens,
      outputTokens: one.outputTokens + two.outputTokens
    })
    const apart = cost(snapshot, one) + cost(snapshot, two)
    return both >= cost(snapshot, one) && both >= cost(snapshot, two) && both <= apart && apart - both <= 1n
  })

  it.prop("an input token costs no more than its bound, whichever bucket it falls into", {
    snapshot: Snapshot,
    usage: Usage
  }, ({ snapshot, usage }) => {
    const input = { ...usage, outputTokens: 0 }
    const tokens = BigInt(input.inputTokens + input.cachedInputTokens + input.cacheWriteTokens)
    return costNumerator(snapshot, input) <= tokens * inputTokenBound(snapshot)
  })
})

describe("isFree", () => {
  it("is true where no token costs anything at any length, whatever tools cost", () => {
    const free = {
      inputMicrosPer1m: 0n,
      cachedInputMicrosPer1m: 0n,
      cacheWriteMicrosPer1m: null,
      outputMicrosPer1m: 0n
    }
    const tier = { ...free, aboveInputTokens: 5 }
    const table: ReadonlyArray<readonly [price: PriceSnapshot, expected: boolean]> = [
      [free, true],
      [{ ...free, cacheWriteMicrosPer1m: 0n }, true],
      [{ ...free, inputMicrosPer1m: 1n }, false],
      [{ ...free, cachedInputMicrosPer1m: 1n }, false],
      [{ ...free, cacheWriteMicrosPer1m: 1n }, false],
      [{ ...free, outputMicrosPer1m: 1n }, false],
      [{ ...free, tiers: [tier] }, true],
      [{ ...free, tiers: [tier, { ...tier, aboveInputTokens: 9, outputMicrosPer1m: 1n }] }, false],
      [{ ...free, tools: { webSearchMicros: 7n, fileSearchMicros: null } }, true]
    ]
    for (const [price, expected] of table) assert.strictEqual(isFree(price), expected)
  })
})
