/**
 * Clients that ask before they send a body: they are told to go on when the body is read, and a refusal comes without that.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { RawConnection } from "../../support/RawConnection.ts"
import { microPriced, TestGateway } from "../../support/TestGateway.ts"
import { chatUsage, completion } from "../../support/TestUpstream.ts"
import { until } from "../../support/Until.ts"

const START = 1_000_000n
const BODY_BYTES_MAX = 10_000
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"

const Gateway = TestGateway.layerOf((origin) => ({
  ...microPriced(origin),
  server: { port: 0, max_body_bytes: BODY_BYTES_MAX }
}), { client: { discardMs: 500 } })

const body = JSON.stringify({ model: "m", messages: [{ role: "user", content: "Hi" }] })

const head = (key: string, more: string, expect = "100-continue") =>
  [
    "POST /v1/chat/completions HTTP/1.1",
    "host: realms",
    `authorization: Bearer ${key}`,
    `expect: ${expect}`,
    "content-type: application/json",
    more,
    "",
    ""
  ].join("\r\n")

const connection = (origin: string) =>
  Effect.acquireRelease(Effect.sync(() => new RawConnection(origin)), (one) => Effect.sync(() => one.end()))

layer(Gateway, { excludeTestServices: true })("a client that asks before it sends its body", (it) => {
  it.effect("is told to go on, once, and is answered on a connection that stays open", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(START)
      gateway.upstream.on("up", (call) => call.json(completion("hello", chatUsage(10, 5))))
      const client = yield* connection(gateway.origin)
      for (const expect of ["100-continue", "100-Continue"]) {
        client.text = ""
        client.write(head(user.key, `content-length: ${body.length}`, expect))
        yield* until("it may go on", () => client.text === CONTINUE)
        client.write(body)
        yield* until("it is answered", () => client.text.includes("hello"))
        assert.match(client.text.slice(CONTINUE.length), /^HTTP\/1\.1 200 /)
        assert.notMatch(client.text, /connection: close/i)
      }
      assert.strictEqual(yield* gateway.balanceOf(user), START - 30n)
    }))

  it.effect("is not told to go on when the call is refused by what its headers say", () =>
    Effect.gen(function*() {
      const gateway = yield* TestGateway
      const user = yield* gateway.user(START)
      const poor = yield* gateway.user(0n)
      const calls = gateway.upstream.calls.length
      const length = `content-length: ${body.length}`
      const table: ReadonlyArray<readonly [what: string, head: string, status: number]> = [
        ["no such key", head("sk-none", length), 401],
        ["no funds", head(poor.key, length), 402],
        ["too long", head(user.key, `content-length: ${BODY_BYTES_MAX + 1}`), 413],
        ["unknown encoding", head(user.key, `content-encoding: x\r\n${length}`), 415],
        ["no such page", head(user.key, length).replace("/chat/completions", "/nothing"), 404]
      ]
      for (const [what, sent, status] of table) {
        const client = yield* connection(gateway.origin)
        client.write(sent)
        yield* until(`${what} is answered`, () => client.status !== 0)
        assert.strictEqual(client.status, status, what)
        assert.strictEqual(client.header("connection"), "close", what)
        yield* until("the connection closes", () => client.closed)
        assert.notInclude(client.text, "100 Continue", what)
      }
      assert.lengthOf(gateway.upstream.calls, calls)
    }))

  it.effect("is told to go on at once by every other page", () =>
    Effect.gen(function*() {
      const { origin } = yield* TestGateway
      const client = yield* connection(origin)
      client.write("POST /login HTTP/1.1\r\nhost: realms\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n")
      yield* until("it may go on", () => client.text.startsWith(CONTINUE))
      client.write("a=b")
      yield* until("it is answered", () => /HTTP\/1\.1 [2-5]\d\d /.test(client.text))
    }))
})
