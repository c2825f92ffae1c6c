/** What charts stack is every moment exactly: the models told apart, and all others as what is left. */
import { assert, describe, it } from "@effect/vitest"
import { stacksOf, unitOf, type UsageSeries } from "../../src/usage/UsageSeries.ts"
import { addSums, noUsage, type UsageSums } from "../../src/usage/UsageSums.ts"

const sums = (calls: number, chargedMicros: bigint): UsageSums => ({ ...noUsage, calls, chargedMicros })

const series: UsageSeries = {
  unit: "day",
  moments: [
    { moment: "2026-11-01", ...sums(5, 50n) },
    { moment: "2026-11-02", ...noUsage },
    { moment: "2026-11-03", ...sums(3, 30n) }
  ],
  cells: [
    { place: 1, model: "a", ...sums(2, 20n) },
    { place: 1, model: "b", ...sums(1, 10n) },
    { place: 3, model: "b", ...sums(3, 30n) }
  ]
}

describe("the stacks of a series", () => {
  it("are in the order of the models, and add up to each moment", () => {
    const stacks = stacksOf(series, ["b", "none", "a"])
    assert.deepStrictEqual(stacks.map(({ model }) => model), ["b", "a", undefined])
    for (const [index, { moment: _, ...whole }] of series.moments.entries()) {
      const together = stacks.reduce((sum, stack) => addSums(sum, stack.sums[index] ?? noUsage), noUsage)
      assert.deepStrictEqual(together, whole)
    }
  })

  it("have no others where there are none", () => {
    const whole = { ...series, moments: series.moments.slice(2), cells: [{ place: 1, model: "b", ...sums(3, 30n) }] }
    assert.deepStrictEqual(stacksOf(whole, ["b"]).map(({ model }) => model), ["b"])
    assert.deepStrictEqual(stacksOf({ ...series, moments: [], cells: [] }, ["b"]), [])
  })

  it("are of hours for up to 49 of them", () => {
    assert.strictEqual(unitOf({ fromMs: 0, toMs: 49 * 3_600_000 }), "hour")
    assert.strictEqual(unitOf({ fromMs: 0, toMs: 50 * 3_600_000 }), "day")
  })
})
