/**
 * Calls through the gateway with everything below it in memory, and a real upstream over HTTP: what is held before it is asked, and
 * what is charged or given back however the call ends.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { ChannelHealth } from "../../src/channels/ChannelHealth.ts"
import { ChannelShares } from "../../src/channels/ChannelShares.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { ApiKeyId, makeReservationId, UserId } from "../../src/domain/Ids.ts"
import { CallNotes } from "../../src/gateway/CallNotes.ts"
import { Gateway } from "../../src/gateway/Gateway.ts"
import type { CallContext } from "../../src/gateway/OpenCall.ts"
import { parseCall } from "../../src/gateway/request/ParseCall.ts"
import { PublicAddress } from "../../src/platform/PublicAddress.ts"
import { MemoryAccounts, memoryCatalog, memoryChannels, memorySettings, NoLimits } from "../support/MemoryServices.ts"
import { ScriptedClient } from "../support/ScriptedClient.ts"
import { microPriced } from "../support/TestGateway.ts"
import { chatUsage, completion, TestUpstream, type UpstreamCall } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const BALANCE = 1_000n

const make = Effect.gen(function*() {
  const upstream = yield* TestUpstream.acquire
  const config = testConfig({ log: { level: "none" }, ...microPriced(upstream.origin) })
  const accounts = new MemoryAccounts()
  const ada = UserId.make(1n)
  const account = accounts.open(ada, BALANCE)
  const context = yield* Layer.build(
    Gateway.layer.pipe(
      Layer.provide(Layer.mergeAll(
        accounts.layer,
        memoryCatalog(config),
        memoryChannels(config),
        memorySettings(config),
        NoLimits,
        ChannelHealth.layer,
        ChannelShares.layer,
        PublicAddress.layer
      )),
      Layer.provide(AppConfig.layerOf(config))
    )
  )
  const run = Effect.fnUntraced(function*(body: object, client = new ScriptedClient()) {
    const call = parseCall("chat", Buffer.from(JSON.stringify({ model: "m", ...body })))
    if (call._tag === "Refused") return assert.fail(call.message)
    const asked: CallContext = {
      requestId: makeReservationId(),
      key: {
        keyId: ApiKeyId.make(1n),
        userId: ada,
        expiresAtMs: null,
        limits: null,
        allowedModels: null,
        networks: null
      },
      call,
      client,
      startedMs: yield* Clock.currentTimeMillis,
      notes: new CallNotes("id", "chat")
    }
    const result = yield* Effect.result(
      Effect.provideContext(Effect.flatMap(Gateway, ({ run }) => run(asked)), context)
    )
    yield* until("the call is settled", () => [...account.rows.values()].every(({ state }) => state !== "reserved"))
    return { client, result, row: account.rows.get(asked.requestId) }
  })
  return { account, run, upstream }
})

const hello = { messages: [{ role: "user", content: "Hi" }], max_tokens: 100 }

describe("a call", () => {
  it.live("is held before the upstream hears of it, and charged what was used", () =>
    Effect.gen(function*() {
      const { account, run, upstream } = yield* make
      let held = 0n
      upstream.on("up", (call: UpstreamCall) => {
        held = account.state.heldMicros
        call.json(completion("word", chatUsage(10, 5)))
      })
      const { client, row } = yield* run(hello)
      assert.isAbove(Number(held), 100)
      assert.strictEqual(client.status, 200)
      assert.include(client.text, "word")
      assert.deepStrictEqual([row?.state, row?.costMicros, row?.chargedMicros], ["committed", 15n, 15n])
      assert.deepStrictEqual([account.state.usdMicros, account.state.heldMicros], [BALANCE - 15n, 0n])
    }).pipe(Effect.scoped))

  it.live("of a stream is charged what was used", () =>
    Effect.gen(function*() {
      const { account, run, upstream } = yield* make
      upstream.on("up", (call: UpstreamCall) => call.chatStream(["one ", "two "], chatUsage(10, 2)))
      const { client, row } = yield* run({ ...hello, stream: true })
      assert.include(client.text, "two ")
      assert.deepStrictEqual([row?.state, row?.chargedMicros], ["committed", 12n])
      assert.strictEqual(account.state.usdMicros, BALANCE - 12n)
    }).pipe(Effect.scoped))

  it.live("that the upstream fails costs nothing", () =>
    Effect.gen(function*() {
      const { account, run, upstream } = yield* make
      upstream.on("up", (call: UpstreamCall) => call.json({ error: { message: "no" } }, 500))
      const { result, row } = yield* run(hello)
      assert.strictEqual(result._tag, "Failure")
      assert.strictEqual(row?.state, "voided")
      assert.deepStrictEqual([account.state.usdMicros, account.state.heldMicros], [BALANCE, 0n])
    }).pipe(Effect.scoped))

  it.live("that the balance does not pay for is refused, and the upstream not asked", () =>
    Effect.gen(function*() {
      const { account, run, upstream } = yield* make
      const { result } = yield* run({
        ...hello,
        max_tokens: 90_000,
        messages: [{ role: "user", content: "x".repeat(9_000) }]
      })
      assert.strictEqual(result._tag, "Failure")
      assert.strictEqual(upstream.calls.length, 0)
      assert.strictEqual(account.state.usdMicros, BALANCE)
    }).pipe(Effect.scoped))

  it.live("for a model that is not there is refused", () =>
    Effect.gen(function*() {
      const { account, run } = yield* make
      const { result, row } = yield* run({ ...hello, model: "other" })
      assert.strictEqual(result._tag, "Failure")
      assert.deepStrictEqual([row, account.state.usdMicros], [undefined, BALANCE])
    }).pipe(Effect.scoped))
})
