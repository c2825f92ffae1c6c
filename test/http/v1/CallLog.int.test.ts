/**
 * The line of the log that each call has: what it was, what it used and cost, how it ended and where its time went.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, References, Schema } from "effect"
import { microPriced, TestGateway } from "../../support/TestGateway.ts"
import { send } from "../../support/TestHttp.ts"
import { chatUsage, completion } from "../../support/TestUpstream.ts"
import { until } from "../../support/Until.ts"

const Facts = Schema.Record(Schema.String, Schema.Unknown)
const Line = Schema.Tuple([Schema.Literal("call"), Facts])
const isLine = Schema.is(Line)

const heard = Effect.fnUntraced(function*(log: object = {}) {
  const lines: Array<typeof Facts.Type> = []
  const logger = Logger.make(({ message }) => {
    if (isLine(message)) lines.push(message[1])
  })
  const gateway = yield* TestGateway.make((origin) => ({ ...microPriced(origin), log }), {
    observing: Layer.mergeAll(Logger.layer([logger]), Layer.succeed(References.MinimumLogLevel, "Info"))
  })
  const user = yield* gateway.user(1_000_000n)
  const ask = (body: object, key = user.key) =>
    send(`${gateway.origin}/v1/chat/completions`, {
      key,
      body: { model: "m", messages: [{ role: "user", content: "Hi" }], max_tokens: 50, ...body }
    })
  const lineOf = (id: unknown) =>
    Effect.as(until("the call has its line", () => lines.some((line) => line["id"] === id)), undefined).pipe(
      Effect.map(() => lines.find((line) => line["id"] === id) ?? assert.fail("no line"))
    )
  return { ask, gateway, lineOf, lines, user }
})

describe("the line of a call", () => {
  it.live("says who asked for what, what it cost, and where its time went", () =>
    Effect.gen(function*() {
      const { ask, gateway, lineOf, user } = yield* heard()
      gateway.upstream.on("up", (call) =>
        call.body["stream"] === true
          ? call.chatStream(["one ", "two "], chatUsage(10, 2))
          : call.json(completion("word", chatUsage(10, 5))))
      const answer = yield* ask({})
      const line = yield* lineOf(answer.headers["x-request-id"])
      assert.containSubset(line, {
        route: "chat",
        user: String(user.id),
        key: String(user.keyId),
        model: "m",
        channel: "one",
        attempts: 1,
        stream: false,
        status: 200,
        outcome: "ok",
        funding: "balance",
        input_tokens: 10,
        output_tokens: 5,
        usage: "upstream",
        cost_micros: "15",
        charged_micros: "15"
      })
      const ms = (name: string) => Number(line[name])
      const parts = ["body_ms", "hold_ms", "queue_ms", "upstream_ms", "commit_ms", "gateway_ms"]
      assert.approximately(parts.reduce((sum, name) => sum + ms(name), 0), ms("ms"), 0.01)
      const streamed = yield* ask({ stream: true })
      const other = yield* lineOf(streamed.headers["x-request-id"])
      assert.isAbove(Number(other["first_token_ms"]), 0)
      assert.strictEqual(other["stream"], true)
    }).pipe(Effect.scoped))

  it.live("says why a call was refused or failed", () =>
    Effect.gen(function*() {
      const { ask, gateway, lineOf } = yield* heard()
      gateway.upstream.on("up", (call) => call.error(500))
      const failed = yield* ask({})
      assert.containSubset(yield* lineOf(failed.headers["x-request-id"]), {
        status: 502,
        outcome: "upstream_error",
        channel: "one",
        charged_micros: "0"
      })
      const unknown = yield* ask({}, "sk-nobody")
      const line = yield* lineOf(unknown.headers["x-request-id"])
      assert.containSubset(line, { status: 401, outcome: "invalid_api_key" })
      assert.notProperty(line, "user")
    }).pipe(Effect.scoped))

  it.live("is left out where it is switched off", () =>
    Effect.gen(function*() {
      const { ask, gateway, lines } = yield* heard({ calls: false })
      gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 5))))
      assert.strictEqual((yield* ask({})).status, 200)
      yield* gateway.settled
      assert.deepStrictEqual(lines, [])
    }).pipe(Effect.scoped))
})
