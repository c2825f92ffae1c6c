/**
 * Limits of calls, over HTTP and with the OpenAI SDK: what is refused with which words and headers, where limits come from, and from
 * which networks a key may be used.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import OpenAI, { RateLimitError } from "openai"
import { inGateway, microPriced, openChat, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { chatUsage, completion, Gate } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 10_000_000n
const messages = [{ role: "user" as const, content: "Hi" }]

const Limiting = TestGateway.layerOf((origin) => ({
  ...microPriced(origin),
  server: { port: 0, trusted_proxies: ["127.0.0.1"] },
  limits: { key_requests_per_minute: 5 }
}))

type Gateway = TestGateway["Service"]

const change = (gateway: Gateway, user: TestUser, column: string, value: unknown) =>
  gateway.change(
    "keys",
    user.keyId.toString(),
    (sql) => sql`UPDATE api_keys SET ${sql(column)} = ${value} WHERE id = ${user.keyId}`
  )

const chat = (gateway: Gateway, user: TestUser, headers: Record<string, string> = {}) =>
  send(`${gateway.origin}/v1/chat/completions`, {
    key: user.key,
    body: { model: "m", messages, max_tokens: 10 },
    headers
  })

layer(Limiting, { excludeTestServices: true })("limits of calls over HTTP", (it) => {
  const test = inGateway(it)

  test("are told in OpenAI's headers, and refuse with 429 and the time to wait", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 5))))
    const client = new OpenAI({ apiKey: user.key, baseURL: `${gateway.origin}/v1`, maxRetries: 0 })
    for (const remaining of ["4", "3", "2", "1", "0"]) {
      const { response } = yield* Effect.promise(() =>
        client.chat.completions.create({ model: "m", messages, max_tokens: 10 }).withResponse()
      )
      assert.strictEqual(response.headers.get("x-ratelimit-limit-requests"), "5")
      assert.strictEqual(response.headers.get("x-ratelimit-remaining-requests"), remaining)
      assert.match(response.headers.get("x-ratelimit-reset-requests") ?? "", /^(\d+m)?\d+s$/)
      assert.isNull(response.headers.get("x-ratelimit-limit-tokens"))
    }
    const refused = yield* Effect.promise(() =>
      client.chat.completions.create({ model: "m", messages, max_tokens: 10 }).then(
        () => undefined,
        (error: unknown) => error
      )
    )
    if (!(refused instanceof RateLimitError)) return assert.fail("not refused")
    assert.strictEqual(refused.code, "rate_limit_exceeded")
    assert.match(refused.message, /This key is limited to 5 requests a minute/)
    const wait = Number(refused.headers.get("retry-after"))
    assert.isTrue(wait >= 1 && wait <= 12, String(wait))
    assert.strictEqual(refused.headers.get("x-ratelimit-remaining-requests"), "0")
    // Another key of the settings' limit is not touched, and one with a limit of its own has that.
    const other = yield* gateway.user(START)
    yield* change(gateway, other, "requests_per_minute", 60)
    yield* change(gateway, other, "tokens_per_minute", 1_000)
    const answer = yield* chat(gateway, other)
    assert.deepInclude(answer.headers, { "x-ratelimit-limit-requests": "60", "x-ratelimit-limit-tokens": "1000" })
    const left = Number(answer.headers["x-ratelimit-remaining-tokens"])
    assert.isTrue(left > 900 && left < 1_000, String(left))
  })

  test("of open calls refuse what is too much, until one has ended", function*(gateway) {
    const user = yield* gateway.user(START)
    yield* change(gateway, user, "requests_per_minute", 1_000)
    yield* change(gateway, user, "concurrent_calls", 2)
    const answerNow = new Gate()
    gateway.upstream.on("up", async (call) => {
      await answerNow.opened
      call.json(completion("word", chatUsage(10, 5)))
    })
    const answers = Array.from({ length: 8 }, () => openChat(gateway.origin, user, { max_tokens: 10 }))
    yield* until("the others are refused", () => answers.filter((answer) => answer.ended).length === 6)
    answerNow.open()
    yield* until("all have ended", () => answers.every((answer) => answer.ended))
    const statuses = answers.map((answer) => answer.status).toSorted()
    assert.deepStrictEqual(statuses, [200, 200, 429, 429, 429, 429, 429, 429])
    yield* gateway.settled
    assert.strictEqual((yield* chat(gateway, user)).status, 200)
  })

  test("of networks let a key be used from them alone, behind trusted proxies too", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 5))))
    yield* change(gateway, user, "allowed_networks", ["203.0.113.0/24", "2001:db8::/32"])
    const from = (address: string) => chat(gateway, user, { "x-forwarded-for": address })
    const refused = yield* chat(gateway, user)
    assert.deepStrictEqual([refused.status, errorOf(refused.text).code], [403, "network_not_allowed"])
    assert.strictEqual((yield* from("203.0.113.9")).status, 200)
    assert.strictEqual((yield* from("[2001:db8::7]:443")).status, 200)
    // The last address besides the proxies' counts: the others are what the client says of itself.
    assert.strictEqual((yield* from("203.0.113.9, 198.51.100.1")).status, 403)
    assert.strictEqual((yield* from("198.51.100.1, 203.0.113.9, 127.0.0.1")).status, 200)
    assert.strictEqual((yield* from("unknown")).status, 403)
    assert.strictEqual(
      (yield* send(`${gateway.origin}/v1/models`, { key: user.key })).status,
      403
    )
  })
})
