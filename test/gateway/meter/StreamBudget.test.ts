import { assert, describe, it } from "@effect/vitest"
import { Buffer } from "node:buffer"
import { COUNTED_BYTES_MAX, StreamBudget } from "../../../src/gateway/meter/StreamBudget.ts"
import { TextSample } from "../../../src/gateway/meter/TextSample.ts"
import { countTokens } from "../../../src/gateway/meter/TokenCount.ts"

/** One token each, and two by the estimate from above. */
const WORD = " word"

const begin = (options: { held: number; max?: number; limit?: number }) => {
  const sample = new TextSample()
  const budget = new StreamBudget({
    sample,
    heldTokens: options.held,
    heldTokensMax: options.max ?? options.held,
    limitTokens: options.limit
  })
  const say = (text: string) => {
    const raw = Buffer.from(text)
    sample.add(raw, 0, raw.length, raw.length, Math.ceil(raw.length / 3))
  }
  /** Says words until the condition holds; answers how many. */
  const wordsUntil = (condition: () => boolean, max: number): number => {
    for (let words = 0; words <= max; words++) {
      if (condition()) return words
      say(WORD)
    }
    return Infinity
  }
  return { budget, sample, say, wordsUntil }
}

describe("a budget that can be extended", () => {
  it("wants more at three quarters of the hold", () => {
    const { budget, wordsUntil } = begin({ held: 1000, max: 4000 })
    const words = wordsUntil(() => budget.wantsMore, 1000)
    assert.isAtMost(words, 750)
    assert.isAbove(words, 650)
  })

  it("is exceeded no later than when the hold is used up, and hardly before", () => {
    const { budget, wordsUntil } = begin({ held: 1000, max: 4000 })
    const words = wordsUntil(() => budget.isExceeded, 1001)
    assert.isAtMost(words, 1001)
    assert.isAbove(words, 900)
  })

  it("goes on when it is extended, and never becomes smaller", () => {
    const { budget, wordsUntil } = begin({ held: 100, max: 4000 })
    wordsUntil(() => budget.isExceeded, 101)
    budget.extended(50)
    assert.strictEqual(budget.heldTokens, 100)
    budget.extended(200)
    assert.isFalse(budget.isExceeded)
    assert.isTrue(wordsUntil(() => budget.isExceeded, 101) > 80)
  })

  it("wants nothing, and is not exceeded, once it holds all it may", () => {
    const { budget, say } = begin({ held: 100, max: 200, limit: 200 })
    for (let word = 0; word < 250; word++) say(WORD)
    assert.isTrue(budget.isExceeded)
    budget.extended(200)
    assert.isFalse(budget.isExceeded || budget.wantsMore)
  })

  it("judges by the estimate from above what it has not counted", () => {
    const { budget, say } = begin({ held: 15_000, max: 100_000 })
    say(WORD.repeat(10_000))
    // 50,000 bytes are 16,667 tokens from above; one count comes to a third of them.
    assert.isAbove(budget.tokens, 15_000)
    assert.isFalse(budget.isExceeded)
    assert.isAbove(budget.tokens, 10_000)
    const { budget: short, say: sayShort } = begin({ held: 11_000, max: 100_000 })
    sayShort(WORD.repeat(10_000))
    assert.isTrue(short.isExceeded)
    assert.isTrue(short.isExceeded)
    assert.isFalse(short.isExceeded)
  })

  it("counts a bounded part of the text at a time", () => {
    const { budget, sample, say } = begin({ held: 10, max: 1_000_000 })
    say(WORD.repeat(40_000))
    assert.isTrue(budget.isExceeded)
    assert.isAtMost(sample.tokensCounted, COUNTED_BYTES_MAX / WORD.length + 1)
  })

  it("counts nothing while the output has fewer bytes than the hold has tokens", () => {
    const { budget, sample, wordsUntil } = begin({ held: 10_000, max: 20_000 })
    wordsUntil(() => budget.isExceeded || budget.wantsMore, 1200)
    assert.strictEqual(sample.tokensCounted, 0)
  })

  it.each(["한국어로 쓴 글입니다. ", "x1;", "#", "𓀀𓁀", "-".repeat(64)])("is right for text such as %j", (text) => {
    const { budget, say } = begin({ held: 5000, max: 100_000 })
    let said = ""
    while (!budget.isExceeded && said.length < 2_000_000) {
      say(text)
      said += text
    }
    const exact = countTokens(said)
    assert.isBelow(exact, 5000 * 1.1)
    assert.isTrue(exact > 5000 * 0.9 || said.length >= 2_000_000)
  })
})

describe("a limit that an upstream ignores", () => {
  it.each([[100, 214], [1000, 1564]])("of %d is ignored by more than %d tokens", (limit, ignored) => {
    const { budget, wordsUntil } = begin({ held: limit, limit })
    const words = wordsUntil(() => budget.ignoresLimit, ignored * 2)
    assert.isAbove(words, ignored - 2)
    assert.isAtMost(words, ignored + 130)
    assert.isFalse(budget.isExceeded || budget.wantsMore)
  })

  it("is what may be held where no limit was sent", () => {
    const { budget, wordsUntil } = begin({ held: 50, max: 100 })
    assert.isAbove(wordsUntil(() => budget.ignoresLimit, 400), 212)
  })

  it("is not ignored by what only the estimate from above says", () => {
    const { budget, say } = begin({ held: 10_000, limit: 10_000 })
    say(WORD.repeat(10_000))
    for (let call = 0; call < 5; call++) assert.isFalse(budget.ignoresLimit)
    const { budget: dashes, say: sayDashes } = begin({ held: 1000, limit: 1000 })
    sayDashes("-".repeat(50_000))
    for (let call = 0; call < 5; call++) assert.isFalse(dashes.ignoresLimit)
  })

  it("is found to be ignored by one huge frame, a few counts later", () => {
    const { budget, say } = begin({ held: 1000, limit: 1000 })
    say(WORD.repeat(10_000))
    let calls = 1
    while (!budget.ignoresLimit && calls < 10) calls++
    assert.isAtMost(calls, 2)
  })
})
