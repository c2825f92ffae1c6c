/**
 * A thread is asked one thing after the other, also when callers go away meanwhile.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { makeWorkerThread } from "../../src/platform/WorkerThread.ts"
import type { GatedOrder } from "../support/GatedWorker.ts"

const makeGate = () => new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

const open = (gate: Int32Array): void => {
  Atomics.store(gate, 0, 1)
  Atomics.notify(gate, 0)
}

const makeThread = makeWorkerThread<GatedOrder, string>({
  url: new URL("../support/GatedWorker.ts", import.meta.url),
  answerMsMax: 20_000
})

/** An order that notes when it is given to the thread. */
const noted = (name: string, gate: Int32Array, given: Array<string>): GatedOrder => ({
  gate,
  get name() {
    given.push(name)
    return name
  }
})

/** What could go on by now has gone on. */
const turnOfLoop = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const starting = { startImmediately: true }

describe("WorkerThread", () => {
  it.live("keeps the turn of one who has gone away until the thread is done, and gives it to the next one who is there", () =>
    Effect.gen(function*() {
      const thread = yield* makeThread
      const gate = makeGate()
      const given: Array<string> = []
      const first = yield* Effect.forkChild(thread.ask(noted("first", gate, given)), starting)
      const leaving = yield* Effect.forkChild(thread.ask(noted("leaving", gate, given)), starting)
      const next = yield* Effect.forkChild(thread.ask(noted("next", gate, given)), starting)
      yield* Fiber.interrupt(first)
      yield* Fiber.interrupt(leaving)
      yield* turnOfLoop
      assert.deepStrictEqual(given, ["first"])
      open(gate)
      assert.strictEqual(yield* Fiber.join(next), "next")
      assert.deepStrictEqual(given, ["first", "next"])
    }).pipe(Effect.scoped))
})
