/**
 * The traces of calls, as a collector receives them: whose trace it is, what its spans are, and what the upstream hears of it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { attributeOf, makeOtlpReceiver } from "../../support/OtlpReceiver.ts"
import { microPriced, TestGateway } from "../../support/TestGateway.ts"
import { send } from "../../support/TestHttp.ts"
import { chatUsage, completion } from "../../support/TestUpstream.ts"
import { until } from "../../support/Until.ts"

const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
const clientSpan = "00f067aa0ba902b7"

const traced = Effect.fnUntraced(function*(more: object = {}) {
  const receiver = yield* makeOtlpReceiver
  const gateway = yield* TestGateway.make((origin) => ({
    ...microPriced(origin),
    telemetry: {
      traces: { url: receiver.url, sample_ratio: "1", headers: { "X-Tenant": "mine" }, ...more }
    }
  }))
  const user = yield* gateway.user(1_000_000n)
  gateway.upstream.on("up", (call) =>
    call.body["stream"] === true
      ? call.chatStream(["one ", "two "], chatUsage(10, 2))
      : call.json(completion("word", chatUsage(10, 5))))
  const ask = (body: object, headers: Readonly<Record<string, string>> = {}) =>
    send(`${gateway.origin}/v1/chat/completions`, {
      key: user.key,
      headers,
      body: { model: "m", messages: [{ role: "user", content: "Hi" }], max_tokens: 50, ...body }
    })
  const spansOf = (id: string, least: number) =>
    Effect.as(
      until(
        "its spans came",
        Effect.sync(() => receiver.spans.filter(({ traceId }) => traceId === id).length >= least)
      ),
      receiver.spans
    ).pipe(Effect.map((spans) => spans.filter(({ traceId }) => traceId === id)))
  return { ask, gateway, receiver, spansOf }
})

describe("traces of calls", () => {
  it.live("continue the client's trace, and the upstream continues ours", () =>
    Effect.gen(function*() {
      const { ask, gateway, receiver, spansOf } = yield* traced()
      const answer = yield* ask({ stream: true }, { traceparent: `00-${trace}-${clientSpan}-01` })
      assert.strictEqual(answer.status, 200)
      const spans = yield* spansOf(trace, 7)
      const named = (name: string) => spans.find((span) => span.name === name) ?? assert.fail(`no ${name}`)
      const root = named("POST /v1/chat/completions")
      assert.strictEqual(root.parentSpanId, clientSpan)
      for (const name of ["authenticate", "read body", "hold", "upstream", "relay", "commit"]) {
        const span = named(name)
        assert.strictEqual(span.parentSpanId, root.spanId, name)
        assert.isTrue(BigInt(span.startTimeUnixNano) >= BigInt(root.startTimeUnixNano), name)
        assert.isTrue(BigInt(span.endTimeUnixNano) <= BigInt(root.endTimeUnixNano), name)
      }
      assert.strictEqual(gateway.upstream.calls.at(-1)?.traceparent, `00-${trace}-${named("upstream").spanId}-01`)
      const of = (key: string) => attributeOf(root, key)
      assert.strictEqual(of("realms.id"), answer.headers["x-request-id"])
      assert.deepStrictEqual(
        ["gen_ai.request.model", "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "realms.outcome"].map(of),
        ["m", 10, 2, "ok"]
      )
      assert.deepStrictEqual(["realms.cost_micros", "realms.funding", "realms.channel"].map(of), [
        "12",
        "balance",
        "one"
      ])
      assert.include(receiver.raw[0] ?? "", '"x-tenant":"mine"')
    }).pipe(Effect.scoped))

  it.live("start a new trace where the client's header is malformed, and say what failed", () =>
    Effect.gen(function*() {
      const { ask, gateway, spansOf } = yield* traced()
      gateway.upstream.on("up", (call) => call.error(500))
      assert.strictEqual((yield* ask({}, { traceparent: `00-${trace}-nonsense-01` })).status, 502)
      const [, id = "", upstreamParent = ""] = (gateway.upstream.calls.at(-1)?.traceparent ?? "").split("-")
      assert.match(id, /^[0-9a-f]{32}$/)
      assert.notStrictEqual(id, trace)
      const spans = yield* spansOf(id, 5)
      const attempt = spans.find(({ spanId }) => spanId === upstreamParent)
      assert.strictEqual(attempt?.name, "upstream")
      assert.strictEqual(attempt?.status.code, 2)
      const root = spans.find(({ parentSpanId }) => parentSpanId === undefined)
      assert.strictEqual(root?.status.code, 2)
      assert.strictEqual(root && attributeOf(root, "realms.outcome"), "upstream_error")
    }).pipe(Effect.scoped))

  it.live("are passed on but not recorded where the client or the share leaves them out", () =>
    Effect.gen(function*() {
      const { ask, gateway, receiver, spansOf } = yield* traced()
      yield* ask({}, { traceparent: `00-${trace}-${clientSpan}-00` })
      assert.match(gateway.upstream.calls.at(-1)?.traceparent ?? "", new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`))
      yield* ask({})
      const [, id = ""] = (gateway.upstream.calls.at(-1)?.traceparent ?? "").split("-")
      yield* spansOf(id, 6)
      assert.isFalse(receiver.spans.some(({ traceId }) => traceId === trace))
      const never = yield* traced({ sample_ratio: "0" })
      yield* never.ask({}, { traceparent: `00-${trace}-${clientSpan}-01` })
      assert.match(never.gateway.upstream.calls.at(-1)?.traceparent ?? "", new RegExp(`^00-${trace}-[0-9a-f]{16}-00$`))
      assert.strictEqual(never.receiver.spans.length, 0)
    }).pipe(Effect.scoped))

  it.live("keep no call waiting when the collector hangs", () =>
    Effect.gen(function*() {
      const { ask, receiver } = yield* traced()
      receiver.hang()
      for (let count = 0; count < 5; count++) assert.strictEqual((yield* ask({})).status, 200)
    }).pipe(Effect.scoped))

  it.live("are nothing to the upstream where they are off", () =>
    Effect.gen(function*() {
      const { ask, gateway } = yield* traced({ url: "" })
      yield* ask({}, { traceparent: `00-${trace}-${clientSpan}-01` })
      assert.isUndefined(gateway.upstream.calls.at(-1)?.traceparent)
    }).pipe(Effect.scoped))
})
