/**
 * A channel made while servers run: calls go over it on every one of them, stop when it is disabled, and a test of it is a real
 * call that nobody pays for.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Redacted } from "effect"
import type { ChannelInput } from "../../src/channels/ChannelInput.ts"
import type { FailureReason } from "../../src/channels/FailureReason.ts"
import { HostLookup } from "../../src/config/OutboundUrl.ts"
import { defaultChannelTerms } from "../../src/domain/ChannelTerms.ts"
import { ChannelId } from "../../src/domain/Ids.ts"
import { ChannelTestMsMax } from "../../src/gateway/ChannelTest.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { rebound } from "../support/Rebound.ts"
import { TestGateway } from "../support/TestGateway.ts"
import { send } from "../support/TestHttp.ts"
import { chatUsage, completion, Gate } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const CANARY = "sk-canary-0815"
const models = ["m", "thinker"].map((id) => ({
  id,
  input_usd_per_1m: "1",
  output_usd_per_1m: "1",
  max_output_tokens: 1_000,
  reasoning: id === "thinker"
}))

/** Servers of one installation have one folder, in which the key is that seals. */
const installation = FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped()).pipe(
  Effect.map((folder) => () => ({ data_dir: folder, server: { port: 0 }, models })),
  Effect.provide(NodeServices.layer)
)

const over = (origin: string, more: Partial<ChannelInput> = {}): ChannelInput => ({
  ...defaultChannelTerms,
  name: "made",
  baseUrl: `${origin}/v1`,
  apiKeys: [Redacted.make(CANARY)],
  priority: 0,
  weight: 1,
  models: { m: "up", thinker: "up-thinking" },
  ...more
})

const call = (origin: string, key: string) =>
  send(`${origin}/v1/chat/completions`, { key, body: { model: "m", messages: [{ role: "user", content: "Hi" }] } })

describe("a channel made while servers run", () => {
  it.live("serves calls on every server until it is disabled", () =>
    Effect.gen(function*() {
      const document = yield* installation
      const one = yield* TestGateway.make(document)
      const two = yield* TestGateway.make(document, { url: one.url })
      one.upstream.on("up", (upstream) => upstream.json(completion("Hello", chatUsage(1, 1))))
      const user = yield* one.user(1_000_000n)
      // What serves nothing is asked first, so that both have it in memory.
      for (const { origin } of [one, two]) assert.strictEqual((yield* call(origin, user.key)).status, 404)

      const id = yield* one.channels.create(cliActor, over(one.upstream.origin))
      for (const { origin } of [one, two]) {
        yield* until("a call is served", Effect.map(call(origin, user.key), ({ status }) => status === 200))
      }
      assert.isTrue(one.upstream.calls.every(({ authorization }) => authorization === `Bearer ${CANARY}`))

      const { revision } = yield* one.channels.get(id)
      const input = over(one.upstream.origin, { apiKeys: [Redacted.make(`${CANARY}-2`)] })
      yield* two.channels.edit(cliActor, { id, revision, input })
      for (const { origin } of [one, two]) {
        yield* until(
          "the new key is used",
          Effect.map(call(origin, user.key), () => one.upstream.calls.at(-1)?.authorization === `Bearer ${CANARY}-2`)
        )
      }

      yield* one.channels.disable(cliActor, id)
      for (const { origin } of [one, two]) {
        yield* until("no call is served", Effect.map(call(origin, user.key), ({ status }) => status === 404))
      }
      yield* one.clean
    }).pipe(Effect.scoped))

  it.live("is tested by a call that leaves no trace in the books", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway.make(yield* installation)
      const { channels, upstream } = gateway
      const user = yield* gateway.user(1_000_000n)
      const id = yield* channels.create(cliActor, over(upstream.origin))
      yield* channels.disable(cliActor, id)
      const gate = new Gate()
      const table: ReadonlyArray<
        readonly [script: Parameters<typeof upstream.on>[1], reason: FailureReason | null, status: number | null]
      > = [
        [(asked) => asked.json(completion("H", chatUsage(1, 1))), null, 200],
        [(asked) => asked.json({ hello: "world" }), "not_chat", 200],
        [(asked) => void asked.response.writeHead(200).end("<html>"), "not_chat", 200],
        [(asked) => asked.error(400, `Bad key ${CANARY}`), "refused", 400],
        [(asked) => asked.error(401, `Incorrect API key: ${CANARY}`), "unauthorized", 401],
        [(asked) => asked.error(402), "unpaid", 402],
        [(asked) => asked.error(403), "unauthorized", 403],
        [(asked) => asked.error(404), "not_found", 404],
        [(asked) => asked.error(429), "rate_limited", 429],
        [(asked) => asked.json({ error: { code: "insufficient_quota" } }, 429), "unpaid", 429],
        [(asked) => asked.error(500), "upstream_error", 500],
        [(asked) => asked.json({}, 302, { location: "http://169.254.169.254/" }), "upstream_error", 302],
        [(asked) => void asked.response.destroy(), "broken", null],
        [() => gate.opened, "timeout", null]
      ]
      for (const [script, reason, status] of table) {
        upstream.on("up", script)
        const outcome = yield* gateway.testChannel(id, "m")
        assert.deepInclude(outcome, { model: "m", reason, status })
        assert.notInclude(JSON.stringify(outcome), "canary")
      }
      assert.deepStrictEqual(upstream.calls[0]?.body, {
        model: "up",
        messages: [{ role: "user", content: "Hi" }],
        max_tokens: 1,
        stream: false
      })
      upstream.on("up-thinking", (asked) => asked.json(completion("H")))
      assert.isNull((yield* gateway.testChannel(id, "thinker")).reason)
      assert.property(upstream.callsOf("up-thinking")[0]?.body, "max_completion_tokens")
      assert.notProperty(upstream.callsOf("up-thinking")[0]?.body, "max_tokens")
      assert.strictEqual((yield* Effect.flip(gateway.testChannel(id, "x")))._tag, "ChannelModelUnknown")
      assert.strictEqual((yield* Effect.flip(gateway.testChannel(ChannelId.make(999n), "m")))._tag, "ChannelNotFound")
      assert.strictEqual((yield* channels.get(id)).health, "closed")
      assert.deepStrictEqual(yield* gateway.callsOf(user), [])
      assert.strictEqual(yield* gateway.balanceOf(user), 1_000_000n)
      gate.open()
    }).pipe(Effect.scoped, Effect.provideService(ChannelTestMsMax, 1_000)))

  it.live("sends the query of its address with calls and with tests", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway.make(yield* installation)
      const { channels, upstream } = gateway
      upstream.on("up", (asked) => asked.json(completion("Hello", chatUsage(1, 1))))
      const user = yield* gateway.user(1_000_000n)
      const baseUrl = `${upstream.origin}/v1/?api-version=2026-01-01`
      const id = yield* channels.create(cliActor, over(upstream.origin, { baseUrl }))
      assert.isNull((yield* gateway.testChannel(id, "m")).reason)
      yield* until("a call is served", Effect.map(call(gateway.origin, user.key), ({ status }) => status === 200))
      assert.deepStrictEqual(
        upstream.calls.map(({ path }) => path),
        ["/v1/chat/completions?api-version=2026-01-01", "/v1/chat/completions?api-version=2026-01-01"]
      )
      yield* gateway.clean
    }).pipe(Effect.scoped))

  it.live("is not reached at an address that is not called, whatever its name says, declared or not", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway.make(() => ({
        server: { port: 0 },
        models,
        channels: [
          { name: "literal", base_url: "http://169.254.169.254/v1", api_key: "x", models: { m: "up" } },
          { name: "named", base_url: "http://upstream.example/v1", api_key: "x", models: { m: "up" } }
        ]
      }))
      const user = yield* gateway.user(1_000_000n)
      for (const { id } of yield* gateway.channels.list) {
        assert.deepInclude(yield* gateway.testChannel(id, "m"), { reason: "forbidden", status: null })
      }
      assert.strictEqual((yield* call(gateway.origin, user.key)).status, 502)
      yield* gateway.clean
    }).pipe(Effect.scoped, Effect.provideService(HostLookup, rebound)))
})
