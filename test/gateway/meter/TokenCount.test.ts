import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { performance } from "node:perf_hooks"
import { countTokens, isTokenizerLoaded, loadTokenizer } from "../../../src/gateway/meter/TokenCount.ts"

/** Generous: the point is that it is not quadratic in the text, which would take minutes. */
const PATHOLOGICAL_MS_MAX = 5000
const LONG_CHARS = 256 * 1024

describe("countTokens", () => {
  it.each([["", 0], ["hello", 1], ["hello world", 2], ["漢字", 2]])("of %j is %d", (text, tokens) => {
    assert.strictEqual(countTokens(text), tokens)
  })

  it("counts the names of special tokens as text", () => {
    assert.isAbove(countTokens("<|endoftext|>"), 1)
    assert.isAbove(countTokens("a <|im_start|>system<|im_end|> b"), 5)
  })

  it("loses nothing by cutting prose into pieces, however long it is", () => {
    const prose = "The quick brown fox jumps over the lazy dog, again and again. ".repeat(4000)
    assert.strictEqual(countTokens(prose), loadTokenizer().countTokens(prose))
    assert.isTrue(isTokenizerLoaded())
  })

  it.each(["a", " ", "=", "漢", "😀", "x\u0301", "aB", "\n", "\u0000"])("is quick on a long run of %j", (unit) => {
    const text = unit.repeat(LONG_CHARS / unit.length)
    const start = performance.now()
    const tokens = countTokens(text)
    assert.isBelow(performance.now() - start, PATHOLOGICAL_MS_MAX)
    assert.isAbove(tokens, 0)
  })

  it("does not cut a character in two", () => {
    const emoji = "😀".repeat(1000)
    assert.strictEqual(countTokens(`a${emoji}`), countTokens(emoji) + 1)
  })

  it.prop("never fails, and counts no more tokens than bytes", [Schema.String], ([text]) => {
    assert.isAtMost(countTokens(text), Buffer.byteLength(text))
    assert.strictEqual(countTokens(text) > 0, text !== "")
    assert.isAbove(countTokens(`\ud800${text}<|endoftext|>\udc00`), 0)
  })
})
