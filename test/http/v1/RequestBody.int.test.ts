/**
 * What a body takes of the budget, and that it gives it back however its reading ends.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import type { IncomingMessage } from "node:http"
import { gzipSync } from "node:zlib"
import { UserId } from "../../../src/domain/Ids.ts"
import { readRequestBody } from "../../../src/http/v1/RequestBody.ts"
import { ByteBudget } from "../../../src/platform/ByteBudget.ts"
import { RawConnection } from "../../support/RawConnection.ts"
import { listening } from "../../support/Listening.ts"
import { until } from "../../support/Until.ts"

const PART = "x".repeat(50_000)

const fixture = Effect.gen(function*() {
  const arrived = yield* Deferred.make<IncomingMessage>()
  const { url } = yield* listening((request) => void Effect.runSync(Deferred.succeed(arrived, request)))
  const client = yield* Effect.acquireRelease(
    Effect.sync(() => new RawConnection(url)),
    (made) => Effect.sync(() => made.end())
  )
  const budget = new ByteBudget({ processBytesMax: 1_000_000, userBytesMax: 1_000_000, freeBytes: 1_000 })
  const clock = { ms: 0, looks: 0 }
  const nowMs = () => {
    clock.looks++
    return clock.ms
  }
  const begin = Effect.fnUntraced(function*(headers: string) {
    client.write(`POST / HTTP/1.1\r\nhost: x\r\n${headers}\r\n\r\n`)
    const request = yield* Deferred.await(arrived)
    const options = { userId: UserId.make(1n), bytesMax: 200_000, budget, slowAfterMs: 50, bytesPerSecondMin: 1_000 }
    return yield* Effect.forkChild(readRequestBody(request, { ...options, nowMs }), {
      startImmediately: true
    })
  })
  return { begin, budget, client, clock }
})

/** A body of which one part has arrived. */
const halfRead = Effect.gen(function*() {
  const { begin, budget, client } = yield* fixture
  const reading = yield* begin("content-length: 100000")
  client.write(PART)
  yield* until("it is counted", () => budget.usedBytes === PART.length)
  return { budget, client, reading }
})

describe("readRequestBody", () => {
  it.live("counts what has arrived, not what was announced, and gives it back once when the call ends", () =>
    Effect.gen(function*() {
      const { begin, budget, client } = yield* fixture
      const reading = yield* begin("content-length: 100000")
      assert.strictEqual(budget.usedBytes, 0)
      client.write(PART)
      yield* until("the first half is counted", () => budget.usedBytes === PART.length)
      client.write(PART)
      const { body, release } = yield* Fiber.join(reading)
      assert.strictEqual(body.toString(), PART + PART)
      assert.strictEqual(budget.usedBytes, 100_000)
      release()
      release()
      assert.strictEqual(budget.usedBytes, 0)
    }))

  it.live("counts bytes as they are decoded", () =>
    Effect.gen(function*() {
      const { begin, budget, client } = yield* fixture
      const encoded = gzipSync(PART)
      const reading = yield* begin(`content-encoding: gzip\r\ncontent-length: ${encoded.length}`)
      client.write(encoded)
      const { body, release } = yield* Fiber.join(reading)
      assert.strictEqual(body.toString(), PART)
      assert.strictEqual(budget.usedBytes, PART.length)
      release()
      assert.strictEqual(budget.usedBytes, 0)
    }))

  it.live("holds nothing after an interruption", () =>
    Effect.gen(function*() {
      const { budget, reading } = yield* halfRead
      yield* Fiber.interrupt(reading)
      assert.strictEqual(budget.usedBytes, 0)
    }))

  it.live("holds nothing after its client has left, and says that the body is not complete", () =>
    Effect.gen(function*() {
      const { budget, client, reading } = yield* halfRead
      client.end()
      const refusal = yield* Effect.flip(Fiber.join(reading))
      assert.deepStrictEqual([refusal.code, budget.usedBytes], ["invalid_request_error", 0])
    }))

  it.live("is patient while the rate is kept, and holds nothing after it was not", () =>
    Effect.gen(function*() {
      const { begin, budget, client, clock } = yield* fixture
      const reading = yield* begin("content-length: 100000")
      client.write(PART)
      yield* until("it is counted", () => budget.usedBytes === PART.length)
      // 50,000 bytes at 1,000 a second.
      clock.ms = 50_000
      const looks = clock.looks
      yield* until("the rate was looked at", () => clock.looks > looks)
      assert.isUndefined(reading.pollUnsafe())
      clock.ms = 50_001
      const refusal = yield* Effect.flip(Fiber.join(reading))
      assert.deepStrictEqual([refusal.code, budget.usedBytes], ["request_timeout", 0])
    }))
})
