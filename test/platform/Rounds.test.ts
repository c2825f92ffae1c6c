/**
 * Background rounds go on after every kind of failure, and the log says what is new.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Logger } from "effect"
import { TestClock } from "effect/testing"
import { inRounds } from "../../src/platform/Rounds.ts"

const EVERY_MS = 1_000

/** What rounds with these results log, each with its level. */
const logOf = Effect.fnUntraced(function*(results: ReadonlyArray<Effect.Effect<void, string>>) {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    lines.push(`${logLevel} ${Array.isArray(message) ? String(message[0]) : String(message)}`)
  })
  let rounds = 0
  const round = Effect.suspend(() => results[rounds++] ?? Effect.void)
  const fiber = yield* Effect.forkChild(
    inRounds(round, { failure: "no", everyMs: EVERY_MS }).pipe(Effect.provide(Logger.layer([logger])))
  )
  yield* TestClock.adjust(results.length * EVERY_MS)
  yield* Fiber.interrupt(fiber)
  return { lines, rounds }
})

describe("rounds", () => {
  it.effect("go on after a failure, and log it once, and once that they succeed again", () =>
    Effect.gen(function*() {
      const away = Effect.fail("away")
      const { lines, rounds } = yield* logOf([away, away, away, Effect.void, Effect.void, away])
      assert.strictEqual(rounds, 7)
      const told = "Warn no; tried again every 1 seconds"
      assert.deepStrictEqual(lines, [told, "Info it works again", told, "Info it works again"])
    }))

  it.effect("log a defect that comes while they fail already", () =>
    Effect.gen(function*() {
      const dies = Effect.die(new Error("a row"))
      const { lines } = yield* logOf([Effect.fail("away"), dies, dies, Effect.fail("away")])
      assert.deepStrictEqual(lines.map((line) => line.split(" ")[0]), ["Warn", "Error", "Warn", "Info"])
    }))

  it.effect("go on after an interrupt from inside", () =>
    Effect.gen(function*() {
      const { lines, rounds } = yield* logOf([Effect.interrupt, Effect.void, Effect.void])
      assert.strictEqual(rounds, 4)
      assert.strictEqual(lines[0], "Error no; tried again every 1 seconds")
    }))

  it.effect("log a failure that goes on every ten minutes", () =>
    Effect.gen(function*() {
      const { lines } = yield* logOf(Array.from({ length: 1_201 }, () => Effect.fail("away")))
      assert.deepStrictEqual(lines.filter((line) => line.startsWith("Warn")).length, 3)
    }))
})
