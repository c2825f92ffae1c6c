/**
 * A channel with several keys: one that is rate limited, refused or out of money is left alone, another takes over in the same call, and
 * all of it outlives a restart.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { acquireUpstream, type Upstream } from "../../simulators/upstream/UpstreamSimulator.ts"
import type { AdminChannel } from "../../src/channels/AdminChannel.ts"
import { conditionOf } from "../../src/channels/ChannelCondition.ts"
import { ProbeEveryMs } from "../../src/gateway/KeyProbes.ts"
import { testsOf } from "../support/Steps.ts"
import { TestGateway, type TestUser } from "../support/TestGateway.ts"
import { send } from "../support/TestHttp.ts"
import type { UpstreamCall } from "../support/TestUpstream.ts"
import { eventually, until } from "../support/Until.ts"

const KEYS = ["sk-upstream-key-0001", "sk-upstream-key-0002", "sk-upstream-key-0003"] as const

const model = {
  id: "m",
  input_usd_per_1m: "1",
  output_usd_per_1m: "1",
  max_output_tokens: 1_000,
  input_overhead_tokens: 0
}

const documentOf = (baseUrl: string, keys: ReadonlyArray<string> = KEYS, more: object = {}) => () => ({
  channels: [{ name: "several", base_url: baseUrl, api_keys: keys, models: { m: "up" }, ...more }],
  models: [model]
})

const call = ({ origin }: TestGateway["Service"], { key }: TestUser, body: object = {}) =>
  send(`${origin}/v1/chat/completions`, {
    key,
    body: { model: "m", messages: [{ role: "user", content: "Hi" }], ...body }
  })

/** The keys of the calls that the upstream got, in their order. */
const keysUsed = (upstream: Upstream): ReadonlyArray<string> =>
  upstream.requests.map(({ headers }) => (headers.authorization ?? "").replace("Bearer ", ""))

const theChannel = ({ channels }: TestGateway["Service"]) =>
  Effect.flatMap(
    channels.list,
    ([first]) => first === undefined ? Effect.die(new Error("no channel")) : Effect.succeed(first)
  )

const outHints = ({ keys }: AdminChannel) => keys.filter(({ out }) => out !== null).map(({ hint }) => hint)

const world = Effect.fnUntraced(function*(keys: ReadonlyArray<string>) {
  const upstream = yield* acquireUpstream({ apiKey: KEYS })
  const gateway = yield* TestGateway.make(documentOf(upstream.baseUrl, keys))
  const user = yield* gateway.user(1_000_000n)
  assert.strictEqual((yield* call(gateway, user)).status, 200)
  const [own = ""] = keysUsed(upstream)
  return { gateway, upstream, user, own }
})

/** Calls until the key is the one that was used. */
const usedAgain = (called: ReturnType<typeof call>, upstream: Parameters<typeof keysUsed>[0], own: string) =>
  until("the key is used again", Effect.map(called, () => keysUsed(upstream).at(-1) === own))

layer(Layer.succeed(ProbeEveryMs, 600_000), { excludeTestServices: true })("a channel with several keys", (it) => {
  const testsWith = (keys: ReadonlyArray<string>) => testsOf(it.effect, world(keys), ({ gateway }) => gateway.clean)
  const test = testsWith(KEYS)
  const alone = testsWith(KEYS.slice(0, 1))

  test(
    "takes another key in the same call when one is rate limited, and leaves that one alone until its time has come",
    function*({ gateway, own, upstream, user }) {
      upstream.always({ key: own, status: 429, retryAfter: 1 })
      assert.strictEqual((yield* call(gateway, user)).status, 200)
      const [, refused, other = ""] = keysUsed(upstream)
      assert.strictEqual(refused, own)
      assert.notStrictEqual(other, own)
      assert.strictEqual((yield* call(gateway, user)).status, 200)
      assert.strictEqual(keysUsed(upstream).at(-1), other)
      const channel = yield* theChannel(gateway)
      assert.strictEqual(conditionOf(channel), "works")
      assert.deepStrictEqual(outHints(channel), [])
      upstream.reset()
      yield* usedAgain(call(gateway, user), upstream, own)
    }
  )

  test(
    "serves many calls at once while a key is limited, and bills each once",
    function*({ gateway, own, upstream, user }) {
      upstream.always({ key: own, status: 429, retryAfter: 60 })
      const answers = yield* Effect.all(Array.from({ length: 40 }, () => call(gateway, user)), { concurrency: 40 })
      assert.isTrue(answers.every(({ status }) => status === 200))
      const calls = yield* gateway.callsOf(user)
      assert.isTrue(calls.every(({ charged_micros, state }) => state === "committed" && (charged_micros ?? 0n) > 0n))
      const used = keysUsed(upstream).length
      assert.strictEqual((yield* call(gateway, user)).status, 200)
      assert.strictEqual(keysUsed(upstream).length, used + 1)
    }
  )

  test("keeps a longer wait over a restart", function*({ gateway, own, upstream, user }) {
    upstream.next({ key: own, status: 429, retryAfter: 300 })
    assert.strictEqual((yield* call(gateway, user)).status, 200)
    yield* eventually(
      "the wait is written",
      theChannel(gateway),
      ({ keys }) => keys.some(({ coolingUntil }) => coolingUntil !== null)
    )
    const again = yield* TestGateway.make(documentOf(upstream.baseUrl), { url: gateway.url })
    assert.strictEqual((yield* call(again, user)).status, 200)
    assert.notStrictEqual(keysUsed(upstream).at(-1), own)
  })

  test(
    "says when to come back when every key is limited, and asks the upstream no more until then",
    function*({ gateway, upstream, user }) {
      for (const [at, key] of KEYS.entries()) upstream.always({ key, status: 429, retryAfter: 30 + at })
      const refused = yield* call(gateway, user)
      assert.strictEqual(refused.status, 429)
      assert.isAtMost(Number(refused.headers["retry-after"]), 30)
      const asked = upstream.seen()
      const again = yield* call(gateway, user)
      assert.strictEqual(again.status, 429)
      assert.isAbove(Number(again.headers["retry-after"]), 20)
      assert.strictEqual(upstream.seen(), asked)
      assert.strictEqual(conditionOf(yield* theChannel(gateway)), "fails")
    }
  )

  test(
    "keeps other users out of what one user's requests alone are refused for",
    function*({ gateway, upstream, user }) {
      const other = yield* gateway.user(1_000_000n)
      const large = { messages: [{ role: "user", content: "[sim: status=429 retryAfter=600]" }] }
      assert.strictEqual((yield* call(gateway, user, large)).status, 429)
      assert.strictEqual((yield* call(gateway, user)).status, 429)
      assert.strictEqual((yield* call(gateway, other)).status, 200)
      assert.deepStrictEqual(
        (yield* theChannel(gateway)).keys.map(({ coolingUntil }) => coolingUntil),
        KEYS.map(() => null)
      )
      assert.isAtLeast(upstream.seen(), KEYS.length + 2)
    }
  )

  it.effect("stays open for others when a call meets a key that waits and one that is refused", () =>
    Effect.gen(function*() {
      const [upstream, backup] = [yield* acquireUpstream({ apiKey: KEYS }), yield* acquireUpstream({ apiKey: KEYS })]
      const [first, second] = KEYS
      const gateway = yield* TestGateway.make(() => ({
        ...documentOf(upstream.baseUrl, [first, second])(),
        channels: [
          ...documentOf(upstream.baseUrl, [first, second], { priority: 1 })().channels,
          { name: "backup", base_url: backup.baseUrl, api_key: first, models: { m: "up" } }
        ]
      }))
      const user = yield* gateway.user(1_000_000n)
      const other = yield* gateway.user(1_000_000n)
      assert.strictEqual((yield* call(gateway, user)).status, 200)
      const [own = ""] = keysUsed(upstream)
      upstream.always({ key: own, status: 429, retryAfter: 60 })
      upstream.always({ key: own === first ? second : first, status: 401, code: "invalid_api_key" })
      assert.strictEqual((yield* call(gateway, user)).status, 200)
      assert.strictEqual(backup.seen(), 1)
      upstream.reset()
      // The channel has a key that works and asked one user alone to wait.
      assert.strictEqual((yield* call(gateway, other)).status, 200)
      assert.strictEqual(backup.seen(), 1)
      yield* gateway.clean
    }))

  it.effect("has its keys counted among the four attempts of a call, one of which is left for another channel", () =>
    Effect.gen(function*() {
      const many = Array.from({ length: 6 }, (_, at) => `sk-upstream-many-000${at}`)
      const [upstream, backup] = [yield* acquireUpstream({ apiKey: many }), yield* acquireUpstream({ apiKey: many })]
      const gateway = yield* TestGateway.make(() => ({
        ...documentOf(upstream.baseUrl, many)(),
        channels: [
          ...documentOf(upstream.baseUrl, many, { priority: 1 })().channels,
          { name: "backup", base_url: backup.baseUrl, api_key: many[0], models: { m: "up" } }
        ]
      }))
      const user = yield* gateway.user(1_000_000n)
      upstream.always({ status: 429, retryAfter: 60 })
      assert.strictEqual((yield* call(gateway, user)).status, 200)
      assert.deepStrictEqual([upstream.seen(), backup.seen()], [3, 1])
      yield* gateway.clean
    }))

  it.effect("loses a key that is refused for good, after a request of ours has confirmed it, and gets it back by a test", () =>
    Effect.gen(function*() {
      for (
        const [status, code, reason] of [[401, "invalid_api_key", "unauthorized"], [
          429,
          "insufficient_quota",
          "unpaid"
        ]] as const
      ) {
        const { gateway, own, upstream, user } = yield* world(KEYS)
        upstream.always({ key: own, status, code })
        assert.strictEqual((yield* call(gateway, user)).status, 200)
        const channel = yield* eventually("the key is out", theChannel(gateway), (one) => outHints(one).length > 0)
        assert.deepStrictEqual(outHints(channel), [`…${own.slice(-4)}`])
        const key = channel.keys.find(({ out }) => out !== null)
        assert.deepInclude(key?.out, { reason, status })
        assert.strictEqual(conditionOf(channel), "works")

        const again = yield* TestGateway.make(documentOf(upstream.baseUrl), { url: gateway.url })
        for (let at = 0; at < 3; at++) assert.strictEqual((yield* call(again, user)).status, 200)
        assert.notInclude(keysUsed(upstream).slice(-3), own)

        upstream.reset()
        assert.isNull((yield* gateway.testChannel(channel.id, "m", key?.id)).reason)
        assert.deepStrictEqual(outHints(yield* theChannel(gateway)), [])
        yield* usedAgain(call(again, user), upstream, own)
        yield* gateway.clean
      }
    }))

  it.effect("is out of use without any key that works, and comes back when a probe succeeds", () =>
    Effect.gen(function*() {
      const { gateway, upstream, user } = yield* world(KEYS.slice(0, 1))
      upstream.always({ status: 401, code: "invalid_api_key" })
      // One after the other: the third in a row has the key asked about.
      for (let at = 0; at < 3; at++) assert.strictEqual((yield* call(gateway, user)).status, 502)
      yield* eventually("the channel is out", theChannel(gateway), (one) => conditionOf(one) === "out")
      yield* until(
        "the upstream is asked no more",
        Effect.gen(function*() {
          const asked = upstream.seen()
          assert.strictEqual((yield* call(gateway, user)).status, 502)
          return upstream.seen() === asked
        })
      )
      upstream.reset()
      yield* gateway.change("channels", "probe", (sql) => sql`UPDATE channel_keys SET probe_at = now()`)
      yield* eventually("the key is back", theChannel(gateway), (one) => outHints(one).length === 0)
      yield* until("calls are served", Effect.map(call(gateway, user), ({ status }) => status === 200))
      yield* gateway.clean
    }).pipe(Effect.scoped, Effect.provideService(ProbeEveryMs, 20)))

  alone("waits longer after each probe that fails", function*({ gateway, upstream, user }) {
    upstream.always({ status: 401, code: "invalid_api_key" })
    for (let at = 0; at < 3; at++) yield* call(gateway, user)
    const channel = yield* eventually("the key is out", theChannel(gateway), (one) => outHints(one).length > 0)
    const waits: Array<number> = []
    for (let at = 0; at < 8; at++) {
      const probeAt = (yield* theChannel(gateway)).keys[0]?.out?.probeAt.getTime() ?? 0
      waits.push(Math.round((probeAt - (yield* Clock.currentTimeMillis)) / 60_000))
      yield* gateway.testChannel(channel.id, "m")
    }
    assert.deepStrictEqual(waits, [1, 2, 4, 8, 16, 32, 60, 60])
  })

  test("keeps its keys whatever a caller makes the upstream say", function*({ gateway, own, upstream, user }) {
    const asked = upstream.seen()
    const evil = { messages: [{ role: "user", content: "[sim: status=401 code=invalid_api_key]" }] }
    yield* call(gateway, user, evil)
    // The call, once for each key, and one question of ours about each of them.
    yield* until("the keys are asked about", () => upstream.seen() >= asked + 2 * KEYS.length)
    yield* until("the answers have come", Effect.map(theChannel(gateway), ({ tests }) => tests.length > 0))
    assert.deepStrictEqual(outHints(yield* theChannel(gateway)), [])
    assert.strictEqual(keysUsed(upstream).filter((key) => key === own).length, 3)
  })

  it.effect("looks for what a user has stored under every key, as accounts do not see each other's", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway.make((origin) =>
        documentOf(`${origin}/v1`, KEYS, { stores_responses: true })()
      )
      const user = yield* gateway.user(1_000_000n)
      const stored = new Map<string, string>()
      let limited = ""
      gateway.upstream.on("up", (asked: UpstreamCall) => {
        if (asked.authorization === limited) return asked.error(429, "slow down", { "retry-after": "60" })
        const previous = asked.body["previous_response_id"]
        if (typeof previous === "string" && stored.get(previous) !== asked.authorization) {
          return asked.error(400, `Previous response with id '${previous}' not found.`)
        }
        const id = `resp_${stored.size}`
        stored.set(id, asked.authorization)
        return asked.json({
          id,
          object: "response",
          status: "completed",
          output: [],
          usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 }
        })
      })
      const respond = (more: object = {}) =>
        send(`${gateway.origin}/v1/responses`, {
          key: user.key,
          body: { model: "m", input: "Hi", store: true, ...more }
        })
      assert.strictEqual((yield* respond()).status, 200)
      const own = stored.get("resp_0") ?? ""
      // While its own key waits, the user's answer is stored under another.
      limited = own
      assert.strictEqual((yield* respond()).status, 200)
      assert.notStrictEqual(stored.get("resp_1"), own)
      // The key that has it waits: it is said when to come back, not that it is not there.
      const waiting = yield* respond({ previous_response_id: "resp_0" })
      assert.strictEqual(waiting.status, 429)
      assert.isAbove(Number(waiting.headers["retry-after"]), 30)
      limited = ""
      const again = yield* TestGateway.make(
        () => documentOf(`${gateway.upstream.origin}/v1`, KEYS, { stores_responses: true })(),
        { url: gateway.url }
      )
      yield* again.change("channels", "warm", (sql) => sql`UPDATE channel_keys SET cooling_until = NULL`)
      const followed = yield* send(`${again.origin}/v1/responses`, {
        key: user.key,
        body: { model: "m", input: "And?", store: true, previous_response_id: "resp_1" }
      })
      assert.strictEqual(followed.status, 200)
      yield* gateway.clean
    }))
})
