/**
 * Two servers of one database tell one another of their circuit breakers.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Context, Effect, Layer } from "effect"
import { BreakerNewsLayer } from "../../src/channels/BreakerNews.ts"
import { ChannelHealth } from "../../src/channels/ChannelHealth.ts"
import { FAILURES_TO_OPEN, OPEN_MS_MIN } from "../../src/channels/CircuitBreaker.ts"
import { ChannelId, UserId } from "../../src/domain/Ids.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { until } from "../support/Until.ts"

const [bad, good] = [ChannelId.make(1n), ChannelId.make(2n)]

/** What a server knows of its channels, once it hears of others. */
const server = Effect.gen(function*() {
  const context = yield* Layer.build(Layer.fresh(BreakerNewsLayer.pipe(
    Layer.provideMerge(ChannelHealth.layer),
    Layer.provideMerge(Notifications.layer)
  )))
  yield* until("the server hears", () => Context.get(context, Notifications).isUp())
  return Context.get(context, ChannelHealth)
})

const clock = Effect.map(Clock.Clock, (found) => () => found.currentTimeMillisUnsafe())

/** Calls of a model that fail on the bad channel and succeed on the good one. */
const fail = (health: ChannelHealth["Service"], calls: number, nowMs: number) => {
  for (let call = 0; call < calls; call++) {
    health.report({
      userId: UserId.make(1n),
      modelId: "m",
      failures: [{ channelId: bad, scope: "model" }],
      succeededOn: good
    }, nowMs)
  }
}

layer(TestDatabase.layer, { excludeTestServices: true })("News of circuit breakers", (it) => {
  it.effect("reaches the other servers when one opens and when it closes, and is not passed on", () =>
    Effect.gen(function*() {
      const [one, two, three] = [yield* server, yield* server, yield* server]
      const told: Array<string> = []
      two.listeners.add(({ to }) => told.push(to))
      const now = yield* clock
      fail(one, FAILURES_TO_OPEN, now())
      const isOpen = (health: ChannelHealth["Service"]) => health.isOpen(bad, "m", now())
      yield* until("all keep away from it", () => isOpen(two) && isOpen(three))
      assert.isFalse(two.isOpen(bad, "another model", now()))
      assert.isFalse(two.isOpen(good, "m", now()))
      // Half-open after its time, as if it had opened here.
      assert.strictEqual(two.stateOf(bad, "m", now() + OPEN_MS_MIN), "half_open")
      // A call that succeeds where it was only heard of is no news: the channel may fail for the one that told it.
      three.report({ userId: UserId.make(2n), modelId: "m", failures: [], succeededOn: bad }, now())
      assert.isFalse(isOpen(three))
      one.report({ userId: UserId.make(2n), modelId: "m", failures: [], succeededOn: bad }, now())
      yield* until("it is used again by all", () => !isOpen(two))
      assert.isFalse(isOpen(one))
      assert.deepStrictEqual(told, [])
      assert.isTrue(two.isQuiet())
    }))

  it.effect("says nothing of failures that open no breaker", () =>
    Effect.gen(function*() {
      const [one, two] = [yield* server, yield* server]
      const now = yield* clock
      fail(one, FAILURES_TO_OPEN - 1, now())
      const other = ChannelId.make(3n)
      one.report({
        userId: UserId.make(1n),
        modelId: "m",
        failures: [{ channelId: other, scope: "channel" }],
        succeededOn: good
      }, now())
      yield* until("the news that is told has come", () => two.isOpen(other, "m", now()))
      assert.strictEqual(two.stateOf(bad, null, now()), "closed")
    }))
})
