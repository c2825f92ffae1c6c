/**
 * Waits that share a timer: each ends at its time, none that was given up ends, and none is forgotten.
 */
import { assert, describe, it } from "@effect/vitest"
import { afterEach, beforeEach, vi } from "vitest"
import { deadlineIn } from "../../src/platform/Deadline.ts"

describe("deadlineIn", () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it("calls back once, no sooner than its time, in the order in which the waits began", () => {
    const passed: Array<string> = []
    deadlineIn(100, () => passed.push("first"))
    vi.advanceTimersByTime(60)
    deadlineIn(100, () => passed.push("second"))
    deadlineIn(50, () => passed.push("short"))
    vi.advanceTimersByTime(39)
    assert.deepStrictEqual(passed, [])
    vi.advanceTimersByTime(1)
    assert.deepStrictEqual(passed, ["first"])
    vi.advanceTimersByTime(10)
    assert.deepStrictEqual(passed, ["first", "short"])
    vi.advanceTimersByTime(1_000)
    assert.deepStrictEqual(passed, ["first", "short", "second"])
  })

  it("never calls back for a wait that was given up, and for the others all the same", () => {
    const passed: Array<string> = []
    const first = deadlineIn(100, () => passed.push("first"))
    deadlineIn(100, () => passed.push("second"))
    const third = deadlineIn(100, () => passed.push("third"))
    first.cancel()
    first.cancel()
    third.cancel()
    vi.advanceTimersByTime(100)
    assert.deepStrictEqual(passed, ["second"])
    third.cancel()
    deadlineIn(100, () => passed.push("later"))
    vi.advanceTimersByTime(100)
    assert.deepStrictEqual(passed, ["second", "later"])
  })

  it("calls back the next wait at once when the one before it has taken long", () => {
    const passed: Array<string> = []
    let slowMs = 0
    const now = performance.now.bind(performance)
    vi.spyOn(performance, "now").mockImplementation(() => now() + slowMs)
    deadlineIn(50, () => {
      passed.push("slow")
      slowMs = 120
    })
    vi.advanceTimersByTime(40)
    deadlineIn(50, () => passed.push("next"))
    vi.advanceTimersByTime(10)
    assert.deepStrictEqual(passed, ["slow"])
    vi.advanceTimersByTime(1)
    assert.deepStrictEqual(passed, ["slow", "next"])
    vi.restoreAllMocks()
  })

  it("never calls back for a wait without an end", () => {
    const passed: Array<string> = []
    deadlineIn(Infinity, () => passed.push("never")).cancel()
    deadlineIn(Infinity, () => passed.push("never"))
    vi.advanceTimersByTime(3_000_000_000)
    assert.deepStrictEqual(passed, [])
  })

  it("takes waits that begin, and gives up those that end, when one has passed", () => {
    const passed: Array<string> = []
    deadlineIn(100, () => {
      passed.push("first")
      sibling.cancel()
      deadlineIn(100, () => passed.push("next"))
    })
    const sibling = deadlineIn(100, () => passed.push("sibling"))
    vi.advanceTimersByTime(100)
    assert.deepStrictEqual(passed, ["first"])
    vi.advanceTimersByTime(100)
    assert.deepStrictEqual(passed, ["first", "next"])
  })
})
