/** Long bodies are parsed in a thread, as they would be parsed here; a thread that dies or hangs fails one call. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Buffer } from "node:buffer"
import { CallParser, PARSE_MS_MAX, PARSED_AT_ONCE_BYTES_MAX } from "../../../src/gateway/request/CallParser.ts"
import { textOf } from "../../../src/gateway/request/InputTexts.ts"
import { parseCall } from "../../../src/gateway/request/ParseCall.ts"

const bodyOf = (text: string, more: Readonly<Record<string, unknown>> = {}): Buffer =>
  Buffer.from(JSON.stringify({ model: "m", messages: [{ role: "user", content: text }], ...more }))

const image = `data:image/png;base64,${"A".repeat(PARSED_AT_ONCE_BYTES_MAX)}`

const bodies: Readonly<Record<string, Buffer>> = {
  "a long text": bodyOf("a".repeat(2 * PARSED_AT_ONCE_BYTES_MAX), { max_tokens: 5, stream: true }),
  "a short text beside a long image": Buffer.from(JSON.stringify({
    model: "m",
    messages: [{
      role: "user",
      content: [{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url: image } }]
    }]
  })),
  "a long body that is refused": bodyOf("a".repeat(PARSED_AT_ONCE_BYTES_MAX), { best_of: 3 }),
  "a long body that is not JSON": Buffer.alloc(PARSED_AT_ONCE_BYTES_MAX + 1, 1),
  "a short body": bodyOf("Hi")
}

/** A thread that dies of bodies that begin with an x, and does not answer others. */
const stubborn = CallParser.layerFrom(
  new URL(`data:text/javascript,${
    encodeURIComponent(`
      import { parentPort } from "node:worker_threads"
      parentPort.on("message", ({ order }) => { if (new Uint8Array(order.memory)[0] === 120) process.exit(1) })`)
  }`)
)

const parse = (body: Buffer) => Effect.flatMap(CallParser, (parser) => parser.parse("chat", body))

describe("CallParser", () => {
  for (const [name, body] of Object.entries(bodies)) {
    it.effect(`parses ${name} as it is parsed at once`, () =>
      Effect.gen(function*() {
        const atOnce = parseCall("chat", Buffer.from(body))
        const copy = Buffer.from(body)
        const parsed = yield* parse(body)
        if (parsed._tag !== "Call" || atOnce._tag !== "Call") return assert.deepStrictEqual(parsed, atOnce)
        const { body: bytes, texts, ...rest } = parsed
        const { body: _, ...expected } = atOnce
        assert.isTrue(copy.equals(bytes))
        assert.deepStrictEqual(rest, expected)
        if (texts !== undefined) assert.deepStrictEqual(texts, textOf(atOnce))
        assert.deepStrictEqual(textOf(parsed), textOf(atOnce))
      }).pipe(Effect.provide(CallParser.layer)))
  }

  it.effect("parses a part of a larger buffer", () =>
    Effect.gen(function*() {
      const body = bodyOf("b".repeat(PARSED_AT_ONCE_BYTES_MAX))
      const larger = Buffer.concat([Buffer.from("before"), body, Buffer.from("behind")])
      const parsed = yield* parse(larger.subarray(6, 6 + body.length))
      assert.isTrue(parsed._tag === "Call" && body.equals(parsed.body))
      assert.strictEqual(larger.subarray(0, 6).toString(), "before")
    }).pipe(Effect.provide(CallParser.layer)))

  it.effect("fails the call whose thread dies or hangs, and parses the next in another", () =>
    Effect.gen(function*() {
      const dead = yield* Effect.flip(parse(Buffer.alloc(PARSED_AT_ONCE_BYTES_MAX + 1, "x")))
      assert.strictEqual(dead.code, "service_unavailable")
      const hanging = yield* Effect.forkChild(parse(Buffer.alloc(PARSED_AT_ONCE_BYTES_MAX + 1, "y")), {
        startImmediately: true
      })
      yield* TestClock.adjust(PARSE_MS_MAX)
      assert.strictEqual((yield* Effect.flip(Fiber.join(hanging))).code, "service_unavailable")
      assert.strictEqual((yield* parse(bodyOf("Hi")))._tag, "Call")
    }).pipe(Effect.provide(stubborn)))
})
