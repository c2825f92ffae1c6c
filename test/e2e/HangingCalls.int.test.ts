/**
 * One user who opens more calls than a channel has connections, to an upstream that accepts and never answers: others are served by
 * the same upstream meanwhile, and when the clients leave nothing stays held.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { RawConnection } from "../support/RawConnection.ts"
import { microPriced, TestGateway, type TestUser } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { chatUsage, completion } from "../support/TestUpstream.ts"
import { until } from "../support/Until.ts"

/** Thousands of connections, on a machine that may have two slow cores. */
const TEST_TIMEOUT_MS = 180_000
const START = 10_000_000n
const CALLS = 2_060
const CONNECTIONS = 2_048
/** The last quarter serves users below their share. */
const CONNECTIONS_OF_ONE = CONNECTIONS - CONNECTIONS / 4
const OTHERS = 5
const COST = 15n

const path = "/v1/chat/completions"
const messages = [{ role: "user", content: "Hi" }]

/** A call that hangs, by the text that its upstream knows it by. */
const requestOf = (user: TestUser, stream: boolean): string => {
  const body = JSON.stringify({ model: "m", stream, stop: "hang", max_tokens: 100, messages })
  return `POST ${path} HTTP/1.1\r\nhost: realms\r\nauthorization: Bearer ${user.key}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

const Gateway = TestGateway.layerOf((origin) => microPriced(origin, {}, { max_connections: CONNECTIONS }))

layer(Gateway, { excludeTestServices: true, timeout: TEST_TIMEOUT_MS })("2,060 hanging calls of one key", (it) => {
  it.effect(
    "leave other users of the same upstream served, and no hold behind when their clients leave",
    () =>
      Effect.gen(function*() {
        const { upstream, ...gateway } = yield* TestGateway
        const user = yield* gateway.user(START)
        const others = yield* Effect.forEach(Array.from({ length: OTHERS }), () => gateway.user(START))
        upstream.on("up", (call) => {
          if (call.body["stop"] === "hang") return
          if (call.body["stream"] === true) call.chatStream(["word "], chatUsage(10, 5))
          else call.json(completion("word", chatUsage(10, 5)))
        })
        const clients = yield* Effect.acquireRelease(
          Effect.sync(() => Array.from({ length: CALLS }, () => new RawConnection(gateway.origin))),
          (all) => Effect.sync(() => all.forEach((client) => client.end()))
        )
        clients.forEach((client, index) => client.write(requestOf(user, index % 2 === 0)))
        const hanging = () => upstream.calls.filter((call) => call.body["stop"] === "hang")
        yield* until("one user's part of the connections is taken", () => hanging().length >= CONNECTIONS_OF_ONE)
        yield* until(
          "every call is held or refused",
          Effect.map(gateway.callsOf(user), (calls) => {
            const held = new Set(calls.map(({ id }) => id))
            const isRefused = (client: RawConnection) => client.status !== 0 && !held.has(client.header("x-request-id"))
            return held.size + clients.filter(isRefused).length === CALLS
          })
        )

        for (const other of others) {
          for (const stream of [false, true]) {
            const answer = yield* send(`${gateway.origin}${path}`, {
              key: other.key,
              body: { model: "m", stream, messages }
            })
            assert.strictEqual(answer.status, 200, answer.text)
          }
          assert.strictEqual(yield* gateway.balanceOf(other), START - 2n * COST)
        }
        assert.strictEqual(hanging().length, CONNECTIONS_OF_ONE, "the rest waits")
        assert.isFalse(hanging().some((call) => call.aborted), "they hang all the while")
        for (const { body, status } of clients.filter((client) => client.status >= 400)) {
          assert.deepStrictEqual([status, errorOf(body).code], [429, "rate_limit_exceeded"])
        }

        for (const client of clients) client.end()
        yield* until("every upstream is left", () => hanging().every((call) => call.aborted))
        yield* gateway.settled
        assert.strictEqual(hanging().length, CONNECTIONS_OF_ONE, "nobody who waited is sent after leaving")
        const calls = yield* gateway.callsOf(user)
        const charged = calls.filter((call) => call.state === "committed")
        assert.strictEqual(charged.length, CONNECTIONS_OF_ONE)
        // What was sent pays for its few words of input, what waited for nothing.
        for (const call of charged) {
          assert.deepStrictEqual([call.reason, call.output_tokens], ["client_gone", 0n])
          assert.isBelow(Number(call.charged_micros), 20)
        }
        assert.isTrue(calls.every((call) => call.state !== "voided" || call.charged_micros === 0n))
        const left = START - charged.reduce((sum, call) => sum + (call.charged_micros ?? 0n), 0n)
        assert.strictEqual(yield* gateway.balanceOf(user), left)
        const answer = yield* send(`${gateway.origin}${path}`, { key: user.key, body: { model: "m", messages } })
        assert.strictEqual(answer.status, 200, answer.text)
        assert.strictEqual(yield* gateway.balanceOf(user), left - COST)
        yield* gateway.clean
      }),
    TEST_TIMEOUT_MS
  )
})
