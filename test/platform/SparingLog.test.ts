import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { makeBoundedLog } from "../../src/platform/SparingLog.ts"

describe("a bounded log", () => {
  it.effect("writes so many lines a second, and says how many it left out", () =>
    Effect.gen(function*() {
      const lines: Array<readonly [message: string, facts: unknown]> = []
      let made = 0
      const note = yield* makeBoundedLog((...line) => Effect.sync(() => void lines.push(line)), {
        linesPerSecondMax: 2
      })
      const facts = () => ({ number: ++made })
      yield* TestClock.adjust("1 second")
      for (let count = 0; count < 5; count++) note("call", facts)
      yield* TestClock.adjust("1 second")
      for (let count = 0; count < 2; count++) note("call", facts)
      yield* Effect.yieldNow
      assert.deepStrictEqual(lines, [
        ["call", { number: 1 }],
        ["call", { number: 2 }],
        ["call", { number: 3, left_out: 3 }],
        ["call", { number: 4 }]
      ])
    }))
})
