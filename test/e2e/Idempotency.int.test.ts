/**
 * Calls with an idempotency key: one upstream call and one charge, however often and at once the key is sent, to one server or to two, and
 * also when its client leaves; and what is said after a crash.
 */
import { assert, describe, it, layer } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import OpenAI from "openai"
import { chatPath, document } from "../support/ProcessCalls.ts"
import { makeInstallation } from "../support/SpawnRealms.ts"
import { makeDatabase, queryAt } from "../support/TestDatabase.ts"
import { inGateway, microPriced, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { errorOf, OpenAnswer, send } from "../support/TestHttp.ts"
import { chatUsage, chunk, completion, Gate, TestUpstream } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

const START = 10_000_000n
const PROCESS_TIMEOUT_MS = 300_000
const LEASE_SECONDS = 3
const messages = [{ role: "user" as const, content: "Hi" }]

type Gateway = TestGateway["Service"]

const chat = (gateway: Pick<Gateway, "origin">, user: TestUser, key: string, body: object = {}) =>
  send(`${gateway.origin}${chatPath}`, {
    key: user.key,
    body: { model: "m", messages, max_tokens: 10, ...body },
    headers: { "idempotency-key": key }
  })

const open = (gateway: Gateway, user: TestUser, key: string, body: object = {}) => {
  const answer = new OpenAnswer(`${gateway.origin}${chatPath}`, {
    key: user.key,
    method: "POST",
    headers: { "idempotency-key": key }
  })
  answer.end({ model: "m", messages, max_tokens: 10, ...body })
  return answer
}

const REPLAY = "x-realms-idempotent-replay"

const Keyed = TestGateway.layerOf((origin) => microPriced(origin))

layer(Keyed, { excludeTestServices: true })("an idempotency key", (it) => {
  const test = inGateway(it)

  for (const stream of [false, true]) {
    test(`makes one call of many at once, and of later ones${stream ? ", streamed" : ""}`, function*(gateway) {
      const user = yield* gateway.user(START)
      const gate = new Gate()
      const before = gateway.upstream.calls.length
      gateway.upstream.on("up", async (call) => {
        await gate.opened
        if (stream) call.chatStream(["one ", "two "], chatUsage(10, 5))
        else call.json(completion("word", chatUsage(10, 5)))
      })
      const answers = Array.from({ length: 10 }, () => open(gateway, user, "many", { stream }))
      yield* until("the call is made", () => gateway.upstream.calls.length === before + 1)
      const other = yield* chat(gateway, user, "many", { stream, max_tokens: 11 })
      assert.deepStrictEqual([other.status, errorOf(other.text).code], [409, "idempotency_mismatch"], "at once")
      gate.open()
      yield* until("all are answered", () => answers.every((answer) => answer.ended))
      const later = yield* chat(gateway, user, "many", { stream })
      const all = [...answers, later]
      assert.strictEqual(gateway.upstream.calls.length, before + 1)
      assert.deepStrictEqual(all.map(({ status }) => status), Array.from({ length: 11 }, () => 200))
      assert.strictEqual(new Set(all.map(({ text }) => text)).size, 1)
      assert.strictEqual(new Set(all.map(({ headers }) => headers["x-request-id"])).size, 1)
      assert.strictEqual(new Set(all.map(({ headers }) => headers["content-type"])).size, 1)
      assert.strictEqual(all.filter(({ headers }) => headers[REPLAY] === "true").length, 10)
      if (stream) assert.include(later.text, "data: [DONE]")
      yield* gateway.settled
      assert.strictEqual((yield* gateway.callsOf(user)).length, 1)
      assert.strictEqual(yield* gateway.balanceOf(user), START - 15n)
      // A stranger's key of the same name, and another key, are other calls.
      const stranger = yield* gateway.user(START)
      assert.strictEqual((yield* chat(gateway, stranger, "many", { stream })).headers[REPLAY], undefined)
      assert.strictEqual((yield* chat(gateway, user, "other", { stream })).headers[REPLAY], undefined)
      assert.strictEqual(gateway.upstream.calls.length, before + 3)
    })
  }

  test("is refused with another body, and for what is no key", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 5))))
    assert.strictEqual((yield* chat(gateway, user, "body")).status, 200)
    const other = yield* chat(gateway, user, "body", { max_tokens: 11 })
    assert.deepStrictEqual([other.status, errorOf(other.text).code], [409, "idempotency_mismatch"])
    assert.strictEqual(other.headers["x-should-retry"], "false")
    for (const key of ["", "a b", "k".repeat(256)]) {
      assert.strictEqual((yield* chat(gateway, user, key)).status, 400, key)
    }
  })

  test("may be used again when its call came to nothing, or was not held", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => call.error(400))
    assert.strictEqual((yield* chat(gateway, user, "failed")).status, 400)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 5))))
    const again = yield* chat(gateway, user, "failed", { max_tokens: 12 })
    assert.deepStrictEqual([again.status, again.headers[REPLAY]], [200, undefined])
    const poor = yield* gateway.user(0n)
    assert.strictEqual((yield* chat(gateway, poor, "poor")).status, 402)
    yield* gateway.credit(poor, START)
    assert.strictEqual((yield* chat(gateway, poor, "poor")).status, 200)
  })

  test("has its call made to the end when the client leaves, and answers who comes back", function*(gateway) {
    const user = yield* gateway.user(START)
    const gate = new Gate()
    const before = gateway.upstream.calls.length
    gateway.upstream.on("up", async (call) => {
      call.frame(chunk("one "))
      await gate.opened
      call.chatStream(["two "], chatUsage(10, 5))
    })
    const left = open(gateway, user, "left", { stream: true })
    yield* until("it has begun", () => left.text.includes("one "))
    left.cut()
    yield* until("it is gone", () => left.ended)
    const back = open(gateway, user, "left", { stream: true })
    gate.open()
    yield* until("it is answered", () => back.ended)
    assert.strictEqual(gateway.upstream.calls.length, before + 1)
    assert.deepStrictEqual([back.status, back.headers[REPLAY]], [200, "true"])
    assert.include(back.text, "one ")
    assert.include(back.text, "[DONE]")
    yield* gateway.settled
    assert.strictEqual(yield* gateway.balanceOf(user), START - 15n)
  })

  test("is not kept with an answer of more than 1 MiB, and makes no second call all the same", function*(gateway) {
    const user = yield* gateway.user(START)
    const before = gateway.upstream.calls.length
    gateway.upstream.on("up", (call) => call.json(completion("w".repeat(1_048_577), chatUsage(10, 10))))
    assert.strictEqual((yield* chat(gateway, user, "large")).status, 200)
    const again = yield* chat(gateway, user, "large")
    assert.deepStrictEqual([again.status, errorOf(again.text).code], [409, "idempotency_not_kept"])
    assert.strictEqual(gateway.upstream.calls.length, before + 1)
  })

  test("is answered when the money is used up, and not to a key that may not call the model", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 5))))
    assert.strictEqual((yield* chat(gateway, user, "paid")).status, 200)
    yield* gateway.settled
    yield* gateway.credit(user, -(yield* gateway.balanceOf(user)))
    const again = yield* chat(gateway, user, "paid")
    assert.deepStrictEqual([again.status, again.headers[REPLAY]], [200, "true"])
    assert.strictEqual((yield* chat(gateway, user, "unpaid")).status, 402)
    yield* gateway.change(
      "keys",
      user.keyId.toString(),
      (sql) => sql`UPDATE api_keys SET allowed_models = '{other}' WHERE id = ${user.keyId}`
    )
    const refused = yield* chat(gateway, user, "paid")
    assert.deepStrictEqual([refused.status, errorOf(refused.text).code], [403, "model_not_allowed"])
  })

  test("is kept with no more than 100 MiB of a user, also of many at once", function*(gateway) {
    const user = yield* gateway.user(START)
    const gate = new Gate()
    gateway.upstream.on("up", async (call) => {
      await gate.opened
      call.json(completion("w".repeat(2_000), chatUsage(10, 5)))
    })
    // Room for one answer of these.
    const before = 104_857_600 - 4_500
    yield* queryAt(
      gateway.url,
      `INSERT INTO call_claims (user_id, key_hash, body_hash, call_id, expires_at, backend_pid, backend_start, answer, answer_key_id)
        VALUES (${user.id}, '', '', gen_random_uuid(), now() + interval '1 day', 0, now(), repeat('x', ${before})::bytea, 'none')`
    )
    const made = gateway.upstream.calls.length
    const answers = Array.from({ length: 6 }, (_, index) => open(gateway, user, `full-${index}`))
    yield* until("the calls are made", () => gateway.upstream.calls.length === made + 6)
    gate.open()
    yield* until("all are answered", () => answers.every((one) => one.ended))
    assert.deepStrictEqual(answers.map(({ status }) => status), [200, 200, 200, 200, 200, 200])
    const kept = yield* queryAt(
      gateway.url,
      `SELECT count(*)::integer AS kept FROM call_claims WHERE user_id = ${user.id} AND answer IS NOT NULL`
    )
    assert.deepStrictEqual(kept, [{ kept: 2 }])
  })

  test("is not taken over while the answer of a call that is charged may still be kept", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 5))))
    const first = yield* chat(gateway, user, "charged")
    assert.strictEqual(first.status, 200)
    yield* gateway.settled
    // As it is when the journal's connection was lost during the call, between the settlement and the write of the answer.
    yield* queryAt(
      gateway.url,
      `UPDATE call_claims SET answer = NULL, answer_key_id = NULL, backend_pid = 0
        WHERE call_id = '${String(first.headers["x-request-id"])}'`
    )
    const before = gateway.upstream.calls.length
    const again = yield* chat(gateway, user, "charged")
    assert.deepStrictEqual([again.status, errorOf(again.text).code], [409, "idempotency_unknown"])
    assert.strictEqual(gateway.upstream.calls.length, before)
  })

  test("is one for two servers", function*(gateway) {
    const user = yield* gateway.user(START)
    const context = yield* Layer.build(
      Layer.fresh(TestGateway.layerOf(() => microPriced(gateway.upstream.origin), { url: gateway.url }))
    )
    const second = Context.get(context, TestGateway)
    const gate = new Gate()
    const before = gateway.upstream.calls.length
    gateway.upstream.on("up", async (call) => {
      await gate.opened
      call.json(completion("word", chatUsage(10, 5)))
    })
    const answers = Array.from({ length: 8 }, (_, index) => open(index % 2 === 0 ? gateway : second, user, "two"))
    yield* until("the call is made", () => gateway.upstream.calls.length > before)
    gate.open()
    yield* until("all are answered", () => answers.every((answer) => answer.ended))
    assert.deepStrictEqual(answers.map(({ status }) => status), Array.from({ length: 8 }, () => 200))
    assert.strictEqual(gateway.upstream.calls.length, before + 1)
    assert.strictEqual(new Set(answers.map(({ text }) => text)).size, 1)
    yield* gateway.settled
    assert.strictEqual(yield* gateway.balanceOf(user), START - 15n)
  })

  test("comes from the OpenAI SDK as a header", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 5))))
    const client = new OpenAI({ apiKey: user.key, baseURL: `${gateway.origin}/v1`, maxRetries: 0 })
    const ask = Effect.promise(() =>
      client.chat.completions.create(
        { model: "m", messages, max_tokens: 10 },
        { headers: { "Idempotency-Key": "sdk" } }
      ).withResponse()
    )
    const [first, second] = [yield* ask, yield* ask]
    assert.deepStrictEqual(second.data, first.data)
    assert.strictEqual(second.response.headers.get(REPLAY), "true")
    assert.strictEqual(second.response.headers.get("x-realms-cost-micros"), "15")
  })
})

describe("an idempotency key after a crash", { timeout: PROCESS_TIMEOUT_MS }, () => {
  it.live("is unknown until the hold has ended, and then makes a new call", () =>
    Effect.gen(function*() {
      const upstream = yield* TestUpstream.acquire
      const url = yield* makeDatabase()
      const realms = yield* makeInstallation(document(upstream, LEASE_SECONDS, { database: { url } }))
      const server = yield* realms.start
      const user = yield* realms.user("crash@example.com", "1.00")
      const ask = (origin: string) =>
        send(`${origin}${chatPath}`, {
          key: user.key,
          body: { model: "slow", messages, max_tokens: 10 },
          headers: { "idempotency-key": "crash" }
        })
      upstream.on("slow", () => undefined)
      const lost = new OpenAnswer(`${server.origin}${chatPath}`, {
        key: user.key,
        method: "POST",
        headers: { "idempotency-key": "crash" }
      })
      lost.end({ model: "slow", messages, max_tokens: 10 })
      yield* until("the call is made", () => upstream.calls.length === 1)
      server.signal("SIGKILL")
      yield* until("it is gone", () => server.ended !== undefined)
      const next = yield* realms.start
      const unknown = yield* ask(next.origin)
      assert.deepStrictEqual([unknown.status, errorOf(unknown.text).code], [409, "idempotency_unknown"])
      assert.isAtLeast(Number(unknown.headers["retry-after"]), 1)
      upstream.on("slow", (call) => call.json(completion("word", chatUsage(10, 5))))
      yield* until(
        "the hold has ended",
        Effect.map(queryAt(url, "SELECT 1 FROM open_holds"), (rows) => rows.length === 0)
      )
      const answer = yield* ask(next.origin)
      assert.deepStrictEqual([answer.status, answer.headers[REPLAY]], [200, undefined])
      assert.strictEqual((yield* ask(next.origin)).headers[REPLAY], "true")
      assert.strictEqual(upstream.calls.length, 2)
    }))
})
