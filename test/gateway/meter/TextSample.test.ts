import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Buffer } from "node:buffer"
import { SAMPLE_BYTES_MAX, SLICE_BYTES, TextSample } from "../../../src/gateway/meter/TextSample.ts"
import { countTokens } from "../../../src/gateway/meter/TokenCount.ts"

/** Adds text as a stream brings it: as JSON strings without their quotes. */
const addTo = (sample: TextSample, text: string, escape: (json: string) => string = (json) => json) => {
  const raw = Buffer.from(escape(JSON.stringify(text)).slice(1, -1))
  sample.add(raw, 0, raw.length, Buffer.byteLength(text), Math.ceil(raw.length / 3))
}
const sampleOf = (pieces: ReadonlyArray<string>) => {
  const sample = new TextSample()
  for (const piece of pieces) addTo(sample, piece)
  return sample
}
const wholeCount = (sample: TextSample) =>
  sample.estimate(sample.texts().reduce((sum, text) => sum + countTokens(text), 0))
const escapeAll = (json: string) =>
  json.replace(/[^\u0020-\u007e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
const piecesOf = (text: string, length: number) => text.match(new RegExp(`[\\s\\S]{1,${length}}`, "gu")) ?? []
const errorOf = (estimate: number, exact: number) => Math.abs(estimate - exact) / exact

/** Kinds of text with very different numbers of tokens a byte. */
const kinds = {
  dashes: (bytes: number) => "-".repeat(bytes),
  prose: (bytes: number) =>
    " the quick brown fox jumps over the lazy dog, again".repeat(Math.ceil(bytes / 51)).slice(0, bytes),
  chinese: (bytes: number) =>
    "今天天气很好我们一起去公园散步".repeat(Math.ceil(bytes / 45)).slice(0, Math.ceil(bytes / 3)),
  code: (bytes: number) => "if (a[i] !== b[j]) { x += f(y, 0x3f); }\n".repeat(Math.ceil(bytes / 40)).slice(0, bytes),
  digits: (bytes: number) => "8362910475".repeat(Math.ceil(bytes / 10)).slice(0, bytes)
}
const kindNames = ["dashes", "prose", "chinese", "code", "digits"] as const

describe("TextSample", () => {
  it.each([7, 100, 5000])("keeps short text whole, in pieces of %d", (length) => {
    const text = 'The quick brown "fox" jumps over\nthe lazy 漢字 😀. '.repeat(2000)
    const sample = sampleOf(piecesOf(text, length))
    assert.strictEqual(sample.texts().join(""), text)
    assert.strictEqual(sample.bytes, Buffer.byteLength(text))
    assert.strictEqual(wholeCount(sample), countTokens(text))
  })

  it.prop("gives back what was added, escaped or not, wherever it was cut", [
    Schema.Array(Schema.String),
    Schema.Boolean
  ], ([pieces, escaped]) => {
    const sample = new TextSample()
    for (const piece of pieces) addTo(sample, piece, escaped ? escapeAll : undefined)
    const text = Buffer.from(pieces.join("")).toString("utf8")
    const kept = sample.texts().join("")
    // A half of a character at the very end still waits for the other one.
    assert.isTrue(text === kept || text === `${kept}\ufffd`)
  })

  it("joins characters that strings split", () => {
    const sample = new TextSample()
    for (const half of ["\\ud83d", "\\ude00", "a\\ud83d", "b"]) {
      const raw = Buffer.from(half)
      sample.add(raw, 0, raw.length, 2, 2)
    }
    assert.deepStrictEqual(sample.texts(), ["😀a\ufffdb"])
  })

  it("keeps a bounded part of long text, from everywhere in it", () => {
    const numbered = Array.from({ length: 400_000 }, (_, index) => ` ${index}`)
    const sample = sampleOf(numbered)
    const texts = sample.texts()
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
    assert.isAtMost(bytes, SAMPLE_BYTES_MAX)
    assert.isAbove(bytes, SAMPLE_BYTES_MAX / 2 - SLICE_BYTES)
    const seen = texts.map((text) => Number(/ (\d+) /.exec(text)?.[1]))
    for (let part = 0; part < 100; part++) {
      assert.isTrue(seen.some((number) => number >= part * 4000 && number < (part + 1) * 4000), `part ${part}`)
    }
  })

  it("is within 10 % of the whole count for any mixture of kinds of text", () => {
    // Sizes and order from a fixed generator, so that a failure can be looked at.
    let seed = 20_260_811
    const below = (bound: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return seed % bound
    }
    for (const blockBytes of [600, 3000, 12_000, 60_000]) {
      const blocks: Array<string> = []
      let bytes = 0
      while (bytes < 700_000) {
        const name = kindNames[below(kindNames.length)] ?? "prose"
        const block = kinds[name](1 + below(blockBytes))
        blocks.push(block)
        bytes += Buffer.byteLength(block)
      }
      const error = errorOf(wholeCount(sampleOf(blocks)), countTokens(blocks.join("")))
      assert.isBelow(error, 0.1, `blocks of ${blockBytes}`)
    }
  })

  it.each([1, 2, 4, 8].map((times) => times * SLICE_BYTES))("is not fooled by a rhythm of %d bytes", (bytes) => {
    const blocks = Array.from({ length: 1_200_000 / bytes }, (_, index) => index % 2 === 0 ? "dashes" : "prose")
      .map((name) => name === "dashes" ? kinds.dashes(bytes) : kinds.prose(bytes))
    const error = errorOf(wholeCount(sampleOf(blocks)), countTokens(blocks.join("")))
    assert.isBelow(error, 0.1)
  })

  it.prop("is within 10 % of the whole count for three blocks of any size", [
    Schema.Tuple([
      Schema.Literals(kindNames),
      Schema.Literals(kindNames),
      Schema.Literals(kindNames)
    ]),
    Schema.Tuple([
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200_000 })),
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200_000 })),
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 200_000 }))
    ])
  ], ([[one, two, three], [first, second, third]]) => {
    const text = kinds[one](first) + kinds[two](second) + kinds[three](third)
    assert.isBelow(errorOf(wholeCount(sampleOf(piecesOf(text, 4000))), countTokens(text)), 0.1)
  }, { arbitrary: { runs: 12 } })

  it("is empty again when it is cleared", () => {
    const sample = sampleOf([kinds.prose(600_000)])
    sample.clear()
    assert.deepStrictEqual([sample.bytes, sample.isEmpty, sample.texts(), wholeCount(sample)], [0, true, [], 0])
    addTo(sample, "one two")
    assert.deepStrictEqual(sample.texts(), ["one two"])
  })
})

describe("counting some of a sample", () => {
  it("comes to the whole count, a few bytes at a time", () => {
    const text = kinds.prose(40_000) + kinds.code(20_000)
    const sample = sampleOf(piecesOf(text, 50))
    let calls = 1
    while (!sample.countSome(4096)) calls++
    assert.isAtLeast(calls, Math.floor(text.length / 4096))
    assert.isBelow(errorOf(sample.tokensCounted, countTokens(text)), 0.02)
    assert.strictEqual(sample.tokensAtMost, sample.tokensCounted)
  })

  it("remembers what is counted, and takes the rest from above", () => {
    const sample = sampleOf(piecesOf(kinds.prose(20_000), 50))
    assert.isTrue(sample.countSome(64 * 1024))
    const counted = sample.tokensCounted
    assert.strictEqual(sample.tokensAtMost, counted)
    for (const piece of piecesOf(kinds.prose(3000), 50)) addTo(sample, piece)
    assert.strictEqual(sample.tokensCounted, counted)
    assert.isAtLeast(sample.tokensAtMost, counted + 1000)
    assert.strictEqual(sample.upperUncounted, sample.tokensAtMost - counted)
  })

  it("lags behind when it may count little, and errs to the upper estimate", () => {
    const sample = sampleOf([kinds.prose(200_000)])
    assert.isFalse(sample.countSome(16 * 1024))
    const exact = countTokens(kinds.prose(200_000))
    assert.isAbove(sample.tokensAtMost, exact)
    assert.isBelow(sample.tokensCounted, exact / 5)
  })

  it("goes on where a slice represents several", () => {
    const sample = new TextSample()
    const text = kinds.prose(900_000)
    for (const piece of piecesOf(text, 5000)) {
      addTo(sample, piece)
      sample.countSome(16 * 1024)
    }
    while (!sample.countSome(16 * 1024)) assert.isFalse(sample.isEmpty)
    assert.isBelow(errorOf(sample.tokensAtMost, countTokens(text)), 0.1)
    assert.isAtMost(sample.tokensCounted, sample.tokensAtMost)
  })
})
