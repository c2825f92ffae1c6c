import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { PasswordQueue, QUEUED_MAX } from "../../src/identity/PasswordQueue.ts"
import { hashPassword, verifyPassword } from "../../src/identity/Passwords.ts"

const password = Redacted.make("correct horse")

describe("PasswordQueue", () => {
  it.live("hashes and verifies", () =>
    Effect.gen(function*() {
      const queue = yield* PasswordQueue
      assert.isTrue(yield* verifyPassword(password, yield* queue.hash(password)))
      const phc = yield* hashPassword(password)
      assert.isTrue(yield* queue.verify(password, phc))
      assert.isFalse(yield* queue.verify(Redacted.make("wrong"), phc))
    }).pipe(Effect.provide(PasswordQueue.layer)))

  it.live("takes so many and refuses the rest at once, then takes more", () =>
    Effect.gen(function*() {
      const queue = yield* PasswordQueue
      const fibers = yield* Effect.forEach(
        Array.from({ length: QUEUED_MAX }),
        () => Effect.forkChild(queue.hash(password), { startImmediately: true })
      )
      const error = yield* Effect.flip(queue.hash(password))
      assert.strictEqual(error._tag, "TooBusy")
      assert.isTrue(
        fibers.every((fiber) => fiber.pollUnsafe() === undefined),
        "it waited for others before it refused"
      )
      // Those who wait no longer make room at once, those whose work has begun when it is done.
      yield* Fiber.interruptAll(fibers)
      assert.isString(yield* queue.hash(password))
    }).pipe(Effect.provide(PasswordQueue.layer)))
})
