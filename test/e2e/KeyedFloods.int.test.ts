/**
 * Idempotency keys that nobody has used, sent by the hundred: each is looked up in the database, whose connections calls need, too.
 */
import { PgConnection } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Fiber, Redacted } from "effect"
import { inGateway, microPriced, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { send } from "../support/TestHttp.ts"
import { chatUsage, completion } from "../support/TestUpstream.ts"

const FLOOD = 200

layer(TestGateway.layerOf((origin) => microPriced(origin)), { excludeTestServices: true })("keyed calls", (it) => {
  for (const [funds, status] of [[0n, 402], [1_000_000n, 200]] as const) {
    inGateway(it)(`take few connections, of a user with ${funds} micros`, function*(gateway) {
      const [flooder, other] = [yield* gateway.user(funds), yield* gateway.user(1_000_000n)]
      gateway.upstream.on("up", (call) => call.json(completion("word", chatUsage(10, 5))))
      const call = (user: TestUser, headers: Readonly<Record<string, string>> = {}) =>
        send(`${gateway.origin}/v1/chat/completions`, {
          key: user.key,
          body: { model: "m", messages: [{ role: "user", content: "Hi" }], max_tokens: 10 },
          headers
        })
      const keyed = (index: number) => call(flooder, { "idempotency-key": `key-${funds}-${index}` })
      assert.strictEqual((yield* keyed(-1)).status, status)
      const database = yield* PgConnection.make({ url: Redacted.make(gateway.url) })
      yield* database.query("BEGIN", [], false)
      yield* database.query("LOCK TABLE call_claims IN ACCESS EXCLUSIVE MODE", [], false)
      const flood = yield* Effect.forkChild(
        Effect.forEach(Array.from({ length: FLOOD }, (_, index) => index), keyed, { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* Effect.sleep(200)
      // Its API key and its account are read from the database first. Look-ups that hang are given up after two seconds.
      const askedMs = yield* Clock.currentTimeMillis
      const answer = yield* call(other)
      assert.strictEqual(answer.status, 200, answer.text)
      assert.isBelow((yield* Clock.currentTimeMillis) - askedMs, 1_000)
      yield* database.query("ROLLBACK", [], false)
      const answers = yield* Fiber.join(flood)
      assert.isEmpty(answers.filter((one) => ![status, 503].includes(one.status)))
      assert.strictEqual((yield* keyed(FLOOD)).status, status)
    })
  }
})
