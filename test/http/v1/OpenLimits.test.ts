import { assert, describe, it } from "@effect/vitest"
import { ApiKeyId } from "../../../src/domain/Ids.ts"
import { OpenLimits } from "../../../src/http/v1/OpenLimits.ts"

const key = ApiKeyId.make(1n)
const other = ApiKeyId.make(2n)

const MAX = 3

describe("OpenLimits", () => {
  it("bounds the calls open with one key, and with no other", () => {
    const limits = new OpenLimits<ApiKeyId>(MAX)
    const entered = Array.from({ length: MAX + 1 }, () => limits.enter(key))
    assert.deepStrictEqual(entered.filter((admitted) => admitted).length, MAX)
    assert.isFalse(entered.at(-1))
    assert.isTrue(limits.enter(other))
    limits.leave(other)
    assert.isFalse(limits.enter(key))
    limits.leave(key)
    assert.deepStrictEqual([limits.enter(key), limits.enter(key)], [true, false])
  })
})
