/**
 * Upstreams that send without measure, or stop sending: what the gateway takes of it is bounded, the client has an answer
 * or an error frame in bounded time, and only what was delivered is charged.
 */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { gatewayTests, microPriced, TestGateway } from "../support/TestGateway.ts"
import { errorOf, send } from "../support/TestHttp.ts"
import { chunk, type UpstreamCall } from "../support/TestUpstream.ts"

const START = 1_000_000n
const MEGABYTE = 1_048_576
const FLOOD_BYTES = 100 * MEGABYTE
/** A frame of 8 MB, or a body of 32, and what buffers and sockets on the way hold besides. */
const FRAME_BYTES_MAX = 24 * MEGABYTE
const BODY_BYTES_MAX = 64 * MEGABYTE
const IDLE_SECONDS = 1
const FRAMES = 40

const Gateway = TestGateway.layerOf((origin) => microPriced(origin, {}, { idle_timeout_seconds: IDLE_SECONDS }))

const piece = Buffer.alloc(MEGABYTE, "x")

/** Sends up to 100 MB as fast as they are taken; answers how many bytes were. */
const flood = async (call: UpstreamCall): Promise<number> => {
  const closed = new Promise<false>((resolve) => call.response.once("close", () => resolve(false)))
  let bytes = 0
  while (bytes < FLOOD_BYTES) {
    const written = new Promise<boolean>((resolve) =>
      void call.response.write(piece, (error) => resolve(error === null || error === undefined))
    )
    if (!(await Promise.race([written, closed]))) break
    bytes += piece.length
  }
  call.response.end()
  return bytes
}

const begin = (call: UpstreamCall, type: string) => void call.response.writeHead(200, { "content-type": type })

interface Row {
  readonly what: string
  readonly stream: boolean
  /** Frames delivered before. */
  readonly frames: number
  readonly start: (call: UpstreamCall) => void
  readonly bytesMax: number
  /** It was made, so it is charged; else nothing is. */
  readonly isCharged?: boolean
}

const beginning = (type: string, text: string) => (call: UpstreamCall) => {
  begin(call, type)
  call.response.write(text)
}

const floods: ReadonlyArray<Row> = [
  {
    what: "a first frame of 100 MB",
    stream: true,
    frames: 0,
    start: beginning("text/event-stream", "data: "),
    bytesMax: FRAME_BYTES_MAX
  },
  {
    what: "a later frame of 100 MB",
    stream: true,
    frames: FRAMES,
    start: (call) => void call.response.write("data: "),
    bytesMax: FRAME_BYTES_MAX
  },
  {
    what: "a comment of 100 MB",
    stream: true,
    frames: FRAMES,
    start: (call) => void call.response.write(": "),
    bytesMax: FRAME_BYTES_MAX
  },
  {
    what: "a JSON body of 100 MB",
    stream: false,
    frames: 0,
    start: beginning("application/json", '{"choices":[{"message":{"content":"'),
    bytesMax: BODY_BYTES_MAX,
    isCharged: true
  },
  {
    what: "an error body of 100 MB",
    stream: false,
    frames: 0,
    start: (call) => void call.response.writeHead(400, { "content-type": "application/json" }).write('{"error":"'),
    bytesMax: BODY_BYTES_MAX
  }
]

const ask = (origin: string, key: string, stream: boolean) =>
  send(`${origin}/v1/chat/completions`, {
    key,
    body: { model: "m", stream, messages: [{ role: "user", content: "Hi" }] }
  })

/** The client has its frames and an error, and paid for these. */
const endedEarly = Effect.fnUntraced(function*(answer: Effect.Success<ReturnType<typeof send>>) {
  const gateway = yield* TestGateway
  assert.strictEqual(answer.status, 200)
  assert.strictEqual(answer.text.split("word ").length - 1, FRAMES)
  const last = answer.text.trimEnd().split("\n\n").at(-1) ?? ""
  assert.strictEqual(errorOf(last.slice("data: ".length)).code, "server_is_overloaded")
  const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
  assert.deepStrictEqual([row.state, row.usage_source, row.reason], ["committed", "estimated", "truncated"])
  assert.approximately(Number(row.output_tokens), FRAMES, FRAMES / 10)
  return row.charged_micros ?? 0n
})

gatewayTests(Gateway)("an upstream that sends", (test) => {
  for (const { bytesMax, frames, isCharged = false, start, stream, what } of floods) {
    test(`${what} is cut off, and the client told`, function*(gateway) {
      const user = yield* gateway.user(START)
      const taken = Promise.withResolvers<number>()
      gateway.upstream.on("up", (call) => {
        for (let index = 0; index < frames; index++) call.frame(chunk("word "))
        start(call)
        taken.resolve(flood(call))
      })
      const answer = yield* ask(gateway.origin, user.key, stream)
      let charged = frames > 0 ? yield* endedEarly(answer) : 0n
      if (frames === 0) {
        assert.strictEqual(answer.status, 502, answer.text.slice(0, 200))
        assert.strictEqual(errorOf(answer.text).code, isCharged ? "answer_too_large" : "upstream_error")
      }
      if (isCharged) {
        const row = yield* gateway.rowOf(String(answer.headers["x-request-id"]))
        assert.isAtMost(Number(row.cost_micros), Number(row.reserved_micros))
        charged = row.charged_micros ?? 0n
      }
      assert.isBelow(yield* Effect.promise(() => taken.promise), bytesMax)
      assert.strictEqual(yield* gateway.balanceOf(user), START - charged)
    })
  }

  test("frames, and then nothing, is cut off after its idle time", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => {
      for (let index = 0; index < FRAMES; index++) call.frame(chunk("word "))
    })
    const charged = yield* endedEarly(yield* ask(gateway.origin, user.key, true))
    assert.strictEqual(yield* gateway.balanceOf(user), START - charged)
  })

  test("half a JSON body, and then nothing, is a timeout, and free", function*(gateway) {
    const user = yield* gateway.user(START)
    gateway.upstream.on("up", (call) => {
      begin(call, "application/json")
      call.response.write('{"choices":[')
    })
    const answer = yield* ask(gateway.origin, user.key, false)
    assert.deepStrictEqual([answer.status, errorOf(answer.text).code], [504, "upstream_timeout"])
    assert.strictEqual(yield* gateway.balanceOf(user), START)
  })
})
