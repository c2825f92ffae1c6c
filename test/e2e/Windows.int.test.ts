/**
 * Subscriptions under many parallel calls: whichever of the four windows is the tightest, exactly what fits into it is
 * admitted, what was not used makes room again, and refusals say when there will be room.
 */
import { assert } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { makeReservationId, type SubscriptionId } from "../../src/domain/Ids.ts"
import { gatewayTests, TestGateway } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { chatUsage, completion, Gate } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const CALLS = 100
const TOKENS = 1_000
const HOLD = 100_000n
const LIMIT = 1_000_000n
const SPENT = 500_000n
const LOOSE = 50_000_000n
const HOUR_SECONDS = 3_600

const Gateway = TestGateway.layerOf((origin) => ({
  billing: { pay_as_you_go: false },
  channels: [{ name: "one", base_url: `${origin}/v1`, api_key: "x", models: { dime: "up" } }],
  models: [{ id: "dime", input_usd_per_1m: "0", output_usd_per_1m: "100", max_output_tokens: TOKENS }]
}))

/** In each: what was spent before, at a time that only this window and longer ones still count. */
const windows = [
  { name: "5h", hours: 5, spentHoursAgo: 2 },
  { name: "1d", hours: 24, spentHoursAgo: 12 },
  { name: "7d", hours: 168, spentHoursAgo: 72 },
  { name: "30d", hours: 720, spentHoursAgo: 480 }
]

const subscriber = Effect.fnUntraced(function*(tight: typeof windows[number]) {
  const gateway = yield* TestGateway
  const user = yield* gateway.user(0n)
  const [h5, d1, d7, d30] = windows.map(({ name }) => name === tight.name ? LIMIT : LOOSE)
  yield* gateway.change("account", String(user.id), (sql) =>
    Effect.gen(function*() {
      const [row] = yield* sql<{ id: SubscriptionId }>`
        INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
          limit_30d_micros, starts_at, ends_at, fence)
        VALUES (${user.id}, 'p', 'P', ${h5}, ${d1}, ${d7}, ${d30}, now() - interval '29 days', now() + interval '90 days', 7)
        RETURNING id`
      const at = sql`date_trunc('minute', now() - make_interval(hours => ${tight.spentHoursAgo}))`
      yield* sql`INSERT INTO subscription_usage (subscription_id, bucket_start, micros) VALUES (${row?.id}, ${at}, ${SPENT})`
      yield* sql`
        INSERT INTO usage_events (id, user_id, state, funding, subscription_id, reserved_micros, cost_micros,
          charged_micros, reserved_at, lease_expires_at, settled_at, endpoint, model, usage_source, input_tokens,
          cached_input_tokens, cache_write_tokens, output_tokens, output_micros_per_1m)
        VALUES (${makeReservationId()}, ${user.id}, 'committed', 'subscription', ${row?.id}, ${SPENT}, ${SPENT}, ${SPENT},
          ${at}, ${at}, ${at}, 'chat.completions', 'dime', 'upstream', 0, 0, 0, ${SPENT / 100n}, 100000000)`
    }))
  return { ...user, window: tight }
})

gatewayTests(Gateway)("four windows, many parallel calls", (test) => {
  test("no window is ever exceeded, and all of each is used", function*(gateway) {
    const users = yield* Effect.forEach(windows, subscriber)
    /** All call at once; answers come when all are decided. How many were admitted, by user, and the refusals. */
    const round = Effect.fnUntraced(function*(tokensUsed: number) {
      const gate = new Gate()
      const before = gateway.upstream.calls.length
      gateway.upstream.on("up", async (call) => {
        await gate.opened
        call.json(completion("word", chatUsage(10, tokensUsed)))
      })
      let refused = 0
      const call = (user: typeof users[number]) =>
        send(`${gateway.origin}/v1/chat/completions`, {
          key: user.key,
          body: { model: "dime", max_tokens: TOKENS, messages: [{ role: "user", content: "Hi" }] }
        }).pipe(
          Effect.tap(({ status }) => Effect.sync(() => status === 200 ? undefined : refused++)),
          Effect.map((answer) => ({ user, answer }))
        )
      const all = Array.from({ length: CALLS * users.length }, (_, index) => users[index % users.length])
      const calls = yield* Effect.forkScoped(
        Effect.forEach(all.filter((user) => user !== undefined), call, { concurrency: "unbounded" })
      )
      yield* until("all are decided", () => refused + gateway.upstream.calls.length - before >= all.length)
      gate.open()
      const answers = yield* Fiber.join(calls)
      yield* gateway.settled
      return answers
    })
    const admitted = (answers: Effect.Success<ReturnType<typeof round>>) =>
      users.map(({ id }) => answers.filter(({ answer, user }) => user.id === id && answer.status === 200).length)

    const first = yield* round(TOKENS * 0.4)
    const room = Number((LIMIT - SPENT) / HOLD)
    assert.deepStrictEqual(admitted(first), users.map(() => room))
    // While calls are open it is they who hold the room.
    for (const { answer } of first.filter(({ answer }) => answer.status !== 200)) {
      assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [429, "funds_held"])
      assert.isAtMost(Number(answer.headers["retry-after"]), 10)
    }
    // Five used two fifths of what they held: there is room for three more, and then for none.
    const second = yield* round(TOKENS)
    assert.deepStrictEqual(admitted(second), users.map(() => 3))
    const third = yield* round(TOKENS)
    assert.deepStrictEqual(admitted(third), users.map(() => 0))
    for (const { answer, user } of third) {
      assert.strictEqual(answer.status, 429, answer.text)
      assert.strictEqual(errorOf(answer.text).code, "subscription_quota_exceeded")
      assert.strictEqual(answer.headers["x-should-retry"], "false")
      // When what was spent before has left the window, with the bucket in which it is counted.
      const left = (user.window.hours - user.window.spentHoursAgo) * HOUR_SECONDS
      assert.isAtLeast(Number(answer.headers["retry-after"]), left - 60, user.window.name)
      assert.isAtMost(Number(answer.headers["retry-after"]), left + HOUR_SECONDS, user.window.name)
    }
    for (const user of users) {
      const charged = (yield* gateway.callsOf(user)).reduce((sum, row) => sum + (row.charged_micros ?? 0n), 0n)
      assert.strictEqual(charged, LIMIT)
      assert.strictEqual(yield* gateway.balanceOf(user), 0n)
    }
  })
})
