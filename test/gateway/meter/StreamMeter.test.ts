import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { nothingReported } from "../../../src/gateway/meter/Reported.ts"
import { StreamMeter } from "../../../src/gateway/meter/StreamMeter.ts"
import { countTokens } from "../../../src/gateway/meter/TokenCount.ts"
import { chunk, ending, estimateOf, frame, observe, usage, words } from "../../support/MeterFrames.ts"

describe("the end of a chat stream", () => {
  it("comes with the last of the answers that were asked for", () => {
    const { meter, seen } = observe("chat", [
      { choices: [{ index: 1, delta: { content: "b" } }] },
      ending("stop", 1),
      ending("length", 0),
      { choices: [{ index: 0, delta: {}, finish_reason: "length" }], usage }
    ], 2)
    assert.deepStrictEqual(seen.map(words), ["output 1", "", "finishes", ""])
    assert.isTrue(meter.isFinished)
  })

  it("was none when output follows", () => {
    const meter = new StreamMeter({ dialect: "chat", choices: 1 })
    const said = (data: unknown) => words(meter.observe(frame(data)))
    assert.strictEqual(said(ending("stop")), "finishes")
    assert.isTrue(meter.isFinished)
    assert.strictEqual(said(chunk({ content: "more" })), "output 2")
    assert.isFalse(meter.isFinished)
    assert.isTrue(meter.hasFinish)
    assert.strictEqual(said(ending("stop")), "finishes")
    assert.isTrue(meter.isFinished)
  })

  it("does not come by an error", () => {
    const { meter } = observe("chat", [ending("error")])
    assert.isFalse(meter.isFinished || meter.hasFinish)
  })
})

describe("the usage of a chat stream", () => {
  const cached = { ...nothingReported, input: { uncached: 6, cached: 3, written: 0 } }

  it.each<[string, ReadonlyArray<unknown>, number | undefined, boolean]>([
    ["a frame of its own", [chunk({ content: "a" }, { usage: null }), { choices: [], usage }, "[DONE]"], 2, true],
    ["behind [DONE]", [chunk({ content: "a" }), "[DONE]", { choices: [], usage }], 2, true],
    ["the last choice", [chunk({ content: "a" }), chunk({}, { usage })], 2, true],
    [
      "every frame, the largest counts",
      [1, 3, 2].map((count) => chunk({ content: "a" }, { usage: { ...usage, completion_tokens: count } })),
      3,
      false
    ],
    ["before text that it does not cover", [chunk({}, { usage }), chunk({ content: "a" })], 2, false],
    ["inside the choice", [{ choices: [{ delta: {}, usage }] }], 2, true],
    ["inside the delta", [chunk({ usage })], 2, true],
    ["a section of its own", [chunk({}, { x_groq: { usage } })], 2, true],
    ["a message without choices", [{ type: "message_start", message: { usage } }], 2, true],
    ["explicit zero", [{ choices: [], usage: { prompt_tokens: 0, completion_tokens: 0 } }], 0, true],
    ["none", [chunk({ content: "a" }), "[DONE]"], undefined, false],
    ["null", [chunk({ content: "a" }, { usage: null }), "[DONE]"], undefined, false],
    ["empty", [{ choices: [], usage: {} }], undefined, false],
    ["in text only", [chunk({ content: JSON.stringify({ usage }) })], undefined, false],
    ["in a tool's arguments only", [chunk({ tool_calls: [{ function: { arguments: { usage } } }] })], undefined, false],
    ["in what the client sent only", [chunk({}, { metadata: { usage } })], undefined, false]
  ])("is read from %s", (_, data, outputTokens, isLast) => {
    const { meter } = observe("chat", data)
    assert.strictEqual(meter.reported().output, outputTokens)
    assert.strictEqual(meter.usageIsLast, isLast)
  })

  it("is copied, since the frame's bytes are the network's", () => {
    const meter = new StreamMeter({ dialect: "chat", choices: 1 })
    const last = frame({ choices: [], usage })
    meter.observe(last)
    last.raw.fill(0)
    meter.observe(frame({ choices: [], usage }))
    assert.deepStrictEqual(meter.reported(), { ...cached, output: 2 })
  })

  it("leaves the text behind it to an estimate", () => {
    const { meter } = observe("chat", [
      chunk({ content: "one two" }, { usage }),
      chunk({ content: " three" }),
      chunk({ content: " four" })
    ])
    const behind = () => meter.textBehindUsage?.texts()
    assert.deepStrictEqual(behind(), [" three four"])
    meter.observe(frame({ choices: [], usage: { ...usage, completion_tokens: 4 } }))
    assert.isUndefined(behind())
    meter.observe(frame(chunk({ content: " five" })))
    assert.deepStrictEqual(behind(), [" five"])
  })

  it("does not take smaller usage for one that covers what came before it", () => {
    const { meter } = observe("chat", [
      chunk({ content: "a" }, { usage: { ...usage, completion_tokens: 10 } }),
      chunk({ content: " two" }),
      { choices: [], usage: { prompt_tokens: 0, completion_tokens: 0 } }
    ])
    assert.strictEqual(meter.reported().output, 10)
    assert.deepStrictEqual(meter.textBehindUsage?.texts(), [" two"])
  })
})

describe("what an upstream is known to send", () => {
  it("fails before any output: a comment, then an error frame with an empty delta", () => {
    const { meter, seen } = observe("chat", [{
      error: { code: 502, message: "x" },
      choices: [{ index: 0, delta: { content: "" }, finish_reason: "error" }]
    }])
    assert.deepStrictEqual(seen.map(words), ["failure"])
    assert.deepStrictEqual(seen[0]?.failure, { status: 502, code: undefined, type: undefined, message: "x" })
    assert.isFalse(meter.hasOutput || meter.hasFinish)
    assert.isUndefined(meter.observe({ raw: Buffer.from(": OPENROUTER PROCESSING\n\n"), data: undefined }).failure)
  })

  it("has no output when only a role came", () => {
    const { meter } = observe("chat", [chunk({ role: "assistant", content: "" })])
    assert.isFalse(meter.hasOutput || meter.hasFinish || meter.hasFailed)
    assert.strictEqual(meter.outputLowerTokens(), 0)
  })

  it("has no output and no end when only [DONE] came", () => {
    const { meter, seen } = observe("chat", ["[DONE]"])
    assert.deepStrictEqual(seen.map(words), ["done"])
    assert.isFalse(meter.hasOutput || meter.hasFinish)
  })

  it("fails on /v1/responses with usage null", () => {
    const { meter, seen } = observe("responses", [
      { type: "response.created", sequence_number: 0, response: { id: "resp_1", usage: null } },
      {
        type: "response.failed",
        sequence_number: 1,
        response: { id: "resp_1", status: "failed", usage: null, error: { code: "server_error", message: "org-x" } }
      }
    ])
    assert.deepStrictEqual(seen.map(words), ["", "failure"])
    assert.deepStrictEqual(seen[1]?.failure, {
      status: undefined,
      code: "server_error",
      type: undefined,
      message: "org-x"
    })
    assert.isTrue(meter.sawResponseCreated)
    assert.strictEqual(meter.lastSequenceNumber, 1)
    assert.deepStrictEqual(meter.reported(), nothingReported)
  })

  it("counts thinking in parts of parts as it passes", () => {
    const thinking = {
      choices: [{ index: 0, delta: { content: [{ type: "thinking", thinking: [{ type: "text", text: " a b c" }] }] } }]
    }
    const { meter, seen } = observe("chat", Array.from({ length: 2000 }, () => thinking))
    assert.isTrue(seen.every((one) => words(one) === "output 2"))
    assert.strictEqual(meter.deliveredBytes, 12_000)
    assert.strictEqual(estimateOf(meter), 6_000)
  })

  it("samples every part of an answer of dashes and then prose", () => {
    const dashes = Array.from({ length: 330 }, () => "-".repeat(100))
    const prose = Array.from(
      { length: 1400 },
      () => " the quick brown fox jumps over the lazy dog and then it rests for a while under a tree".repeat(1)
    )
    const { meter } = observe("chat", [...dashes, ...prose].map((content) => chunk({ content })))
    const exact = countTokens(dashes.join("")) + countTokens(prose.join(""))
    assert.isBelow(Math.abs(estimateOf(meter) - exact) / exact, 0.01)
  })
})

describe("the running estimate", () => {
  it.prop("is never below the frames with text, and the lower bound never above the bytes", [
    Schema.Array(Schema.NonEmptyString)
  ], ([pieces]) => {
    const { meter, seen } = observe("chat", pieces.map((content) => chunk({ content })))
    assert.isTrue(seen.every((one) => one.isOutput && one.outputTokens >= 1))
    assert.isAtLeast(meter.runningTokens, pieces.length)
    assert.strictEqual(estimateOf(meter) > 0, pieces.length > 0)
    assert.isAtMost(meter.outputLowerTokens(), Math.max(meter.deliveredBytes / 128, 1))
    assert.strictEqual(meter.outputLowerTokens() > 0, pieces.length > 0)
  })

  it("measures bytes without their escapes", () => {
    const { meter } = observe("chat", ['{"choices":[{"delta":{"content":"\\u5929\\ud83d\\ude00\\n\\u00e9"}}]}'])
    assert.strictEqual(meter.deliveredBytes, Buffer.byteLength("天😀\né"))
    assert.deepStrictEqual(meter.sample.texts(), ["天😀\né"])
  })
})
