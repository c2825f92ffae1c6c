import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { SseScanner } from "../../../src/gateway/meter/SseScanner.ts"
import { QUIET_WORDS_BYTES_MAX, QuietStream } from "../../../src/gateway/upstream/QuietStream.ts"

const saidIn = (stream: string) => {
  const quiet = new QuietStream()
  const scanner = new SseScanner()
  const frames = scanner.push(Buffer.from(stream))
  if (frames === "overflow") throw new Error("overflow")
  for (const frame of frames) quiet.note(frame)
  const last = scanner.tailFrame()
  if (last !== undefined) quiet.note(last)
  return quiet.failure()?.message
}

describe("QuietStream", () => {
  it.each<[string, string, string | undefined]>([
    ["an event in a shape of its own", 'data: {"detail":"x"}\n\n', "x"],
    ["the last event that has data", 'data: {"detail":"x"}\n\n: bye\n\n', "x"],
    ["a body without its blank line", '{"error":{"message":"x"}}', "x"],
    ["a body in many lines, behind a comment", ': hi\n\n{\n\n"error":\n{"message":"x"}\n}\n\n', "x"],
    ["a list", '[{"error":{"message":"x"}}]\n', "x"],
    ["nothing of an answer's frames", 'data: {"id":"c","choices":[{"delta":{"role":"assistant"}}]}\n\n', undefined],
    ["nothing of an answer", '{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}]}', undefined],
    ["nothing of what is no JSON", "<html>\n\n", undefined],
    ["nothing of nothing", "", undefined]
  ])("finds %s", (_, stream, message) => {
    assert.strictEqual(saidIn(stream), message)
  })

  it("keeps no more than its bound", () => {
    const long = "x".repeat(QUIET_WORDS_BYTES_MAX)
    assert.isUndefined(saidIn(`{"error":{"message":"${long}"}}`))
    assert.isUndefined(saidIn(`data: {"detail":"${long}"}\n\n`))
  })
})
