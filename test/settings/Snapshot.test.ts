import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { Notifications, type Subscriber, type Topic } from "../../src/platform/Notifications.ts"
import { makeSnapshot } from "../../src/settings/Snapshot.ts"

/** Notifications that do what the test says. */
const makeWire = () => {
  const subscribers = new Set<Subscriber>()
  let up = true
  const layer = Layer.succeed(Notifications, {
    subscribe: (handler: Subscriber) => Effect.sync(() => void subscribers.add(handler)),
    isUp: () => up
  })
  const say = (topic: Topic) => subscribers.forEach((subscriber) => subscriber.onMessage(topic, ""))
  const setUp = (next: boolean) => {
    up = next
    subscribers.forEach((subscriber) => next ? subscriber.onUp() : subscriber.onDown())
  }
  return { layer, say, setUp }
}

/** A load that counts, each answering its number when the test opens its gate. */
const makeSource = () => {
  const gates: Array<Deferred.Deferred<void, SqlError>> = []
  const load = Effect.suspend(() => {
    const gate = Deferred.makeUnsafe<void, SqlError>()
    const number = gates.push(gate)
    return Effect.as(Deferred.await(gate), number)
  })
  const gate = (number: number) => gates[number - 1] ?? assert.fail(`load ${number} has not started`)
  return { load, loads: () => gates.length, open: (number: number) => Deferred.succeed(gate(number), undefined), gate }
}

const fixture = Effect.gen(function*() {
  const wire = makeWire()
  const source = makeSource()
  const snapshot = yield* makeSnapshot({ topics: ["catalog"], load: source.load }).pipe(Effect.provide(wire.layer))
  const read = Effect.forkChild(snapshot.get, { startImmediately: true })
  return { ...wire, ...source, snapshot, read }
})

const failure = new SqlError({ reason: new ConnectionError({ cause: new Error("gone"), operation: "load" }) })

describe("Snapshot", () => {
  it.effect("is loaded once for all who wait, then is in memory", () =>
    Effect.gen(function*() {
      const { loads, open, read, snapshot } = yield* fixture
      assert.isUndefined(snapshot.cached())
      const readers = [yield* read, yield* read, yield* read]
      yield* open(1)
      assert.deepStrictEqual(yield* Effect.forEach(readers, Fiber.join), [1, 1, 1])
      assert.strictEqual(snapshot.cached(), 1)
      assert.strictEqual(yield* snapshot.get, 1)
      assert.strictEqual(loads(), 1)
    }))

  it.effect("is dropped by a message on its topic, and by no other", () =>
    Effect.gen(function*() {
      const { open, read, say, snapshot } = yield* fixture
      const reader = yield* read
      yield* open(1)
      yield* Fiber.join(reader)
      say("keys")
      assert.strictEqual(snapshot.cached(), 1)
      say("catalog")
      assert.isUndefined(snapshot.cached())
    }))

  it.effect("does not keep what was being loaded when a message came; later readers load again", () =>
    Effect.gen(function*() {
      const { open, read, say, snapshot } = yield* fixture
      const before = yield* read
      say("catalog")
      const after = yield* read
      yield* open(2)
      assert.strictEqual(yield* Fiber.join(after), 2)
      yield* open(1)
      assert.strictEqual(yield* Fiber.join(before), 1)
      assert.strictEqual(snapshot.cached(), 2, "the older answer came last and must not replace the newer")
    }))

  it.effect("is read by everyone for himself while messages may be missed, and not kept", () =>
    Effect.gen(function*() {
      const { loads, open, read, setUp, snapshot } = yield* fixture
      const warm = yield* read
      yield* open(1)
      yield* Fiber.join(warm)
      setUp(false)
      assert.isUndefined(snapshot.cached())
      const readers = [yield* read, yield* read]
      yield* open(2)
      yield* open(3)
      assert.deepStrictEqual(yield* Effect.forEach(readers, Fiber.join), [2, 3])
      setUp(true)
      assert.isUndefined(snapshot.cached())
      const back = yield* read
      assert.strictEqual(loads(), 4)
      yield* open(4)
      assert.strictEqual(yield* Fiber.join(back), 4)
      assert.strictEqual(snapshot.cached(), 4)
    }))

  it.effect("does not keep a load that began while messages were missed", () =>
    Effect.gen(function*() {
      const { open, read, setUp, snapshot } = yield* fixture
      setUp(false)
      const reader = yield* read
      setUp(true)
      yield* open(1)
      assert.strictEqual(yield* Fiber.join(reader), 1)
      assert.isUndefined(snapshot.cached())
    }))

  it.effect("fails for those who waited, and is tried again by the next", () =>
    Effect.gen(function*() {
      const { gate, open, read, snapshot } = yield* fixture
      const reader = yield* read
      yield* Deferred.fail(gate(1), failure)
      assert.strictEqual((yield* Effect.flip(Fiber.join(reader)))._tag, "DatabaseUnavailable")
      assert.isUndefined(snapshot.cached())
      const next = yield* read
      yield* open(2)
      assert.strictEqual(yield* Fiber.join(next), 2)
    }))

  it.effect("goes on loading when the reader that was first stops waiting", () =>
    Effect.gen(function*() {
      const { open, read } = yield* fixture
      const [first, second] = [yield* read, yield* read]
      yield* Fiber.interrupt(first)
      yield* open(1)
      assert.strictEqual(yield* Fiber.join(second), 1)
    }))
})
