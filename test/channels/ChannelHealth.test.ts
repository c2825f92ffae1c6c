/**
 * The health of channels as calls report it: what counts against a channel and what does not, and how the order of a user's
 * calls follows.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Metric } from "effect"
import { Breakers, BREAKERS_MAX } from "../../src/channels/Breakers.ts"
import { type BreakerState, type ChannelFailure, ChannelHealth } from "../../src/channels/ChannelHealth.ts"
import { FAILURES_TO_OPEN, OPEN_MS_MIN, PROBE_MS_MAX } from "../../src/channels/CircuitBreaker.ts"
import { ChannelId, UserId } from "../../src/domain/Ids.ts"

const ada = UserId.make(1n)
const bob = UserId.make(2n)
const cleo = UserId.make(3n)
const dora = UserId.make(9n)
const main = ChannelId.make(5n)
const spare = ChannelId.make(6n)

const failed = (...channels: ReadonlyArray<ChannelId>): ReadonlyArray<ChannelFailure> =>
  channels.map((channelId) => ({ channelId, scope: "model" }))

/** A health that has heard nothing, with short ways to tell it what calls came to. */
const heard = Effect.gen(function*() {
  const health = yield* ChannelHealth
  const call = (userId: UserId, failures: ReadonlyArray<ChannelFailure>, succeededOn: ChannelId | null, nowMs = 0) =>
    health.report({ userId, modelId: "mini", failures, succeededOn }, nowMs)
  const stateOf = (channelId: ChannelId, nowMs = 0): BreakerState => health.stateOf(channelId, "mini", nowMs)
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
      times(FAILURES_TO_OPEN - 1, () => call(ada, failed(main), spare))
      assert.strictEqual(stateOf(main), "closed")
      call(ada, failed(main), spare)
      assert.strictEqual(stateOf(main), "open")
      assert.strictEqual(stateOf(spare), "closed")
      assert.isTrue(health.isOpen(main, "mini", 0))
      assert.strictEqual(health.stateOf(main, "maxi", 0), "closed")
      assert.strictEqual(health.stateOf(main, null, 0), "open")
      assert.isTrue(health.isOpen(main, null, 0))
    })))

  it.effect("starts again after a success, and forgets what calls without any success have left", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, stateOf, times } = yield* heard
      times(FAILURES_TO_OPEN - 1, () => call(ada, failed(main), spare))
      call(ada, failed(main), null)
      call(bob, failed(main), null)
      call(dora, [], main)
      assert.isTrue(health.isQuiet())
      call(cleo, failed(main), null)
      times(FAILURES_TO_OPEN - 1, () => call(ada, failed(main), spare))
      assert.strictEqual(stateOf(main), "closed")
      call(ada, failed(main), spare)
      assert.strictEqual(stateOf(main), "open")
    })))

  it.effect("is not changed by one client whose calls fail everywhere", () =>
    withHealth(Effect.gen(function*() {
      const { call, stateOf, times } = yield* heard
      times(200, () => call(ada, failed(main, spare), null))
      call(bob, failed(main, spare), null)
      assert.deepStrictEqual([stateOf(main), stateOf(spare)], ["closed", "closed"])
    })))

  it.effect("opens a breaker when calls of three users fail everywhere within a minute", () =>
    withHealth(Effect.gen(function*() {
      const { call, stateOf } = yield* heard
      for (const [user, atMs] of [[ada, 0], [bob, 10_000], [ada, 20_000], [cleo, 30_000]] as const) {
        call(user, failed(main), null, atMs)
      }
      assert.strictEqual(stateOf(main, 30_000), "closed")
      call(bob, failed(main), null, 31_000)
      assert.strictEqual(stateOf(main, 31_000), "open")
    })))

  it.effect("opens a whole channel by one failure of its credentials, for all models, until a success", () =>
    withHealth(Effect.gen(function*() {
      const { call, health } = yield* heard
      call(ada, [{ channelId: main, scope: "channel" }], spare)
      for (const model of ["mini", "maxi", null]) assert.strictEqual(health.stateOf(main, model, 0), "open")
      health.report({ userId: bob, modelId: "maxi", failures: [], succeededOn: main }, 1)
      for (const model of ["mini", "maxi", null]) assert.strictEqual(health.stateOf(main, model, 1), "closed")
    })))

  it.effect("does not open a whole channel by one user's call that no channel answered", () =>
    withHealth(Effect.gen(function*() {
      const { call, stateOf } = yield* heard
      for (const user of [ada, ada, bob]) call(user, [{ channelId: main, scope: "channel" }], null)
      assert.strictEqual(stateOf(main), "closed")
      call(cleo, [{ channelId: main, scope: "channel" }], null)
      assert.strictEqual(stateOf(main), "open")
    })))

  it.effect("counts a channel once a call, and not at all when it answered that call in the end", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, stateOf, times } = yield* heard
      times(FAILURES_TO_OPEN - 1, () => call(ada, failed(main, main), spare))
      assert.strictEqual(stateOf(main), "closed")
      call(ada, failed(main), main)
      assert.isTrue(health.isQuiet())
    })))

  it.effect("lets one call probe a half-open breaker; its success closes, its failure opens for longer", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, stateOf, times } = yield* heard
      const [asking, other] = [{ userId: ada, modelId: "mini" }, { userId: bob, modelId: "mini" }]
      times(FAILURES_TO_OPEN, () => call(ada, failed(main), spare))
      assert.strictEqual(health.standingOf(main, asking, OPEN_MS_MIN - 1), "away")
      assert.strictEqual(health.standingOf(main, asking, OPEN_MS_MIN), "probe")
      health.claimProbe(main, asking, OPEN_MS_MIN)
      assert.strictEqual(health.standingOf(main, other, OPEN_MS_MIN), "away")
      assert.strictEqual(stateOf(main, OPEN_MS_MIN), "half_open")
      assert.isTrue(health.isOpen(main, "mini", OPEN_MS_MIN))
      call(ada, failed(main), spare, OPEN_MS_MIN + 1)
      assert.strictEqual(stateOf(main, 3 * OPEN_MS_MIN), "open")
      assert.strictEqual(health.standingOf(main, other, 3 * OPEN_MS_MIN + 1), "probe")
      health.claimProbe(main, other, 3 * OPEN_MS_MIN + 1)
      call(bob, [], main, 3 * OPEN_MS_MIN + 2)
      assert.isTrue(health.isQuiet())
    })))

  it.effect("takes the next call as probe when one ended without a word on the channel, or never ends", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, times } = yield* heard
      const [asking, other] = [{ userId: ada, modelId: "mini" }, { userId: bob, modelId: "mini" }]
      times(FAILURES_TO_OPEN, () => call(ada, failed(main), spare))
      health.claimProbe(main, asking, OPEN_MS_MIN)
      call(bob, [], null, OPEN_MS_MIN)
      assert.strictEqual(health.standingOf(main, other, OPEN_MS_MIN), "away")
      call(ada, [], null, OPEN_MS_MIN)
      assert.strictEqual(health.standingOf(main, other, OPEN_MS_MIN), "probe")
      health.claimProbe(main, asking, OPEN_MS_MIN)
      // It failed everywhere, which may be its own fault.
      call(ada, failed(main, spare), null, OPEN_MS_MIN)
      assert.strictEqual(health.standingOf(main, other, OPEN_MS_MIN), "probe")
      health.claimProbe(main, asking, OPEN_MS_MIN)
      assert.strictEqual(health.standingOf(main, other, OPEN_MS_MIN + PROBE_MS_MAX - 1), "away")
      assert.strictEqual(health.standingOf(main, other, OPEN_MS_MIN + PROBE_MS_MAX), "probe")
    })))

  it.effect("moves a user who got a 429, and takes no probe from a user who avoids the channel", () =>
    withHealth(Effect.gen(function*() {
      const { call, health, times } = yield* heard
      const asking = { userId: ada, modelId: "mini" }
      health.avoid(ada, main, 20_000)
      assert.isFalse(health.isQuiet())
      assert.strictEqual(health.standingOf(main, asking, 0), "avoided")
      assert.strictEqual(health.standingOf(main, { ...asking, userId: bob }, 0), "ready")
      assert.strictEqual(health.standingOf(main, asking, 20_000), "ready")
      times(FAILURES_TO_OPEN, () => call(ada, failed(main), spare))
      health.avoid(ada, main, OPEN_MS_MIN + 1)
      assert.strictEqual(health.standingOf(main, asking, OPEN_MS_MIN), "away")
    })))

  it.effect("logs and counts each change of a breaker's state once", () => {
    const logged: Array<string> = []
    const logger = Logger.layer([Logger.make(({ message }) => void logged.push(String([message].flat()[0])))])
    return withHealth(Effect.gen(function*() {
      const { call, health, times } = yield* heard
      const asking = { userId: ada, modelId: "mini" }
      const noisy = ChannelId.make(77n)
      times(FAILURES_TO_OPEN + 3, () => call(ada, failed(noisy), spare))
      for (let index = 0; index < 3; index++) {
        health.claimProbe(noisy, asking, OPEN_MS_MIN)
        call(ada, [], null, OPEN_MS_MIN)
      }
      call(ada, [], noisy, OPEN_MS_MIN)
      call(ada, [], noisy, OPEN_MS_MIN)
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
    const fail = (channelId: ChannelId) =>
      breakers.report({
        userId: ada,
        modelId: "mini",
        failures: [{ channelId, scope: "channel" }],
        succeededOn: ChannelId.make(0n)
      }, 0)
    for (let id = 1n; id <= BigInt(BREAKERS_MAX) + 1n; id++) fail(ChannelId.make(id))
    assert.strictEqual(breakers.stateOf(ChannelId.make(1n), null, 0), "closed")
    assert.strictEqual(breakers.stateOf(ChannelId.make(2n), null, 0), "open")
  })
})
