/**
 * Which channels and models report more input than was thought possible, from calls written straight into the table.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { ChannelId } from "../../src/domain/Ids.ts"
import { ClampedCalls } from "../../src/usage/ClampedCalls.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { callAt, type CallFields, insertCalls, makeUsers, nobody } from "../support/UsageRows.ts"

const Services = ClampedCalls.layer.pipe(Layer.provideMerge(TestDatabase.layer))

const MINUTE_MS = 60_000

/** Flags and tokens above the ceiling, as a settlement writes them. */
const flag = Effect.fnUntraced(function*(calls: ReadonlyArray<CallFields>, flags: string, excess: bigint | null) {
  const sql = yield* SqlClient.SqlClient
  for (const { id } of calls) {
    yield* sql`UPDATE usage_events SET usage_flags = ${flags}, excess_tokens = ${excess} WHERE id = ${id}`
  }
})

layer(Services, { excludeTestServices: true })("calls above what was thought possible", (it) => {
  it.effect("are reported per channel above 1 % of an hour, with the overhead that would fit 99 %", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const [userId = nobody] = yield* makeUsers(1)
      const nowMs = yield* Clock.currentTimeMillis
      const [made] = yield* sql<{ id: ChannelId }>`INSERT INTO channels (name, base_url) VALUES ('over', 'http://a')
        RETURNING id`
      const calls = (count: number, channel: string, more: Partial<CallFields> = {}, agoMs = MINUTE_MS) =>
        Array.from({ length: count }, () => callAt(userId, nowMs - agoMs, { channel, model: "mini", ...more }))
      const over = calls(200, "over")
      const exactlyOne = calls(100, "exactly 1 %")
      const old = calls(10, "an hour ago", {}, 61 * MINUTE_MS)
      const gone = calls(1, "gone")
      const open = calls(1, "open", { state: "reserved", cost_micros: null, charged_micros: null })
      yield* insertCalls([...over, ...exactlyOne, ...old, ...gone, ...open])
      // Three of 200 are above; to cover 99 %, two may stay above.
      yield* flag(over.slice(0, 1), "input_clamped", 300n)
      yield* flag(over.slice(1, 2), "estimated input_clamped", 50n)
      yield* flag(over.slice(2, 3), "input_clamped above_context", 4_000n)
      yield* flag(over.slice(3, 9), "output_clamped", 9_000n)
      yield* flag(over.slice(9, 12), "not_input_clamped", 9_000n)
      yield* flag([...exactlyOne.slice(0, 1), ...old, ...open], "input_clamped", 70n)
      yield* flag(gone, "input_clamped", 70n)

      const { channels } = yield* (yield* ClampedCalls).report
      assert.deepStrictEqual(channels, [
        { id: null, name: "gone", calls: 1, clamped: 1, missingTokens: 70 },
        { id: made?.id ?? ChannelId.make(0n), name: "over", calls: 200, clamped: 3, missingTokens: 50 }
      ])
    }))

  it.effect("are reported per model when they are above its context, for a day", () =>
    Effect.gen(function*() {
      const [userId = nobody] = yield* makeUsers(1)
      const nowMs = yield* Clock.currentTimeMillis
      const call = (model: string, agoMs: number, inputTokens: bigint) =>
        callAt(userId, nowMs - agoMs, { channel: "c", model, input_tokens: inputTokens })
      const above = [call("small", MINUTE_MS, 9_000n), call("small", 23 * 60 * MINUTE_MS, 12_000n)]
      const others = [call("small", MINUTE_MS, 99_000n), call("large", MINUTE_MS, 5n)]
      const old = [call("long ago", 25 * 60 * MINUTE_MS, 9_000n)]
      yield* insertCalls([...above, ...others, ...old])
      yield* flag([...above, ...old], "above_context", null)
      const { models } = yield* (yield* ClampedCalls).report
      assert.deepStrictEqual(models.find(({ model }) => model === "small"), {
        model: "small",
        calls: 3,
        aboveContext: 2,
        inputTokensMax: 12_000
      })
      assert.notIncludeMembers(models.map(({ model }) => model), ["large", "long ago"])
    }))
})
