/**
 * What cannot be verified is counted each time and said once a minute and provider, with how many there were.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Metric } from "effect"
import { TestClock } from "effect/testing"
import { makeNoteUnverified } from "../../../src/http/webhooks/UnverifiedCallbacks.ts"

/** What was counted at all. Each series is there from the start, at 0. */
const counted = Effect.map(
  Metric.snapshot,
  (all) =>
    Object.fromEntries(
      all.flatMap((metric) =>
        metric.id === "realms_payment_unverified_total" && metric.type === "Counter" && Number(metric.state.count) > 0
          ? [[`${metric.attributes?.["provider"]} ${metric.attributes?.["reason"]}`, Number(metric.state.count)]]
          : []
      )
    )
)

describe("callbacks that cannot be verified", () => {
  it.effect("are counted by provider and reason, and said once a minute", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.layer([Logger.make(({ message }) => void lines.push([message].flat()[1]))])
      yield* Effect.gen(function*() {
        const note = yield* makeNoteUnverified
        const forged = { reason: "signature", why: "wrong" } as const
        for (let times = 0; times < 5; times++) yield* note("epay", forged)
        yield* note("stripe", { reason: "stale", why: "old" })
        yield* TestClock.adjust("59 seconds")
        yield* note("epay", forged)
        assert.deepStrictEqual(lines, [
          { provider: "epay", count: 1, ...forged },
          { provider: "stripe", count: 1, reason: "stale", why: "old" }
        ])
        yield* TestClock.adjust("1 seconds")
        yield* note("epay", { reason: "contradictory", why: "twice" })
        yield* note("stripe", { reason: "stale", why: "old" })
        assert.deepStrictEqual(lines.slice(2), [
          { provider: "epay", count: 6, reason: "contradictory", why: "twice" },
          { provider: "stripe", count: 1, reason: "stale", why: "old" }
        ])
        assert.deepStrictEqual(yield* counted, { "epay signature": 6, "epay contradictory": 1, "stripe stale": 2 })
      }).pipe(Effect.provide(logger))
    }))
})
