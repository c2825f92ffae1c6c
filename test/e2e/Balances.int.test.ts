/**
 * What tools ask about a key and its account over HTTP: with the key alone, from any page, as often as they like, and never more than
 * the key may know.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { inGateway, microPriced, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { chatUsage, completion } from "../support/TestUpstream.ts"

const START = 10_000_000n

const paths = [
  "/v1/dashboard/billing/subscription",
  "/v1/dashboard/billing/usage",
  "/dashboard/billing/subscription",
  "/dashboard/billing/usage",
  "/v1/credits",
  "/v1/key",
  "/v1/auth/key",
  "/v1/balance"
]

type Gateway = TestGateway["Service"]

const ask = (gateway: Gateway, key: string, path: string, headers: Readonly<Record<string, string>> = {}) =>
  send(`${gateway.origin}${path}`, { key, headers })

// What is asked for is looked at field by field.
// oxlint-disable-next-line no-explicit-any
const json = (gateway: Gateway, user: TestUser, path: string): Effect.Effect<any> =>
  Effect.map(ask(gateway, user.key, path), ({ status, text }) => {
    assert.strictEqual(status, 200, `${path} ${text}`)
    return JSON.parse(text)
  })

/** A call that is charged so many micros, at a micro a token. */
const charge = Effect.fnUntraced(function*(gateway: Gateway, user: TestUser, micros: number) {
  gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, micros - 10))))
  const answer = yield* send(`${gateway.origin}/v1/chat/completions`, {
    key: user.key,
    body: { model: "m", messages: [{ role: "user", content: "Hi" }], max_tokens: micros }
  })
  assert.strictEqual(answer.status, 200, answer.text)
})

const setKey = (gateway: Gateway, user: TestUser, assignments: string) =>
  gateway.change(
    "keys",
    user.keyId.toString(),
    (sql) => sql`UPDATE api_keys SET ${sql.literal(assignments)} WHERE id = ${user.keyId}`
  )

layer(TestGateway.layerOf((origin) => microPriced(origin)), { excludeTestServices: true })(
  "balances for tools",
  (it) => {
    const test = inGateway(it)

    test("say what was spent and what is left, at once after a call", function*(gateway) {
      const user = yield* gateway.user(START)
      assert.deepInclude(yield* json(gateway, user, "/v1/balance"), { balance: 10, is_available: true })
      yield* charge(gateway, user, 50_000)
      assert.deepInclude(yield* json(gateway, user, "/v1/dashboard/billing/subscription"), { hard_limit_usd: 10 })
      assert.deepInclude(
        yield* json(gateway, user, "/v1/dashboard/billing/usage?start_date=2026-01-01&end_date=2026-01-02"),
        {
          total_usage: 5
        }
      )
      assert.deepStrictEqual(yield* json(gateway, user, "/v1/credits"), {
        data: { total_credits: 10, total_usage: 0.05 }
      })
      const { data } = yield* json(gateway, user, "/v1/key")
      assert.deepInclude(data, { usage: 0.05, usage_daily: 0.05, usage_weekly: 0.05, usage_monthly: 0.05, limit: null })
      assert.deepInclude(yield* json(gateway, user, "/v1/balance"), { balance: 9.95, balance_micros: "9950000" })
    })

    test("of a key with a limit a day are of that limit, and so are refusals", function*(gateway) {
      const user = yield* gateway.user(START)
      yield* setKey(gateway, user, "spend_limit_micros = 150000, spend_limit_period = 'day'")
      yield* charge(gateway, user, 60_000)
      const { data } = yield* json(gateway, user, "/v1/key")
      assert.deepInclude(data, { limit: 0.15, limit_remaining: 0.09, limit_reset: "daily", usage_daily: 0.06 })
      assert.deepStrictEqual(yield* json(gateway, user, "/v1/credits"), {
        data: { total_credits: 0.15, total_usage: 0.06 }
      })
      assert.deepInclude(yield* json(gateway, user, "/v1/balance"), { balance: 0.09 })
      const refused = yield* send(`${gateway.origin}/v1/chat/completions`, {
        key: user.key,
        body: { model: "m", messages: [{ role: "user", content: "Hi" }], max_tokens: 95_000 }
      })
      assert.strictEqual(refused.status, 403, refused.text)
      assert.match(
        errorOf(refused.text).message,
        /spend limit is \$0\.15 a day; \$0\.06 of it is spent.*The next day begins at \d{4}-\d\d-\d\dT00:00:00\.000Z\.$/
      )
    })

    test("are for the holder of a key that works, and may be asked for by any page", function*(gateway) {
      const user = yield* gateway.user(START)
      for (const path of paths) {
        const answer = yield* ask(gateway, user.key, path, { origin: "https://tool.example" })
        assert.deepInclude(answer, { status: 200 })
        assert.deepInclude(answer.headers, { "access-control-allow-origin": "*", "cache-control": "no-store" })
        const question = yield* send(`${gateway.origin}${path}`, {
          method: "OPTIONS",
          headers: { origin: "https://tool.example", "access-control-request-headers": "authorization" }
        })
        assert.deepInclude(question.headers, { "access-control-allow-headers": "authorization" })
        for (const key of ["sk-wrong", ""]) {
          const refused = yield* ask(gateway, key, path)
          assert.deepStrictEqual([refused.status, errorOf(refused.text).code], [401, "invalid_api_key"], path)
        }
        assert.strictEqual((yield* send(`${gateway.origin}${path}`, { key: user.key, body: {} })).status, 404)
      }
      assert.strictEqual((yield* ask(gateway, user.key, "/dashboard/billing/else")).status, 404)
      yield* setKey(gateway, user, "paused_at = now()")
      for (const path of [...paths, "/v1/models"]) {
        const paused = yield* ask(gateway, user.key, path)
        assert.strictEqual(paused.status, 401)
        assert.match(errorOf(paused.text).message, /This API key is paused/)
      }
      const call = yield* send(`${gateway.origin}/v1/chat/completions`, {
        key: user.key,
        body: { model: "m", messages: [] }
      })
      assert.match(errorOf(call.text).message, /paused/)
      yield* setKey(gateway, user, "paused_at = NULL")
      assert.strictEqual((yield* ask(gateway, user.key, "/v1/balance")).status, 200)
    })

    test("are answered however many ask at once", function*(gateway) {
      const users = yield* Effect.orDie(Effect.all([gateway.user(1n), gateway.user(2n), gateway.user(3n)]))
      const asked = Array.from({ length: 300 }, (_, at) => users[at % 3] ?? assert.fail("no user"))
      const answers = yield* Effect.forEach(asked, (user) => json(gateway, user, "/v1/balance"), { concurrency: 100 })
      assert.deepStrictEqual(
        answers.map(({ balance_micros }) => balance_micros),
        asked.map((_, at) => String(at % 3 + 1))
      )
    })
  }
)

layer(TestGateway.layerOf((origin) => microPriced(origin, { enabled: false })), { excludeTestServices: true })(
  "balances without billing",
  (it) => {
    inGateway(it)("have no limit", function*(gateway) {
      const user = yield* gateway.user(0n)
      assert.deepInclude(yield* json(gateway, user, "/v1/dashboard/billing/subscription"), {
        hard_limit_usd: 100_000_000
      })
      assert.isTrue((yield* json(gateway, user, "/v1/balance")).is_available)
    })
  }
)
