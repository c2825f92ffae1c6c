import { assert, describe, it } from "@effect/vitest"
import { CALLS_PER_KEY_MAX, KeyLimits } from "../../../src/http/v1/KeyLimits.ts"

describe("KeyLimits", () => {
  it("bounds the calls open with one key, and with no other", () => {
    const limits = new KeyLimits()
    const entered = Array.from({ length: CALLS_PER_KEY_MAX + 1 }, () => limits.enter(1n))
    assert.deepStrictEqual(entered.filter((admitted) => admitted).length, CALLS_PER_KEY_MAX)
    assert.isFalse(entered.at(-1))
    assert.isTrue(limits.enter(2n))
    limits.leave(2n)
    assert.isFalse(limits.enter(1n))
    limits.leave(1n)
    assert.deepStrictEqual([limits.enter(1n), limits.enter(1n)], [true, false])
  })
})
