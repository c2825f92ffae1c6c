import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { performance } from "node:perf_hooks"
import { holdInputTokens } from "../../src/gateway/CallRequest.ts"
import { parseChatRequest } from "../../src/gateway/ChatRequest.ts"
import { parseResponsesRequest } from "../../src/gateway/ResponsesRequest.ts"
import { countTokens, estimateInputTokens, loadTokenizer, TOKENISED_CHARS_MAX } from "../../src/gateway/TextTokens.ts"

/** Generous: the point is that it is not quadratic in the text, which would take minutes. */
const PATHOLOGICAL_MS_MAX = 5000

const call = (json: object) => {
  const parsed = parseChatRequest(Buffer.from(JSON.stringify({ model: "m", ...json })))
  if (parsed._tag === "Refused") throw new Error(parsed.message)
  return parsed
}

describe("countTokens", () => {
  it.each([["", 0], ["hello", 1], ["hello world", 2], ["漢字", 2]])("of %j is %d", (text, tokens) => {
    assert.strictEqual(countTokens(text), tokens)
  })

  it("counts the names of special tokens as text", () => {
    assert.isAbove(countTokens("<|endoftext|>"), 1)
    assert.isAbove(countTokens("a <|im_start|>system<|im_end|> b"), 5)
  })

  it("loses nothing by cutting prose into pieces", () => {
    const prose = "The quick brown fox jumps over the lazy dog, again and again. ".repeat(200)
    assert.strictEqual(countTokens(prose), loadTokenizer().countTokens(prose))
  })

  it.each(["a", " ", "=", "漢", "😀", "x\u0301", "aB", "\n", "\u0000"])("is quick on a long run of %j", (unit) => {
    const text = unit.repeat(TOKENISED_CHARS_MAX / unit.length)
    const start = performance.now()
    const tokens = countTokens(text)
    assert.isBelow(performance.now() - start, PATHOLOGICAL_MS_MAX)
    assert.isAbove(tokens, 0)
  })

  it("does not cut a character in two", () => {
    const emoji = "😀".repeat(1000)
    assert.strictEqual(countTokens(`a${emoji}`), countTokens(emoji) + 1)
  })

  it("extrapolates long text from all of it, not from its beginning", () => {
    const half = TOKENISED_CHARS_MAX * 2
    const text = "word ".repeat(half / 5) + "漢字".repeat(half / 2)
    const exact = countTokens("word ".repeat(TOKENISED_CHARS_MAX / 5)) * 2 +
      countTokens("漢字".repeat(TOKENISED_CHARS_MAX / 2)) * 2
    assert.isBelow(Math.abs(countTokens(text) - exact) / exact, 0.15)
  })

  it.prop("never fails, and counts no more tokens than bytes", [Schema.String], ([text]) => {
    assert.isAtMost(countTokens(text), Buffer.byteLength(text))
    assert.strictEqual(countTokens(text) > 0, text !== "")
    assert.isAbove(countTokens(`\ud800${text}<|endoftext|>\udc00`), 0)
  })
})

describe("estimateInputTokens", () => {
  it("is above nothing and below the hold for ordinary text", () => {
    const plain = call({
      messages: [
        { role: "system", content: "You are a helpful assistant." },
        { role: "user", content: "Tell me about the history of tea, in three sentences." }
      ]
    })
    assert.isAbove(estimateInputTokens(plain), 17)
    assert.isBelow(estimateInputTokens(plain), holdInputTokens(plain))
  })

  it("does not see how text was escaped", () => {
    const json = JSON.stringify({ model: "m", messages: [{ role: "user", content: "天气很好".repeat(50) }] })
    const escaped = json.replace(/[\u4e00-\u9fff]/g, (char) => `\\u${char.charCodeAt(0).toString(16)}`)
    const estimates = [json, escaped].map((text) => {
      const parsed = parseChatRequest(Buffer.from(text))
      return parsed._tag === "Call" ? estimateInputTokens(parsed) : -1
    })
    assert.strictEqual(estimates[0], estimates[1])
  })

  it("counts an image at its fixed cost, not its bytes", () => {
    const content = (url: string) => [{ type: "image_url", image_url: { url } }]
    const of = (url: string) => estimateInputTokens(call({ messages: [{ role: "user", content: content(url) }] }))
    assert.strictEqual(of(`data:image/png;base64,${"A".repeat(50_000)}`), of("https://example.com/a.png"))
    assert.isAbove(of("https://example.com/a.png"), 1600)
  })

  it("counts tools and instructions", () => {
    const response = (json: object) => {
      const parsed = parseResponsesRequest(Buffer.from(JSON.stringify({ model: "m", input: "hi", ...json })))
      return parsed._tag === "Call" ? estimateInputTokens(parsed) : -1
    }
    assert.isAbove(response({ instructions: "one two three four five" }), response({}) + 4)
    assert.isAbove(
      response({ tools: [{ type: "function", name: "f", parameters: { type: "object" } }] }),
      response({}) + 5
    )
  })
})
