/**
 * What a plan that is given is worth: what its strictest limit lets through, and never less than its price.
 */
import { assert, describe, it } from "@effect/vitest"
import {
  countedMicros,
  type PlanAllowance,
  planWorthMicros,
  type PromisedAt,
  promisedMicros,
  timesOf,
  usableMicros
} from "../../src/domain/PlanWorth.ts"
import { unlimited } from "../support/PlanTerms.ts"

const plan = (more: Partial<PlanAllowance>): PlanAllowance => ({
  priceFen: 0n,
  ...unlimited,
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

  it.each<[string, counted: bigint | undefined, Partial<PromisedAt>, bigint | undefined]>([
    ["what its limits let through", 80n, {}, 80n],
    ["less, where calls count more than their price", 81n, { planMultiplier: 2_000_000n }, 40n],
    ["more, where they count less", 80n, { planMultiplier: 300_000n }, 266n],
    ["more, where its group's prices are lower", 80n, { groupMultiplier: 500_000n }, 160n],
    ["at the prices that the buyer is shown", 80n, { groupMultiplier: 500_000n, shownMultiplier: 500_000n }, 80n],
    ["without a limit", undefined, {}, undefined],
    ["without a limit where calls count nothing", 80n, { planMultiplier: 0n }, undefined],
    ["nothing where calls are free anyway", 80n, { shownMultiplier: 0n }, 0n]
  ])("promises buyers %s", (_, counted, more, expected) => {
    const one = { planMultiplier: 1_000_000n, groupMultiplier: 1_000_000n, shownMultiplier: 1_000_000n }
    assert.strictEqual(promisedMicros(counted, { ...one, ...more }), expected)
  })

  it("counts by the strictest of its limits", () => {
    assert.strictEqual(countedMicros(plan({ limit1dMicros: 2n, limit30dMicros: 80n, multiplierMicros: 5n })), 60n)
    assert.strictEqual(countedMicros(plan({})), undefined)
  })

  it("is said in times of what the same money buys, never rounded up", () => {
    assert.deepStrictEqual(
      ([[80n, 1n], [80n, 7n], [20n, 10n], [11n, 10n], [10n, 10n], [5n, 10n], [5n, 0n]] as const).map(([micros, of]) =>
        timesOf(micros, of)
      ),
      ["80", "11.4", "2", "1.1", undefined, undefined, undefined]
    )
  })
})
