/**
 * Receipts over HTTP, asked for by the hundred: calls and pages share the database's connections with them, and must keep theirs.
 */
import { PgConnection } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Redacted } from "effect"
import { makeReservationId } from "../../src/domain/Ids.ts"
import { inGateway, microPriced, TestGateway } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"

layer(TestGateway.layerOf((origin) => microPriced(origin)), { excludeTestServices: true })("receipts", (it) => {
  inGateway(it)("take few connections, and of one user a bounded number of requests", function*(gateway) {
    const [reader, other] = [yield* gateway.user(1n), yield* gateway.user(1n)]
    const read = send(`${gateway.origin}/v1/usage/${makeReservationId()}`, { key: reader.key })
    assert.strictEqual((yield* read).status, 404)
    const database = yield* PgConnection.make({ url: Redacted.make(gateway.url) })
    yield* database.query("BEGIN", [], false)
    yield* database.query("LOCK TABLE usage_events IN ACCESS EXCLUSIVE MODE", [], false)
    const reads = yield* Effect.forkChild(
      Effect.forEach(Array.from({ length: 200 }), () => read, { concurrency: "unbounded" }),
      { startImmediately: true }
    )
    yield* Effect.sleep(200)
    // Its key is looked up first.
    const models = yield* send(`${gateway.origin}/v1/models`, { key: other.key })
    assert.strictEqual(models.status, 200, models.text)
    yield* database.query("ROLLBACK", [], false)
    const answers = yield* Fiber.join(reads)
    const refused = answers.filter(({ status }) => status === 429)
    assert.isAtLeast(refused.length, 100)
    assert.deepStrictEqual([...new Set(refused.map(({ text }) => errorOf(text).code))], ["rate_limit_exceeded"])
    assert.isAtLeast(answers.filter(({ status }) => status === 404).length, 1)
    assert.strictEqual((yield* read).status, 404)
  })
})
