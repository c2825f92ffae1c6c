/**
 * What a plan that is given is worth: what its strictest limit lets through, and never less than its price.
 */
import { assert, describe, it } from "@effect/vitest"
import { type PlanAllowance, planWorthMicros, usableMicros } from "../../src/domain/PlanWorth.ts"

const plan = (more: Partial<PlanAllowance>): PlanAllowance => ({
  priceFen: 0n,
  durationDays: 30,
  limit5hMicros: 0n,
  limit1dMicros: 0n,
  limit7dMicros: 0n,
  limit30dMicros: 0n,
  multiplierMicros: 1_000_000n,
  ...more
})

describe("the worth of a plan", () => {
  it.each<[string, Partial<PlanAllowance>, bigint | undefined]>([
    ["nothing limits it", {}, undefined],
    ["30 days of one limit", { limit30dMicros: 80n }, 80n],
    ["a month that has begun counts whole", { limit30dMicros: 80n, durationDays: 31 }, 160n],
    ["each day of them", { limit1dMicros: 2n }, 60n],
    ["5 hours, 144 times", { limit5hMicros: 1n }, 144n],
    ["a week that has begun counts whole", { limit7dMicros: 20n }, 100n],
    ["the strictest counts", { limit5hMicros: 6n, limit7dMicros: 20n, limit30dMicros: 80n }, 80n],
    ["a day of 30", { limit30dMicros: 80n, durationDays: 1 }, 80n],
    ["half the price is twice the use", { limit30dMicros: 80n, multiplierMicros: 500_000n }, 160n],
    ["twice the price is no less", { limit30dMicros: 80n, multiplierMicros: 2_000_000n }, 80n],
    ["of no price there is no end", { limit30dMicros: 80n, multiplierMicros: 0n }, undefined]
  ])("%s", (_, more, expected) => {
    assert.strictEqual(usableMicros(plan(more)), expected)
    assert.strictEqual(planWorthMicros(plan(more), 0n), expected)
  })

  it("is its price where calls can use less", () => {
    assert.strictEqual(planWorthMicros(plan({ limit30dMicros: 80n }), 81n), 81n)
    assert.strictEqual(planWorthMicros(plan({ limit30dMicros: 80n }), 79n), 80n)
    assert.strictEqual(planWorthMicros(plan({}), 79n), undefined)
  })
})
