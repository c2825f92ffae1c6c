import { assert, describe, it } from "@effect/vitest"
import { costUs, MINUTE_US, rateState, waitMs } from "../../src/accounts/CallRates.ts"

const NOW_US = 1_800_000_000_000_000

describe("A rate", () => {
  it("has room in one moment for as many calls as its limit, whatever a minute divided by it is", () => {
    for (const limit of [1, 2, 3, 6, 7, 11, 13, 59, 61, 997, 1_000, 7_001, 7_745]) {
      let fullUs = 0
      let held = 0
      while (waitMs(fullUs, costUs(1, limit), NOW_US) === 0) {
        fullUs = Math.max(fullUs, NOW_US) + costUs(1, limit)
        held++
        assert.strictEqual(rateState(fullUs, limit, NOW_US).remaining, limit - held, `${limit}`)
      }
      assert.strictEqual(held, limit)
    }
  })

  it("has room for parts that are all of its limit together", () => {
    const fullUs = [30_000, 30_000, 9_999, 1].reduce((full, tokens) => {
      assert.strictEqual(waitMs(full, costUs(tokens, 70_000), NOW_US), 0)
      return Math.max(full, NOW_US) + costUs(tokens, 70_000)
    }, 0)
    assert.isAbove(waitMs(fullUs, costUs(10, 70_000), NOW_US), 0)
    assert.strictEqual(costUs(0, 7), 0)
    assert.strictEqual(costUs(1, 1_000_000_000), 1)
    assert.strictEqual(costUs(70_000, 70_000), MINUTE_US)
  })
})
