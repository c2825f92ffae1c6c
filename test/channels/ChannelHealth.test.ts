/**
 * The health of channels as calls report it: what counts against a channel and what does not, and how the order of a user's
 * calls follows.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Metric } from "effect"
import { Breakers, BREAKERS_MAX } from "../../src/channels/Breakers.ts"
import { type BreakerState, type ChannelFailure, ChannelHealth } from "../../src/channels/ChannelHealth.ts"
import { FAILURES_TO_OPEN, OPEN_MS_MIN, PROBE_MS_MAX } from "../../src/channels/CircuitBreaker.ts"

const failed = (...channels: ReadonlyArray<bigint>): ReadonlyArray<ChannelFailure> =>
  channels.map((channelId) => ({ channelId, scope: "model" }))

/** A health that has heard nothing, with short ways to tell it what calls came to. */
const heard = Effect.gen(function*() {
  const health = yield* ChannelHealth
  const call = (userId: bigint, failures: ReadonlyArray<ChannelFailure>, succeededOn: bigint | null, nowMs = 0) =>
    health.report({ userId, modelId: "mini", failures, succeededOn }, nowMs)
  const stateOf = (channelId: bigint, nowMs = 0): BreakerState => health.stateOf(channelId, "mini", nowMs)
  const times = (count: number, what: () => void) => {
    for (let index = 0; index < count; index++) what()
  }
  return { health, call, stateOf, times }
})

const withHealth = <A, E>(effect: Effect.Effect<A, E, ChannelHealth>) =>
  effect.pipe(Effect.provide(Layer.fresh(ChannelHealth.layer)))

describe("channel health", () => {
  it.effect("opens a breaker by five calls that another channel answered", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, stateOf, times } = yield* heard
      assert.isTrue(health.isQuiet())
      times(FAILURES_TO_OPEN - 1, () => call(1n, failed(5n), 6n))
      assert.strictEqual(stateOf(5n), "closed")
      call(1n, failed(5n), 6n)
      assert.strictEqual(stateOf(5n), "open")
      assert.strictEqual(stateOf(6n), "closed")
      assert.isTrue(health.isOpen(5n, "mini", 0))
      assert.strictEqual(health.stateOf(5n, "maxi", 0), "closed")
      assert.strictEqual(health.stateOf(5n, null, 0), "open")
      assert.isTrue(health.isOpen(5n, null, 0))
    })))

  it.effect("starts again after a success, and forgets what calls without any success have left", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, stateOf, times } = yield* heard
      times(FAILURES_TO_OPEN - 1, () => call(1n, failed(5n), 6n))
      call(1n, failed(5n), null)
      call(2n, failed(5n), null)
      call(9n, [], 5n)
      assert.isTrue(health.isQuiet())
      call(3n, failed(5n), null)
      times(FAILURES_TO_OPEN - 1, () => call(1n, failed(5n), 6n))
      assert.strictEqual(stateOf(5n), "closed")
      call(1n, failed(5n), 6n)
      assert.strictEqual(stateOf(5n), "open")
    })))

  it.effect("is not changed by one client whose calls fail everywhere", () =>
    withHealth(Effect.gen(function*() {
      const { call, stateOf, times } = yield* heard
      times(200, () => call(1n, failed(5n, 6n), null))
      call(2n, failed(5n, 6n), null)
      assert.deepStrictEqual([stateOf(5n), stateOf(6n)], ["closed", "closed"])
    })))

  it.effect("opens a breaker when calls of three users fail everywhere within a minute", () =>
    withHealth(Effect.gen(function*() {
      const { call, stateOf } = yield* heard
      for (const [user, atMs] of [[1n, 0], [2n, 10_000], [1n, 20_000], [3n, 30_000]] as const) {
        call(user, failed(5n), null, atMs)
      }
      assert.strictEqual(stateOf(5n, 30_000), "closed")
      call(2n, failed(5n), null, 31_000)
      assert.strictEqual(stateOf(5n, 31_000), "open")
    })))

  it.effect("opens a whole channel by one failure of its credentials, for all models, until a success", () =>
    withHealth(Effect.gen(function*() {
      const { call, health } = yield* heard
      call(1n, [{ channelId: 5n, scope: "channel" }], 6n)
      for (const model of ["mini", "maxi", null]) assert.strictEqual(health.stateOf(5n, model, 0), "open")
      health.report({ userId: 2n, modelId: "maxi", failures: [], succeededOn: 5n }, 1)
      for (const model of ["mini", "maxi", null]) assert.strictEqual(health.stateOf(5n, model, 1), "closed")
    })))

  it.effect("does not open a whole channel by one user's call that no channel answered", () =>
    withHealth(Effect.gen(function*() {
      const { call, stateOf } = yield* heard
      for (const user of [1n, 1n, 2n]) call(user, [{ channelId: 5n, scope: "channel" }], null)
      assert.strictEqual(stateOf(5n), "closed")
      call(3n, [{ channelId: 5n, scope: "channel" }], null)
      assert.strictEqual(stateOf(5n), "open")
    })))

  it.effect("counts a channel once a call, and not at all when it answered that call in the end", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, stateOf, times } = yield* heard
      times(FAILURES_TO_OPEN - 1, () => call(1n, failed(5n, 5n), 6n))
      assert.strictEqual(stateOf(5n), "closed")
      call(1n, failed(5n), 5n)
      assert.isTrue(health.isQuiet())
    })))

  it.effect("lets one call probe a half-open breaker; its success closes, its failure opens for longer", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, stateOf, times } = yield* heard
      const [asking, other] = [{ userId: 1n, modelId: "mini" }, { userId: 2n, modelId: "mini" }]
      times(FAILURES_TO_OPEN, () => call(1n, failed(5n), 6n))
      assert.strictEqual(health.standingOf(5n, asking, OPEN_MS_MIN - 1), "away")
      assert.strictEqual(health.standingOf(5n, asking, OPEN_MS_MIN), "probe")
      health.claimProbe(5n, asking, OPEN_MS_MIN)
      assert.strictEqual(health.standingOf(5n, other, OPEN_MS_MIN), "away")
      assert.strictEqual(stateOf(5n, OPEN_MS_MIN), "half_open")
      assert.isTrue(health.isOpen(5n, "mini", OPEN_MS_MIN))
      call(1n, failed(5n), 6n, OPEN_MS_MIN + 1)
      assert.strictEqual(stateOf(5n, 3 * OPEN_MS_MIN), "open")
      assert.strictEqual(health.standingOf(5n, other, 3 * OPEN_MS_MIN + 1), "probe")
      health.claimProbe(5n, other, 3 * OPEN_MS_MIN + 1)
      call(2n, [], 5n, 3 * OPEN_MS_MIN + 2)
      assert.isTrue(health.isQuiet())
    })))

  it.effect("takes the next call as probe when one ended without a word on the channel, or never ends", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, times } = yield* heard
      const [asking, other] = [{ userId: 1n, modelId: "mini" }, { userId: 2n, modelId: "mini" }]
      times(FAILURES_TO_OPEN, () => call(1n, failed(5n), 6n))
      health.claimProbe(5n, asking, OPEN_MS_MIN)
      call(2n, [], null, OPEN_MS_MIN)
      assert.strictEqual(health.standingOf(5n, other, OPEN_MS_MIN), "away")
      call(1n, [], null, OPEN_MS_MIN)
      assert.strictEqual(health.standingOf(5n, other, OPEN_MS_MIN), "probe")
      health.claimProbe(5n, asking, OPEN_MS_MIN)
      // It failed everywhere, which may be its own fault.
      call(1n, failed(5n, 6n), null, OPEN_MS_MIN)
      assert.strictEqual(health.standingOf(5n, other, OPEN_MS_MIN), "probe")
      health.claimProbe(5n, asking, OPEN_MS_MIN)
      assert.strictEqual(health.standingOf(5n, other, OPEN_MS_MIN + PROBE_MS_MAX - 1), "away")
      assert.strictEqual(health.standingOf(5n, other, OPEN_MS_MIN + PROBE_MS_MAX), "probe")
    })))

  it.effect("moves a user who got a 429, and takes no probe from a user who avoids the channel", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, times } = yield* heard
      const asking = { userId: 1n, modelId: "mini" }
      health.avoid(1n, 5n, 20_000)
      assert.isFalse(health.isQuiet())
      assert.strictEqual(health.standingOf(5n, asking, 0), "avoided")
      assert.strictEqual(health.standingOf(5n, { ...asking, userId: 2n }, 0), "ready")
      assert.strictEqual(health.standingOf(5n, asking, 20_000), "ready")
      times(FAILURES_TO_OPEN, () => call(1n, failed(5n), 6n))
      health.avoid(1n, 5n, OPEN_MS_MIN + 1)
      assert.strictEqual(health.standingOf(5n, asking, OPEN_MS_MIN), "away")
    })))

  it.effect("logs and counts each change of a breaker's state once", () => {
    const logged: Array<string> = []
    const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String([message].flat()[0])))])
    return withHealth(Effect.gen(function*() {
      const { call, health, times } = yield* heard
      const asking = { userId: 1n, modelId: "mini" }
      times(FAILURES_TO_OPEN + 3, () => call(1n, failed(77n), 6n))
      for (let index = 0; index < 3; index++) {
        health.claimProbe(77n, asking, OPEN_MS_MIN)
        call(1n, [], null, OPEN_MS_MIN)
      }
      call(1n, [], 77n, OPEN_MS_MIN)
      call(1n, [], 77n, OPEN_MS_MIN)
      yield* Effect.yieldNow
      assert.deepStrictEqual(logged, [
        "a channel's circuit breaker opened",
        "a channel's circuit breaker is half-open",
        "a channel's circuit breaker is closed"
      ])
      const counts = (yield* Metric.snapshot).filter(({ id }) => id === "realms_channel_breaker_changes_total")
        .filter(({ attributes }) => attributes?.["channel"] === "77")
        .map(({ attributes, state }) => [attributes?.["to"], "count" in state ? Number(state.count) : 0])
      assert.sameDeepMembers(counts, [["open", 1], ["half_open", 1], ["closed", 1]])
    })).pipe(Effect.provide(logger))
  })

  it("remembers a bounded number of breakers", () => {
    const breakers = new Breakers(() => undefined)
    const fail = (channelId: bigint) =>
      breakers.report({ userId: 1n, modelId: "mini", failures: [{ channelId, scope: "channel" }], succeededOn: 0n }, 0)
    for (let id = 1n; id <= BigInt(BREAKERS_MAX) + 1n; id++) fail(id)
    assert.strictEqual(breakers.stateOf(1n, null, 0), "closed")
    assert.strictEqual(breakers.stateOf(2n, null, 0), "open")
  })
})
