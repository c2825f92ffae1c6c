import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { DATABASE_WAIT_MS_MAX, withinDatabaseWait } from "../../src/postgres/DatabaseUnavailable.ts"

/** A query that never answers, and is over only when `ended` says so. */
const slowToEnd = Effect.map(Deferred.make<void>(), (ended) => {
  let interrupted = false
  const query = Effect.onInterrupt(Effect.never, () => {
    interrupted = true
    return Deferred.await(ended)
  })
  return { ended, query, isInterrupted: () => interrupted }
})

describe("withinDatabaseWait", () => {
  it.effect("answers what the query answers", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* withinDatabaseWait(Effect.succeed(1)), 1)
      assert.strictEqual(yield* Effect.flip(withinDatabaseWait(Effect.fail("refused"))), "refused")
    }))

  it.effect("fails after two seconds, also when the query takes longer to be ended", () =>
    Effect.gen(function*() {
      const { ended, isInterrupted, query } = yield* slowToEnd
      const waiter = yield* Effect.forkChild(Effect.flip(withinDatabaseWait(query)), { startImmediately: true })
      yield* TestClock.adjust(DATABASE_WAIT_MS_MAX - 1)
      assert.isUndefined(waiter.pollUnsafe())
      yield* TestClock.adjust(1)
      const error = yield* Fiber.join(waiter)
      assert.strictEqual(error._tag, "DatabaseUnavailable")
      assert.strictEqual(error.message, "the database did not answer: no answer within 2000 ms")
      assert.isTrue(isInterrupted())
      yield* Deferred.succeed(ended, undefined)
    }))

  it.effect("ends the query when its waiter is interrupted, and does not wait for that", () =>
    Effect.gen(function*() {
      const { ended, isInterrupted, query } = yield* slowToEnd
      const waiter = yield* Effect.forkChild(withinDatabaseWait(query), { startImmediately: true })
      yield* Fiber.interrupt(waiter)
      assert.isTrue(isInterrupted())
      yield* Deferred.succeed(ended, undefined)
    }))
})
