import { assert, describe, it } from "@effect/vitest"
import { Record, Result, Schema } from "effect"
import { channelTermList } from "../../src/domain/ChannelTermList.ts"
import { defaultChannelTerms } from "../../src/domain/ChannelTerms.ts"
import { modelTermList } from "../../src/domain/ModelTermList.ts"
import { defaultTerms } from "../../src/domain/ModelTerms.ts"
import { documentOf, fits, readTerms, takeTerms, type TermKind, wrongTerms } from "../../src/domain/Term.ts"

const Tokens = Schema.Number.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 100_000_000 }))

describe("terms", () => {
  it("are all in bounds by default, and a document of them says every one", () => {
    assert.deepStrictEqual(wrongTerms(modelTermList, defaultTerms), [])
    assert.deepStrictEqual(wrongTerms(channelTermList, defaultChannelTerms), [])
    assert.strictEqual(Record.keys(modelTermList).length, Object.keys(defaultTerms).length)
    assert.strictEqual(Record.keys(channelTermList).length, Object.keys(defaultChannelTerms).length)
  })

  it.prop(
    "of a model are the same after they were written and read",
    {
      contextTokens: Schema.NullOr(Tokens),
      maxOutputTokens: Tokens,
      tokenizerMarginMicros: Schema.Number.check(
        Schema.isInt(),
        Schema.isBetween({ minimum: 1_000_000, maximum: 100_000_000 })
      ),
      reasoning: Schema.Boolean,
      hostedTools: Schema.Literals(["drop", "refuse", "price"])
    },
    (some) => {
      const terms = { ...defaultTerms, ...some }
      const written: unknown = JSON.parse(JSON.stringify(documentOf(modelTermList, terms)))
      const read = readTerms(modelTermList, Object.fromEntries(Object.entries(written ?? {})), defaultTerms)
      assert.deepStrictEqual(Result.getOrThrow(read), terms)
    }
  )

  it("that a document does not name stay, and those of another type or out of bounds are named", () => {
    const kept = { ...defaultTerms, contextTokens: 5_000, reasoning: true }
    const some = { max_output_tokens: 50, unheard_of: 1 }
    assert.deepStrictEqual(Result.getOrThrow(readTerms(modelTermList, some, kept)), { ...kept, maxOutputTokens: 50 })
    const wrong = { context_tokens: "5", max_output_tokens: null, reasoning: "true", hosted_tools: "maybe" }
    assert.deepStrictEqual(
      readTerms(modelTermList, wrong, kept),
      Result.fail(["context_tokens", "max_output_tokens", "reasoning", "hosted_tools"] as const)
    )
    const outside = { context_tokens: 0, max_output_tokens: 1.5, tokenizer_margin: "0.5", tool_calls_max: 5 }
    assert.deepStrictEqual(
      readTerms(modelTermList, outside, kept),
      Result.fail(["context_tokens", "max_output_tokens", "tokenizer_margin"] as const)
    )
    // Taken all the same, so that a form can say everything that is wrong at once.
    const taken = Result.getOrThrow(takeTerms(modelTermList, { ...outside, tokenizer_margin: "much" }, kept))
    assert.deepStrictEqual(wrongTerms(modelTermList, taken), [
      "context_tokens",
      "max_output_tokens",
      "tokenizer_margin"
    ])
  })

  it("take the values of their kind alone", () => {
    const integer: TermKind = { is: "integer", min: 1, max: 9, isOptional: false }
    const optional: TermKind = { ...integer, isOptional: true }
    const decimal: TermKind = { is: "decimal", min: 1_000_000n, max: 2_000_000n }
    const choice: TermKind = { is: "choice", options: ["a", "b"] }
    const choices: TermKind = { is: "choices", options: ["a", "b"] }
    const table: ReadonlyArray<readonly [kind: TermKind, good: ReadonlyArray<unknown>, bad: ReadonlyArray<unknown>]> = [
      [integer, [1, 9], [0, 10, 1.5, NaN, Infinity, "1", null, undefined, 1n]],
      [optional, [1, null], [0, undefined, ""]],
      [decimal, ["1", "1.500000", "2.0"], ["0.999999", "2.000001", "1.0000001", "1e0", "", 1, null]],
      [{ is: "flag" }, [true, false], ["true", 1, null]],
      [choice, ["a", "b"], ["A", "c", "", null, ["a"]]],
      [choices, [[], ["a"], ["b", "a"]], [["c"], ["a", "c"], "a", null, [null]]]
    ]
    for (const [kind, good, bad] of table) {
      for (const value of good) assert.isTrue(fits(kind, value), `${kind.is} ${String(value)}`)
      for (const value of bad) assert.isFalse(fits(kind, value), `${kind.is} ${String(value)}`)
    }
  })
})
