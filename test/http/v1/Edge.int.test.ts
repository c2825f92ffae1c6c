/**
 * The edge of `/v1/*` over real connections: encodings, bodies that are too slow, too large or too many, answers before the body,
 * browsers, and connections that say nothing.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import OpenAI, { APIError } from "openai"
import { setImmediate } from "node:timers/promises"
import * as zlib from "node:zlib"
import { RawConnection } from "../../support/RawConnection.ts"
import { microPriced, TestGateway } from "../../support/TestGateway.ts"
import { errorOf, OpenAnswer, send } from "../../support/TestHttp.ts"
import { chatUsage, completion } from "../../support/TestUpstream.ts"
import { until } from "../../support/Until.ts"

const START = 1_000_000n
const path = "/v1/chat/completions"
const BODY_BYTES_MAX = 300_000
const FREE_BYTES = 10_000
const USER_BYTES_MAX = 400_000
const PROCESS_BYTES_MAX = 600_000
const SLOW_AFTER_MS = 400
const RATE = 50_000

const Gateway = TestGateway.layerOf((origin) => ({
  ...microPriced(origin),
  server: { port: 0, max_body_bytes: BODY_BYTES_MAX }
}), {
  client: {
    headersTimeoutMs: 400,
    bodySlowAfterMs: SLOW_AFTER_MS,
    bodyBytesPerSecondMin: RATE,
    bodyBudget: { processBytesMax: PROCESS_BYTES_MAX, userBytesMax: USER_BYTES_MAX, freeBytes: FREE_BYTES },
    discardMs: 500,
    checkMs: 50
  }
})

const chat = (content: string) => JSON.stringify({ model: "m", messages: [{ role: "user", content }] })
const body = chat("Hi")

const head = (key: string, framing: string) =>
  `POST ${path} HTTP/1.1\r\nhost: realms\r\nauthorization: Bearer ${key}\r\ncontent-type: application/json\r\n${framing}\r\n\r\n`

const connection = (origin: string) =>
  Effect.acquireRelease(Effect.sync(() => new RawConnection(origin)), (one) => Effect.sync(() => one.end()))

const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`

const fixture = Effect.gen(function*() {
  const gateway = yield* TestGateway
  const user = yield* gateway.user(START)
  gateway.upstream.on("up", (call) => call.json(completion("hello", chatUsage(10, 5))))
  const url = `${gateway.origin}${path}`
  return { gateway, url, user }
})

layer(Gateway, { excludeTestServices: true })("a body", (it) => {
  const encodings: ReadonlyArray<readonly [name: string, encode: (text: string) => Uint8Array]> = [
    ["gzip", (text) => zlib.gzipSync(text)],
    ["deflate", (text) => zlib.deflateSync(text)],
    ["br", (text) => zlib.brotliCompressSync(text)],
    ["zstd", (text) => zlib.zstdCompressSync(text)],
    ["gzip, zstd", (text) => zlib.zstdCompressSync(zlib.gzipSync(text))]
  ]
  it.effect.each(encodings)(
    "in %s reaches the upstream as it was, and is paid",
    ([name, encode]) =>
      Effect.gen(function*() {
        const { gateway, url, user } = yield* fixture
        const content = "words ".repeat(20_000)
        gateway.upstream.on("up", (call) => call.json(completion("hello", chatUsage(20_000, 5))))
        const answer = yield* send(url, {
          key: user.key,
          body: encode(chat(content)),
          headers: { "content-encoding": name }
        })
        assert.strictEqual(answer.status, 200, answer.text)
        assert.deepStrictEqual(gateway.upstream.calls.at(-1)?.body["messages"], [{ role: "user", content }])
        assert.strictEqual(yield* gateway.balanceOf(user), START - 20_005n)
      })
  )

  const refused: ReadonlyArray<
    readonly [what: string, encoding: string, bytes: Uint8Array, status: number, code: string]
  > = [
    ["an unknown encoding", "compress", Buffer.from(body), 415, "unsupported_media_type"],
    ["more encodings than three", "gzip, gzip, gzip, gzip", Buffer.from(body), 415, "unsupported_media_type"],
    ["another encoding than it says", "gzip", Buffer.from(body), 400, "invalid_request_error"],
    ["an encoding that is cut", "zstd", zlib.zstdCompressSync(body).subarray(0, -2), 400, "invalid_request_error"],
    ["what expands beyond the bound", "gzip", zlib.gzipSync(Buffer.alloc(BODY_BYTES_MAX + 1)), 413, "request_too_large"]
  ]
  it.effect.each(refused)("in %s is refused", ([, encoding, bytes, status, code]) =>
    Effect.gen(function*() {
      const { gateway, url, user } = yield* fixture
      const calls = gateway.upstream.calls.length
      const answer = yield* send(url, { key: user.key, body: bytes, headers: { "content-encoding": encoding } })
      assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [status, code])
      assert.strictEqual(answer.headers["x-should-retry"], "false")
      assert.strictEqual(gateway.upstream.calls.length, calls)
    }))

  it.effect("of more bytes than the bound is refused, whether it says so or not", () =>
    Effect.gen(function*() {
      const { gateway, url, user } = yield* fixture
      const large = chat("x".repeat(BODY_BYTES_MAX))
      const declared = yield* send(url, { key: user.key, body: large })
      assert.deepStrictEqual([declared.status, errorOf(declared.text).code], [413, "request_too_large"])
      const chunked = yield* connection(gateway.origin)
      chunked.write(head(user.key, "transfer-encoding: chunked") + chunk(large))
      yield* until("it is answered", () => chunked.status !== 0)
      assert.deepStrictEqual([chunked.status, errorOf(chunked.body).code], [413, "request_too_large"])
    }))

  it.effect("that comes more slowly than the least rate is refused; one that comes at the rate is read for longer", () =>
    Effect.gen(function*() {
      const { gateway, user } = yield* fixture
      const slow = yield* connection(gateway.origin)
      const steady = yield* connection(gateway.origin)
      slow.write(`${head(user.key, "transfer-encoding: chunked")}${chunk(" ")}`)
      steady.write(head(user.key, "transfer-encoding: chunked"))
      const started = performance.now()
      // Ahead of the rate, until long after it counts.
      const text = chat("x".repeat(5 * RATE))
      let sent = 0
      while (performance.now() - started < 3 * SLOW_AFTER_MS) {
        const due = Math.min(text.length, Math.ceil(((performance.now() - started) * 3 * RATE) / 1_000))
        if (due > sent) steady.write(chunk(text.slice(sent, due)))
        sent = Math.max(sent, due)
        yield* Effect.promise(() => setImmediate())
      }
      assert.strictEqual(steady.status, 0, steady.text)
      steady.write(`${chunk(text.slice(sent))}0\r\n\r\n`)
      yield* until("both are answered", () => slow.status !== 0 && steady.status !== 0)
      assert.deepStrictEqual([slow.status, errorOf(slow.body).code], [408, "request_timeout"])
      assert.strictEqual(steady.status, 200, steady.text)
    }))

  it.effect("above its user's share or the process's bound is refused, until others have ended", () =>
    Effect.gen(function*() {
      const { gateway, url, user } = yield* fixture
      const [other, third] = [yield* gateway.user(START), yield* gateway.user(START)]
      const half = chat("x".repeat(USER_BYTES_MAX / 2))
      // Held by calls whose upstream does not answer.
      let release: () => void = () => undefined
      const released = new Promise<void>((resolve) => {
        release = resolve
      })
      gateway.upstream.on("up", async (call) => {
        await released
        call.json(completion("hello", chatUsage(10, 5)))
      })
      const before = gateway.upstream.calls.length
      const open = (key: string) => {
        const answer = new OpenAnswer(url, { key, method: "POST" })
        answer.end(half)
        return answer
      }
      const first = open(user.key)
      yield* until("it is sent", () => gateway.upstream.calls.length === before + 1)
      const share = yield* send(url, { key: user.key, body: half })
      assert.deepStrictEqual([share.status, errorOf(share.text).code], [429, "rate_limit_exceeded"])
      assert.strictEqual(share.headers["retry-after"], "1")
      const second = open(other.key)
      yield* until("it is sent", () => gateway.upstream.calls.length === before + 2)
      const full = yield* send(url, { key: third.key, body: half })
      assert.deepStrictEqual([full.status, errorOf(full.text).code], [503, "service_unavailable"])
      assert.strictEqual(full.headers["retry-after"], "1")
      const small = open(third.key)
      const tiny = new OpenAnswer(url, { key: user.key, method: "POST" })
      tiny.end(body)
      yield* until(
        "a small body passes, a large one does not",
        () => gateway.upstream.calls.length === before + 3 && small.status === 503
      )
      release()
      yield* until("they have ended", () => first.ended && second.ended && tiny.ended)
      assert.deepStrictEqual([first.status, second.status, tiny.status], [200, 200, 200])
      assert.strictEqual((yield* send(url, { key: user.key, body: half })).status, 200)
      yield* gateway.clean
    }))
})

layer(Gateway, { excludeTestServices: true })("an answer before the body was read", (it) => {
  it.effect("reaches a client that goes on sending, and then the connection closes", () =>
    Effect.gen(function*() {
      const { gateway } = yield* fixture
      const client = yield* connection(gateway.origin)
      const piece = "x".repeat(1_000)
      client.write(head("sk-wrong", `content-length: ${BODY_BYTES_MAX}`))
      // The client does not look at the answer before it has sent everything.
      for (let sent = 0; sent < BODY_BYTES_MAX; sent += piece.length) {
        assert.isFalse(client.closed, `closed after ${sent} bytes`)
        client.write(piece)
        yield* Effect.promise(() => setImmediate())
      }
      yield* until("it is closed", () => client.closed)
      assert.deepStrictEqual([client.status, errorOf(client.body).code], [401, "invalid_api_key"])
      assert.strictEqual(client.header("connection"), "close")
    }))

  it.effect("is there at once, and the body is waited for no longer than the bound", () =>
    Effect.gen(function*() {
      const { gateway } = yield* fixture
      const client = yield* connection(gateway.origin)
      client.write(head("sk-wrong", "content-length: 100000"))
      yield* until("it is answered", () => client.status === 401)
      assert.isFalse(client.closed)
      yield* until("it is closed", () => client.closed)
    }))

  it.effect("reaches a client that sends more than is discarded", () =>
    Effect.gen(function*() {
      const { gateway } = yield* fixture
      const client = yield* connection(gateway.origin)
      client.write(head("sk-wrong", "transfer-encoding: chunked"))
      let sent = 0
      while (!client.closed) {
        client.write(chunk("x".repeat(10_000)))
        sent += 10_000
        yield* Effect.promise(() => setImmediate())
      }
      assert.strictEqual(client.status, 401, client.text)
      assert.isAtLeast(sent, BODY_BYTES_MAX)
    }))

  it.effect("reaches the OpenAI SDK while it sends 10 MB", () =>
    Effect.gen(function*() {
      const { gateway, user } = yield* fixture
      for (const [apiKey, status] of [["sk-wrong", 401], [user.key, 413]] as const) {
        const client = new OpenAI({ apiKey, baseURL: `${gateway.origin}/v1`, maxRetries: 0 })
        const error: unknown = yield* Effect.promise(() =>
          client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "x".repeat(10_000_000) }] })
            .then(() => undefined, (thrown: unknown) => thrown)
        )
        assert.instanceOf(error, APIError)
        assert.strictEqual(error instanceof APIError ? error.status : 0, status)
      }
    }))

  it.effect("to a body that came along with its headers leaves the connection open", () =>
    Effect.gen(function*() {
      const { gateway, user } = yield* fixture
      const client = yield* connection(gateway.origin)
      // The key is looked up at first, and known to be wrong then: that answer is ready before the body is parsed.
      for (const key of ["sk-wrong-body", "sk-wrong-body", "no-key"]) {
        client.write(head(key, `content-length: ${body.length}`) + body)
        yield* until("it is answered", () => client.status === 401)
        assert.notStrictEqual(client.header("connection"), "close")
        client.text = ""
      }
      client.write(head(user.key, `content-length: ${body.length}`) + body)
      yield* until("the next call is answered", () => client.status === 200)
    }))
})

layer(Gateway, { excludeTestServices: true })("a page in a browser", (it) => {
  it.effect("may ask before its call without a key, and gets the headers it asked for", () =>
    Effect.gen(function*() {
      const { gateway } = yield* fixture
      for (const target of [path, "/v1/models", "/v1/unknown"]) {
        const answer = yield* send(`${gateway.origin}${target}`, {
          method: "OPTIONS",
          headers: {
            origin: "https://app.example",
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type,x-stainless-os",
            "access-control-request-private-network": "true"
          }
        })
        assert.strictEqual(answer.status, 204)
        assert.strictEqual(answer.text, "")
        const { headers } = answer
        assert.strictEqual(headers["access-control-allow-origin"], "*")
        assert.strictEqual(headers["access-control-allow-methods"], "GET, POST, DELETE, OPTIONS")
        assert.strictEqual(headers["access-control-allow-headers"], "authorization,content-type,x-stainless-os")
        assert.strictEqual(headers["access-control-max-age"], "86400")
        assert.strictEqual(headers["access-control-allow-private-network"], "true")
        assert.isUndefined(headers["access-control-allow-credentials"])
        assert.isUndefined(headers["set-cookie"])
      }
    }))

  it.effect("may read every answer, errors too, and the headers that are ours", () =>
    Effect.gen(function*() {
      const { gateway, url, user } = yield* fixture
      const headers = { origin: "https://app.example", cookie: "session=1" }
      const answers = [
        yield* send(url, { key: user.key, body, headers }),
        yield* send(url, { key: "sk-wrong", body, headers }),
        yield* send(url, { key: user.key, body: "{", headers }),
        yield* send(url, { key: user.key, body: { model: "m", messages: [], stream: true }, headers }),
        yield* send(`${gateway.origin}/v1/models`, { key: user.key, headers }),
        yield* send(`${gateway.origin}/v1/unknown`, { headers })
      ]
      assert.deepStrictEqual(answers.map((answer) => answer.status).slice(0, 3), [200, 401, 400])
      for (const answer of answers) {
        assert.strictEqual(answer.headers["access-control-allow-origin"], "*")
        const exposed = String(answer.headers["access-control-expose-headers"]).split(", ")
        for (const name of ["x-request-id", "x-realms-cost-micros", "retry-after", "x-ratelimit-limit-requests"]) {
          assert.include(exposed, name)
        }
        assert.isUndefined(answer.headers["set-cookie"])
      }
    }))

  it.effect("is not known by a cookie", () =>
    Effect.gen(function*() {
      const { url } = yield* fixture
      const answer = yield* send(url, { body, headers: { cookie: "session=whatever" } })
      assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [401, "invalid_api_key"])
    }))

  it.effect("may send its key in any of three headers", () =>
    Effect.gen(function*() {
      const { url, user } = yield* fixture
      for (
        const headers of [{ authorization: `Bearer ${user.key}` }, { "x-api-key": user.key }, { "api-key": user.key }]
      ) {
        assert.strictEqual((yield* send(url, { body, headers })).status, 200)
      }
    }))
})

layer(Gateway, { excludeTestServices: true })("the API", (it) => {
  it.effect("is found by base URLs that are written otherwise, and answers HEAD", () =>
    Effect.gen(function*() {
      const { gateway, user } = yield* fixture
      for (
        const target of ["/v1/chat/completions/", "/v1//chat/completions", "//v1/chat/completions?a=1", `/v1${path}`]
      ) {
        const answer = yield* send(`${gateway.origin}${target}`, { key: user.key, body })
        assert.strictEqual(answer.status, 200, target)
      }
      for (const target of ["/v1/models/", "/v1//models", "/v1/models/m/", "/v1/models?limit=1"]) {
        const answer = yield* send(`${gateway.origin}${target}`, { key: user.key, headers: { origin: "null" } })
        assert.strictEqual(answer.status, 200, target)
        assert.strictEqual(answer.headers["access-control-allow-origin"], "*")
      }
      const head = yield* send(`${gateway.origin}/v1/models`, { key: user.key, method: "HEAD" })
      assert.deepStrictEqual([head.status, head.text], [200, ""])
      assert.strictEqual((yield* send(`${gateway.origin}/v1/models`, { method: "HEAD" })).status, 401)
      const proxied = yield* connection(gateway.origin)
      proxied.write(`GET http://realms/v1/models HTTP/1.1\r\nhost: realms\r\nauthorization: Bearer ${user.key}\r\n\r\n`)
      yield* until("a whole address is answered", () => proxied.status === 200)
    }))
})

layer(Gateway, { excludeTestServices: true })("a connection", (it) => {
  it.effect("on which nothing is sent is closed without a word", () =>
    Effect.gen(function*() {
      const { gateway } = yield* fixture
      const clients = yield* Effect.forEach(Array.from({ length: 20 }), () => connection(gateway.origin))
      yield* until("all are closed", () => clients.every((client) => client.closed))
      assert.deepStrictEqual(new Set(clients.map((client) => client.text)), new Set([""]))
    }))

  const malformed: ReadonlyArray<readonly [what: string, text: string, status: number, code: string]> = [
    ["half a request", `POST ${path} HTTP/1.1\r\nhost: x\r\nauthoriz`, 408, "request_timeout"],
    ["no HTTP", "\x16\x03\x01\x02\x00\x01\r\n\r\n", 400, "invalid_request_error"],
    ["too long headers", `GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`, 431, "invalid_request_error"]
  ]
  it.effect.each(malformed)("with %s is answered and closed", ([, text, status, code]) =>
    Effect.gen(function*() {
      const { gateway } = yield* fixture
      const client = yield* connection(gateway.origin)
      client.write(text)
      yield* until("it is closed", () => client.closed)
      assert.deepStrictEqual([client.status, errorOf(client.body).code], [status, code])
      assert.match(client.header("x-request-id"), /^[0-9a-f-]{36}$/)
    }))
})
