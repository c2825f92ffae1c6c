/**
 * No telemetry carries a prompt, an answer or a secret: calls that go well and calls that fail, with planted texts in everything that a
 * client, an upstream or an operator writes, after which the log, the metrics and the traces are searched for them.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomUUID } from "node:crypto"
import { makeOtlpReceiver } from "../support/OtlpReceiver.ts"
import { makeInstallation } from "../support/SpawnRealms.ts"
import { makeDatabase } from "../support/TestDatabase.ts"
import { OpenAnswer, send } from "../support/TestHttp.ts"
import { chatUsage, completion, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const canary = (what: string): string => `${what}-${randomUUID()}`

const planted = {
  prompt: canary("prompt"),
  answer: canary("answer"),
  streamed: canary("streamed"),
  tool: canary("tool"),
  user: canary("user"),
  model: canary("model"),
  header: canary("header"),
  query: canary("query"),
  error: canary("error"),
  broken: canary("broken"),
  wrongKey: canary("sk-wrong"),
  channel: canary("sk-channel"),
  stripe: canary("sk_test"),
  webhook: canary("whsec"),
  epay: canary("epay"),
  collector: canary("collector"),
  metrics: canary("metrics"),
  callback: canary("callback"),
  password: canary("Password"),
  tracestate: canary("state")
}

const models = ["good", "failing", "refusing", "cut"]

describe("telemetry", () => {
  it.live("has no prompt, no answer and no secret in it", () =>
    Effect.gen(function*() {
      const upstream = yield* TestUpstream.acquire
      const receiver = yield* makeOtlpReceiver
      upstream.on("good", (call) =>
        call.body["stream"] === true
          ? call.chatStream([`${planted.streamed} `], chatUsage(10, 2))
          : call.json(completion(planted.answer, chatUsage(10, 5))))
      upstream.on("failing", (call) => call.error(500, `${planted.error}: ${call.authorization}`))
      upstream.on("refusing", (call) => call.error(400, `${planted.error} is not allowed`))
      upstream.on("cut", (call) => {
        call.frame({ id: "1", choices: [{ index: 0, delta: { content: planted.streamed } }] })
        call.response.destroy()
      })
      const realms = yield* makeInstallation({
        database: { url: yield* makeDatabase() },
        channels: [{
          name: "one",
          base_url: `${upstream.origin}/v1`,
          api_key: planted.channel,
          models: Object.fromEntries(models.map((model) => [model, model]))
        }],
        models: models.map((id) => ({ id, input_usd_per_1m: "1", output_usd_per_1m: "1", max_output_tokens: 1_000 })),
        payment: {
          stripe: {
            enabled: true,
            secret_key: planted.stripe,
            webhook_secret: planted.webhook,
            api_base: upstream.origin
          },
          epay: { enabled: true, gateway: upstream.origin, partner_id: "1", key: planted.epay }
        },
        telemetry: {
          metrics: { token: planted.metrics },
          traces: { url: receiver.url, sample_ratio: "1", headers: { authorization: `Bearer ${planted.collector}` } }
        },
        log: { level: "all", access: true, calls: true }
      })
      const server = yield* realms.start
      const user = yield* realms.user("canary@example.com", "1.00")
      const ask = (body: unknown, headers: Readonly<Record<string, string>> = {}, key = user.key) =>
        send(`${server.origin}/v1/chat/completions?q=${planted.query}`, { key, headers, body })
      const call = (model: string, more: object = {}) => ({
        model,
        messages: [{ role: "user", content: planted.prompt }],
        tools: [{ type: "function", function: { name: planted.tool, parameters: { title: planted.tool } } }],
        user: planted.user,
        max_tokens: 50,
        ...more
      })
      const headers = {
        "x-client": planted.header,
        "user-agent": planted.header,
        tracestate: `a=${planted.tracestate}`
      }
      assert.strictEqual((yield* ask(call("good"), headers)).status, 200)
      assert.strictEqual((yield* ask(call("good", { stream: true }), headers)).status, 200)
      assert.strictEqual((yield* ask(call("failing"), headers)).status, 502)
      assert.strictEqual((yield* ask(call("refusing"), headers)).status, 400)
      assert.strictEqual((yield* ask(call(planted.model), headers)).status, 404)
      assert.strictEqual((yield* ask(call("good"), headers, planted.wrongKey)).status, 401)
      assert.strictEqual((yield* ask(`{"model":"${planted.broken}`, headers)).status, 400)
      assert.strictEqual((yield* ask(call("good", { n: planted.broken }), headers)).status, 400)
      const cut = new OpenAnswer(`${server.origin}/v1/chat/completions`, { key: user.key, method: "POST" })
      cut.end(call("cut", { stream: true }))
      yield* until("the cut answer has ended", () => cut.ended)
      yield* send(`${server.origin}/v1/${planted.query}?q=${planted.query}`, { key: user.key })
      yield* send(`${server.origin}/api/pay/stripe/webhook`, {
        body: { id: planted.callback },
        headers: { "stripe-signature": planted.callback }
      })
      yield* send(`${server.origin}/api/pay/epay/notify?sign=${planted.callback}&out_trade_no=1`, {})
      yield* send(`${server.origin}/login`, {
        body: `email=canary@example.com&password=${planted.password}`,
        headers: { "content-type": "application/x-www-form-urlencoded" }
      })
      const metrics = yield* send(`${server.origin}/metrics`, { key: planted.metrics })
      assert.strictEqual(metrics.status, 200)
      const lines = () => server.log.split("\n").filter((line) => line.includes('"call"'))
      yield* until("every call has its line", () => lines().length >= 9)
      const roots = () => receiver.spans.filter(({ name }) => name.startsWith("POST "))
      yield* until("every call has its trace", () => roots().length >= 9)
      server.signal("SIGTERM")
      assert.strictEqual(yield* server.exit, 0)
      const bodies = receiver.raw.map((raw) => raw.slice(raw.indexOf("\n")))
      const said = { log: server.log, metrics: metrics.text, traces: bodies.join("\n") }
      for (const [where, text] of Object.entries(said)) {
        for (const [what, secret] of Object.entries({ ...planted, key: user.key })) {
          assert.isFalse(text.includes(secret), `${what} is in the ${where}`)
        }
      }
      // What is searched for is what was used: the collector was sent its own secret, and nobody else was.
      assert.isTrue(receiver.raw.every((raw) => raw.includes(planted.collector)))
      assert.strictEqual(upstream.calls[0]?.authorization, `Bearer ${planted.channel}`)
    }), 120_000)
})
