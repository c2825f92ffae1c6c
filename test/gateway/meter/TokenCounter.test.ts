/**
 * The thread that counts tokens: real threads, some of which do not answer or end. Time is the test's, so no count is too slow
 * unless the test says so.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Buffer } from "node:buffer"
import { expectedOutputTokens } from "../../../src/gateway/meter/ExpectedOutput.ts"
import { TextSample } from "../../../src/gateway/meter/TextSample.ts"
import { COUNTED_AT_ONCE_BYTES_MAX, countTokens } from "../../../src/gateway/meter/TokenCount.ts"
import {
  COUNT_AND_WAIT_MS_MAX,
  COUNT_CHARS_MAX,
  COUNT_MS_MAX,
  COUNTS_WAITING_MAX,
  TokenCounter
} from "../../../src/gateway/meter/TokenCounter.ts"

/** A thread that answers its own number, does not answer "hang", and ends at "die". */
const stubborn = TokenCounter.layerFrom(
  new URL(`data:text/javascript,${
    encodeURIComponent(`
      import { parentPort, threadId } from "node:worker_threads"
      parentPort.on("message", ({ id, order }) => {
        if (order[0] === "die") process.exit(1)
        if (order[0] !== "hang") parentPort.postMessage({ id, answer: threadId })
      })`)
  }`)
)
const missing = TokenCounter.layerFrom(new URL("data:text/javascript,throw new Error()"))

const count = (...texts: ReadonlyArray<string>) => Effect.flatMap(TokenCounter, (counter) => counter.count(texts))
const prose = " the quick brown fox jumps over the lazy dog".repeat(5000)

const sampleOf = (text: string) => {
  const sample = new TextSample()
  const raw = Buffer.from(text)
  sample.add(raw, 0, raw.length, raw.length, Math.ceil(raw.length / 3))
  return sample
}

describe("TokenCounter", () => {
  it.effect("counts texts in its thread as they are counted here", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* count(prose), countTokens(prose))
      assert.strictEqual(yield* count("one two", " three", ""), 3)
      assert.strictEqual(yield* count(), 0)
      const many = yield* Effect.forEach(Array.from({ length: 50 }, (_, words) => words), (words) =>
        count(" word".repeat(words)), { concurrency: "unbounded" })
      assert.deepStrictEqual(
        many,
        Array.from({ length: 50 }, (_, words) =>
          words)
      )
    }).pipe(Effect.provide(TokenCounter.layer)))

  it.effect("does not count what is too long, and bounds what waits", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* count("a".repeat(COUNT_CHARS_MAX), "b"))
      const waiting = yield* Effect.forEach(
        Array.from({ length: COUNTS_WAITING_MAX }, () => "hang"),
        (text) => Effect.forkChild(count(text), { startImmediately: true })
      )
      assert.isUndefined(yield* count("one more"))
      yield* Fiber.interruptAll(waiting)
      // The thread still works on the first question, although its caller is gone. The next one waits until that has timed out.
      const next = yield* Effect.forkChild(count("one more"), { startImmediately: true })
      yield* TestClock.adjust(COUNT_MS_MAX)
      assert.isDefined(yield* Fiber.join(next))
    }).pipe(Effect.provide(stubborn)))

  it.effect("replaces a thread that does not answer in time", () =>
    Effect.gen(function*() {
      const first = yield* count("a")
      const hanging = yield* Effect.forkChild(count("hang"), { startImmediately: true })
      const behind = yield* Effect.forkChild(count("b"), { startImmediately: true })
      yield* TestClock.adjust(COUNT_MS_MAX)
      assert.isUndefined(yield* Fiber.join(hanging))
      const second = yield* Fiber.join(behind)
      assert.isDefined(second)
      assert.notStrictEqual(second, first)
    }).pipe(Effect.provide(stubborn)))

  const waits = [
    ["gives up on a count that waited too long for its turn", count],
    ["gives up in time where its caller cannot be interrupted", (text: string) => Effect.uninterruptible(count(text))]
  ] as const
  for (const [title, counting] of waits) {
    it.effect(title, () =>
      Effect.gen(function*() {
        const fibers = yield* Effect.forEach(["hang", "hang", "hang"], (text) =>
          Effect.forkChild(counting(text), { startImmediately: true }))
        yield* TestClock.adjust(COUNT_MS_MAX)
        yield* TestClock.adjust(COUNT_AND_WAIT_MS_MAX - COUNT_MS_MAX)
        for (const fiber of fibers) {
          assert.isUndefined(yield* Fiber.join(fiber))
        }
      }).pipe(Effect.provide(stubborn)))
  }

  it.effect("fails the count of a thread that dies, and starts another", () =>
    Effect.gen(function*() {
      const first = yield* count("a")
      assert.isUndefined(yield* count("die"))
      const second = yield* count("a")
      assert.isDefined(second)
      assert.notStrictEqual(second, first)
    }).pipe(Effect.provide(stubborn)))

  it.effect("answers nothing when the thread cannot start", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* count("a"))
      assert.isUndefined(yield* count("a"))
    }).pipe(Effect.provide(missing)))

  it.effect("ends the thread with its layer, and the counts that wait for it", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(stubborn, scope)
      yield* count("a").pipe(Effect.provideContext(context))
      const hanging = yield* Effect.forkChild(count("hang").pipe(Effect.provideContext(context)), {
        startImmediately: true
      })
      yield* Scope.close(scope, Exit.void)
      assert.isUndefined(yield* Fiber.join(hanging))
    }))
})

describe("expectedOutputTokens", () => {
  it.effect("is the whole count of what is kept whole", () =>
    Effect.gen(function*() {
      const small = " word".repeat(10)
      for (const text of ["", "a", small, " word".repeat(COUNTED_AT_ONCE_BYTES_MAX), prose]) {
        assert.strictEqual(yield* expectedOutputTokens(sampleOf(text)), countTokens(text))
      }
    }).pipe(Effect.provide(TokenCounter.layer)))

  it.effect("is within 10 % for what is sampled", () =>
    Effect.gen(function*() {
      const text = "-".repeat(400_000) + prose.repeat(3)
      const tokens = yield* expectedOutputTokens(sampleOf(text))
      assert.isBelow(Math.abs(tokens - countTokens(text)) / countTokens(text), 0.1)
    }).pipe(Effect.provide(TokenCounter.layer)))

  it.effect("goes by bytes when nothing can be counted", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* expectedOutputTokens(sampleOf("x".repeat(40_000))), 10_000)
      assert.strictEqual(yield* expectedOutputTokens(sampleOf("")), 0)
    }).pipe(Effect.provide(missing)))

  it.effect("is at least one token for half a character", () =>
    Effect.gen(function*() {
      const sample = new TextSample()
      sample.add(Buffer.from("\\ud83d"), 0, 6, 2, 2)
      assert.strictEqual(yield* expectedOutputTokens(sample), 1)
    }).pipe(Effect.provide(TokenCounter.layer)))
})
