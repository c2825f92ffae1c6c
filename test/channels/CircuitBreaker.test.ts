import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import {
  afterFailure,
  afterProbe,
  ChannelHealth,
  type CircuitBreaker,
  closed,
  FAILURES_TO_OPEN,
  OPEN_MS,
  stateOf
} from "../../src/channels/CircuitBreaker.ts"

const failTimes = (times: number, nowMs: number, from: CircuitBreaker = closed): CircuitBreaker =>
  Array.from({ length: times }).reduce<CircuitBreaker>((breaker) => afterFailure(breaker, nowMs), from)

describe("CircuitBreaker", () => {
  it("opens after enough failures in a row, no earlier", () => {
    assert.strictEqual(stateOf(failTimes(FAILURES_TO_OPEN - 1, 0), 0), "closed")
    assert.strictEqual(stateOf(failTimes(FAILURES_TO_OPEN, 0), 0), "open")
  })

  it("is half-open when its time is over, to the millisecond", () => {
    const open = failTimes(FAILURES_TO_OPEN, 1_000)
    assert.strictEqual(stateOf(open, 1_000 + OPEN_MS - 1), "open")
    assert.strictEqual(stateOf(open, 1_000 + OPEN_MS), "half_open")
  })

  it("is open to others while a probe is under way, and takes another when that never ends", () => {
    const probing = afterProbe(failTimes(FAILURES_TO_OPEN, 0), OPEN_MS)
    assert.strictEqual(stateOf(probing, OPEN_MS), "open")
    assert.strictEqual(stateOf(probing, 2 * OPEN_MS), "half_open")
  })

  it("gives no probe while open or closed", () => {
    const open = failTimes(FAILURES_TO_OPEN, 0)
    assert.strictEqual(afterProbe(open, OPEN_MS - 1), open)
    assert.strictEqual(afterProbe(closed, 0), closed)
  })

  it("opens again by one failed probe", () => {
    const failed = afterFailure(afterProbe(failTimes(FAILURES_TO_OPEN, 0), OPEN_MS), OPEN_MS + 500)
    assert.strictEqual(stateOf(failed, 2 * OPEN_MS + 499), "open")
    assert.strictEqual(stateOf(failed, 2 * OPEN_MS + 500), "half_open")
  })
})

describe("ChannelHealth", () => {
  it.effect("keeps channels apart, and a success closes", () =>
    Effect.gen(function*() {
      const health = yield* ChannelHealth
      for (let i = 0; i < FAILURES_TO_OPEN; i++) health.failed(1n, 0)
      assert.isTrue(health.isOpen(1n, 0))
      assert.isFalse(health.isOpen(2n, 0))
      assert.isTrue(health.isHalfOpen(1n, OPEN_MS))
      health.probe(1n, OPEN_MS)
      assert.isTrue(health.isOpen(1n, OPEN_MS))
      health.succeeded(1n)
      assert.isFalse(health.isOpen(1n, OPEN_MS))
      assert.isFalse(health.isHalfOpen(1n, OPEN_MS))
    }).pipe(Effect.provide(ChannelHealth.layer)))

  it.effect("a success between failures starts the count again", () =>
    Effect.gen(function*() {
      const health = yield* ChannelHealth
      for (let i = 0; i < FAILURES_TO_OPEN - 1; i++) health.failed(1n, 0)
      health.succeeded(1n)
      for (let i = 0; i < FAILURES_TO_OPEN - 1; i++) health.failed(1n, 0)
      assert.isFalse(health.isOpen(1n, 0))
      health.failed(1n, 0)
      assert.isTrue(health.isOpen(1n, 0))
    }).pipe(Effect.provide(ChannelHealth.layer)))
})
