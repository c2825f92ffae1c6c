/** Long answers are read in a thread, as they would be read here; a thread that dies fails one answer. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Buffer } from "node:buffer"
import { readAnswer } from "../../../src/gateway/meter/Answer.ts"
import { AnswerReader, READ_AT_ONCE_BYTES_MAX } from "../../../src/gateway/meter/AnswerReader.ts"
import { expectedOutputTokens } from "../../../src/gateway/meter/ExpectedOutput.ts"
import { TokenCounter } from "../../../src/gateway/meter/TokenCounter.ts"
import type { Dialect } from "../../../src/gateway/request/Call.ts"
import { chatUsage, completion } from "../../support/TestUpstream.ts"

const LONG = READ_AT_ONCE_BYTES_MAX + 1

const answers: Readonly<Record<string, readonly [Dialect, unknown]>> = {
  "a long text": ["chat", completion("one two three ".repeat(LONG / 10), chatUsage(10, 5))],
  "a long text without usage": ["chat", completion("one two three ".repeat(LONG / 10))],
  "a short text in a long answer": ["chat", { ...completion("Hi", chatUsage(10, 5)), padding: "a".repeat(LONG) }],
  "a long response": ["responses", {
    id: "resp_1",
    status: "completed",
    output: [{ id: "msg_1", type: "message", content: [{ type: "output_text", text: "漢字".repeat(LONG / 4) }] }],
    usage: { input_tokens: 3, output_tokens: 9, total_tokens: 12 }
  }],
  "long embeddings": ["embeddings", {
    object: "list",
    data: [{ object: "embedding", index: 0, embedding: "A".repeat(LONG) }],
    usage: { prompt_tokens: 7, total_tokens: 7 }
  }],
  "a long failure": ["chat", { error: { message: "a".repeat(LONG), code: "x" } }],
  "a short answer": ["chat", completion("Hi", chatUsage(10, 5))]
}

const mortal = AnswerReader.layerFrom(
  new URL(
    `data:text/javascript,${
      encodeURIComponent(
        'import { parentPort } from "node:worker_threads"; parentPort.on("message", () => process.exit(1))'
      )
    }`
  )
)

const read = (dialect: Dialect, body: Buffer) => Effect.flatMap(AnswerReader, (reader) => reader.read(dialect, body))

describe("AnswerReader", () => {
  for (const [name, [dialect, value]] of Object.entries(answers)) {
    it.effect(`reads ${name} as it is read at once`, () =>
      Effect.gen(function*() {
        const body = Buffer.from(JSON.stringify(value))
        const { sample: expectedSample, ...expected } = readAnswer(Buffer.from(body), dialect)
        const copy = Buffer.from(body)
        const found = yield* read(dialect, body)
        assert.isTrue(found !== undefined && copy.equals(found.body))
        if (found === undefined) return
        const { sample, ...answer } = found.answer
        assert.deepStrictEqual(answer, expected)
        assert.deepStrictEqual(sample.texts(), expectedSample.texts())
        assert.strictEqual(yield* expectedOutputTokens(sample), yield* expectedOutputTokens(expectedSample))
      }).pipe(Effect.provide([AnswerReader.layer, TokenCounter.layer])))
  }

  it.effect("says so when the thread dies, and still reads short answers", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* read("chat", Buffer.alloc(LONG, "x")))
      assert.isUndefined(yield* read("chat", Buffer.alloc(LONG, "x")))
      const short = yield* read("chat", Buffer.from(JSON.stringify(completion("Hi", chatUsage(10, 5)))))
      assert.strictEqual(short?.answer.reported.output, 5)
    }).pipe(Effect.provide(mortal)))
})
