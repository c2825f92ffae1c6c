import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { UserId } from "../../src/domain/Ids.ts"
import { QUEUE_MAX, QUEUE_PER_USER_MAX, type QueuedRefusal, RefusedQueue } from "../../src/usage/RefusedQueue.ts"

const entry = (userId: number, atMs: number): QueuedRefusal => ({
  id: `${userId}-${atMs}`,
  userId: UserId.make(BigInt(userId)),
  keyId: null,
  model: null,
  endpoint: "responses",
  status: 402,
  code: "insufficient_quota",
  atMs
})

const times = (entries: ReadonlyArray<QueuedRefusal>) => entries.map(({ atMs }) => atMs)

describe("the queue of refused calls", () => {
  it("keeps the newest of a user who floods, and all of the others", () => {
    const queue = new RefusedQueue()
    assert.strictEqual(queue.push(entry(2, 0)), 0)
    let dropped = 0
    for (let atMs = 1; atMs <= QUEUE_PER_USER_MAX + 50; atMs++) dropped += queue.push(entry(1, atMs))
    assert.strictEqual(dropped, 50)
    assert.strictEqual(queue.size, QUEUE_PER_USER_MAX + 1)
    const taken = queue.take(QUEUE_MAX)
    assert.deepStrictEqual(times(taken.slice(0, 2)), [0, 51])
    assert.strictEqual(taken.at(-1)?.atMs, QUEUE_PER_USER_MAX + 50)
    assert.strictEqual(queue.size, 0)
  })

  it("makes room by the oldest when it is full", () => {
    const queue = new RefusedQueue()
    for (let index = 0; index < QUEUE_MAX; index++) assert.strictEqual(queue.push(entry(index, index)), 0)
    assert.strictEqual(queue.push(entry(QUEUE_MAX, QUEUE_MAX)), 1)
    assert.strictEqual(queue.size, QUEUE_MAX)
    assert.deepStrictEqual(times(queue.take(2)), [1, 2])
  })

  it.prop(
    "gives out what went in and was not dropped, once, each user's in order",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: -3, maximum: 3 })))],
    ([steps]) => {
      const queue = new RefusedQueue()
      const taken: Array<QueuedRefusal> = []
      let pushed = 0
      for (const step of steps) {
        if (step < 0) taken.push(...queue.take(-step))
        else assert.strictEqual(queue.push(entry(step, pushed++)), 0)
        assert.strictEqual(queue.size, pushed - taken.length)
      }
      taken.push(...queue.take(pushed))
      assert.strictEqual(new Set(taken.map(({ id }) => id)).size, pushed)
      for (let user = 0; user <= 3; user++) {
        const own = times(taken.filter(({ userId }) => userId === BigInt(user)))
        assert.deepStrictEqual(own, own.toSorted((a, b) => a - b))
      }
    }
  )
})
