import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { emptyOutcome } from "../../src/accounts/AccountState.ts"
import { CallMetrics, CHANNELS_MAX, MODELS_MAX, SERIES_MAX } from "../../src/gateway/CallMetrics.ts"
import { CallNotes } from "../../src/gateway/CallNotes.ts"

describe("metrics of calls", () => {
  it.effect("have a bounded number of series, and lose no call", () =>
    Effect.gen(function*() {
      const { count } = yield* CallMetrics
      const calls = 3 * SERIES_MAX
      for (let index = 0; index < calls; index++) {
        const notes = new CallNotes(`${index}`, "chat")
        notes.model = `model ${index % (MODELS_MAX + 50)}`
        notes.channel = `channel ${index % (CHANNELS_MAX + 7)}`
        count(notes, "ok")
      }
      const all = Metric.snapshotUnsafe(yield* Effect.context<never>()).filter(({ id }) => id === "realms_calls_total")
      const of = (label: string) => new Set(all.map(({ attributes }) => attributes?.[label]))
      assert.isAtMost(all.length, SERIES_MAX + 1)
      assert.isAtMost(of("model").size, MODELS_MAX + 1)
      assert.isAtMost(of("channel").size, CHANNELS_MAX + 1)
      assert.isTrue(of("model").has("other") && of("channel").has("other"))
      const total = all.reduce((sum, { state }) => "count" in state ? sum + Number(state.count) : sum, 0)
      assert.strictEqual(total, calls)
    }).pipe(Effect.provide(CallMetrics.layer), Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("count a call that ended before its settlement was written, and no refused one, as unsettled", () =>
    Effect.gen(function*() {
      const { count } = yield* CallMetrics
      const ended = new CallNotes("ended", "chat")
      ended.outcome = emptyOutcome
      count(ended, "ok")
      count(new CallNotes("refused", "chat"), "insufficient_quota")
      const found = Metric.snapshotUnsafe(yield* Effect.context<never>())
        .find(({ id }) => id === "realms_calls_unsettled_total")
      assert.deepInclude(found?.state, { count: 1 })
    }).pipe(Effect.provide(CallMetrics.layer), Effect.provideService(Metric.MetricRegistry, new Map())))

  it("spend no stage twice", () => {
    const notes = new CallNotes("id", "chat")
    for (const stage of ["body", "gateway", "hold", "gateway", "upstream", "gateway", "commit", "gateway"] as const) {
      notes.enter(stage)
    }
    const spent = (["gateway", "body", "hold", "queue", "upstream", "commit"] as const).map((stage) =>
      notes.msIn(stage)
    )
    assert.approximately(spent.reduce((sum, ms) => sum + ms, 0), notes.totalMs, 1e-6)
  })
})
