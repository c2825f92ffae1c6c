import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { FairTurns } from "../../src/platform/FairTurns.ts"

describe("FairTurns", () => {
  it.effect("gives one holder its part and leaves the rest to others, in the order of asking", () =>
    Effect.gen(function*() {
      const turns = new FairTurns<string>({ allMax: 3, eachMax: 2 })
      const begun: Array<string> = []
      const hang = (id: string, name: string) =>
        Effect.forkChild(
          turns.run(id, Effect.andThen(Effect.sync(() => begun.push(name)), Effect.never)),
          { startImmediately: true }
        )
      const first = yield* hang("a", "a1")
      for (const name of ["a2", "a3", "a4"]) yield* hang("a", name)
      const other = yield* hang("b", "b1")
      const waiting = yield* hang("b", "b2")
      yield* hang("c", "c1")
      assert.deepStrictEqual(begun, ["a1", "a2", "b1"])
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(other)
      yield* Effect.yieldNow
      assert.deepStrictEqual(begun, ["a1", "a2", "b1", "c1"])
      assert.strictEqual(turns.size, 2)
      yield* Fiber.interrupt(first)
      yield* Effect.yieldNow
      assert.deepStrictEqual(begun, ["a1", "a2", "b1", "c1", "a3"])
    }))

  it.effect("keeps nothing of whom nothing runs or waits", () =>
    Effect.gen(function*() {
      const turns = new FairTurns<string>({ allMax: 3, eachMax: 2 })
      assert.strictEqual(yield* turns.run("a", Effect.succeed(1)), 1)
      yield* Effect.exit(turns.run("a", Effect.fail("failed")))
      assert.strictEqual(turns.size, 0)
    }))
})
