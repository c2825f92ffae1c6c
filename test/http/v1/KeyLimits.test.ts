import { assert, describe, it } from "@effect/vitest"
import { KeyLimits } from "../../../src/http/v1/KeyLimits.ts"

const MAX = 3

describe("KeyLimits", () => {
  it("bounds the calls open with one key, and with no other", () => {
    const limits = new KeyLimits(MAX)
    const entered = Array.from({ length: MAX + 1 }, () => limits.enter(1n))
    assert.deepStrictEqual(entered.filter((admitted) => admitted).length, MAX)
    assert.isFalse(entered.at(-1))
    assert.isTrue(limits.enter(2n))
    limits.leave(2n)
    assert.isFalse(limits.enter(1n))
    limits.leave(1n)
    assert.deepStrictEqual([limits.enter(1n), limits.enter(1n)], [true, false])
  })
})
