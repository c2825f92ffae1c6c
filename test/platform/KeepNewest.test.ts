import { assert, describe, it } from "@effect/vitest"
import { keepNewest } from "../../src/platform/KeepNewest.ts"

describe("keepNewest", () => {
  it("deletes what was set first, and nothing while there is room", () => {
    const kept = new Map([["a", 1], ["b", 2], ["c", 3]])
    keepNewest(kept, 3)
    assert.deepStrictEqual([...kept.keys()], ["a", "b", "c"])
    kept.delete("a")
    kept.set("a", 4)
    keepNewest(kept, 2)
    assert.deepStrictEqual([...kept], [["c", 3], ["a", 4]])
  })
})
