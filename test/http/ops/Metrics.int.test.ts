/**
 * What `/metrics` says of a server after some calls, who may read it, and that a database that hangs does not keep it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Metric } from "effect"
import { freePort } from "../../support/FreePort.ts"
import { samplesOf, sumOf } from "../../support/MetricsText.ts"
import { makeProxy } from "../../support/JournalProxy.ts"
import { makeDatabase } from "../../support/TestDatabase.ts"
import { microPriced, TestGateway } from "../../support/TestGateway.ts"
import { send } from "../../support/TestHttp.ts"
import { chatUsage, completion } from "../../support/TestUpstream.ts"
import { until } from "../../support/Until.ts"

/** A server whose metrics are those of no other test of this process. */
const alone = Effect.provideService(Metric.MetricRegistry, new Map())

const metricsOf = (origin: string, headers: Readonly<Record<string, string>> = {}) =>
  Effect.map(send(`${origin}/metrics`, { headers }), ({ status, text }) => {
    assert.strictEqual(status, 200, text)
    return samplesOf(text)
  })

/** Less than a read of the database may take. */
const ANSWER_MS_MAX = 4_000

describe("/metrics", () => {
  it.live("counts calls by route, model, channel and outcome, and what they used", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway.make((origin) => microPriced(origin))
      const user = yield* gateway.user(1_000_000n)
      gateway.upstream.on("up", (call) =>
        call.body["stream"] === true
          ? call.chatStream(["one ", "two "], chatUsage(10, 2))
          : call.json(completion("word", chatUsage(10, 5))))
      const ask = (body: object) =>
        send(`${gateway.origin}/v1/chat/completions`, {
          key: user.key,
          body: { model: "m", messages: [{ role: "user", content: "Hi" }], max_tokens: 50, ...body }
        })
      assert.strictEqual((yield* ask({})).status, 200)
      assert.strictEqual((yield* ask({ stream: true })).status, 200)
      assert.strictEqual((yield* ask({ model: "made-up-by-a-stranger" })).status, 404)
      yield* send(`${gateway.origin}/v1/chat/completions`, { key: "sk-nobody", body: {} })
      yield* gateway.settled
      const samples = yield* metricsOf(gateway.origin)
      const of = (name: string, labels: Readonly<Record<string, string>> = {}) => sumOf(samples, name, labels)
      const labels = { route: "chat", model: "m", channel: "one" }
      assert.strictEqual(of("realms_calls_total", { ...labels, outcome: "ok" }), 2)
      assert.strictEqual(of("realms_calls_total", { model: "other", channel: "none", outcome: "model_not_found" }), 1)
      assert.strictEqual(of("realms_calls_total", { model: "other", outcome: "invalid_api_key" }), 1)
      assert.strictEqual(of("realms_calls_total"), 4)
      assert.notInclude(JSON.stringify(samples), "stranger")
      assert.strictEqual(of("realms_call_duration_seconds_count", labels), 2)
      assert.strictEqual(of("realms_call_first_token_seconds_count", labels), 1)
      assert.strictEqual(of("realms_call_tokens_total", { ...labels, bucket: "input" }), 20)
      assert.strictEqual(of("realms_call_tokens_total", { ...labels, bucket: "output" }), 7)
      assert.strictEqual(of("realms_call_cost_micros_total", labels), 27)
      assert.strictEqual(of("realms_call_charged_micros_total", labels), 27)
      assert.strictEqual(of("realms_charge_micros_sum"), 27)
      for (const stage of ["gateway", "body", "hold", "queue", "upstream", "commit"]) {
        assert.isAbove(of("realms_call_stage_seconds_count", { stage }), 0, stage)
      }
      const spent = of("realms_call_stage_seconds_sum")
      assert.approximately(spent, of("realms_call_duration_seconds_sum"), 0.001)
      assert.strictEqual(of("realms_open_holds"), 0)
      assert.strictEqual(of("realms_channel_state", { channel: "one" }), 0)
      assert.strictEqual(of("realms_channel_enabled", { channel: "one" }), 1)
      assert.strictEqual(of("realms_debts_micros"), 0)
      for (
        const name of [
          "realms_database_bytes",
          "realms_database_connections",
          "realms_database_connections_max",
          "realms_disk_free_bytes",
          "realms_memory_bytes",
          "process_resident_memory_bytes",
          "process_cpu_seconds_total",
          "realms_event_loop_busy_seconds_total",
          "realms_journal_connected",
          "realms_build_info"
        ]
      ) assert.isAbove(of(name), 0, name)
    }).pipe(alone, Effect.scoped))

  it.live("are for this machine, or for those who send the token", () =>
    Effect.gen(function*() {
      const open = yield* TestGateway.make((origin) => microPriced(origin))
      assert.strictEqual((yield* send(`${open.origin}/metrics`, {})).status, 200)
      const passedOn = yield* send(`${open.origin}/metrics`, { headers: { "x-forwarded-for": "192.0.2.7" } })
      assert.strictEqual(passedOn.status, 403)
      assert.include(passedOn.text, "telemetry.metrics.token")
      const document = (telemetry: object) => (origin: string) => ({ ...microPriced(origin), telemetry })
      const closed = yield* TestGateway.make(document({ metrics: { token: "secret" } }))
      assert.strictEqual((yield* send(`${closed.origin}/metrics`, {})).status, 401)
      assert.strictEqual((yield* send(`${closed.origin}/metrics`, { key: "wrong" })).status, 401)
      assert.strictEqual((yield* send(`${closed.origin}/metrics`, { key: "secret" })).status, 200)
      const port = yield* freePort
      const apart = yield* TestGateway.make(document({ metrics: { port } }))
      assert.strictEqual((yield* send(`${apart.origin}/metrics`, {})).status, 404)
      yield* until(
        "the listener is there",
        Effect.map(send(`http://127.0.0.1:${port}/metrics`, {}), ({ status }) => status === 200)
      )
      assert.strictEqual((yield* send(`http://127.0.0.1:${port}/`, {})).status, 404)
    }).pipe(alone, Effect.scoped))

  it.live("answer while the database hangs", () =>
    Effect.gen(function*() {
      const proxy = yield* makeProxy(yield* makeDatabase())
      const gateway = yield* TestGateway.make((origin) => microPriced(origin), { url: proxy.url })
      proxy.silence()
      yield* Effect.gen(function*() {
        const started = performance.now()
        const samples = yield* metricsOf(gateway.origin)
        assert.isBelow(performance.now() - started, ANSWER_MS_MAX)
        assert.isAbove(sumOf(samples, "process_resident_memory_bytes"), 0)
      }).pipe(Effect.ensuring(Effect.sync(() => proxy.speak())))
    }).pipe(alone, Effect.scoped))
})
