import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import { channelTerms, defaultChannelTerms } from "../../src/domain/ChannelTerms.ts"
import { choice, choices, flag, integer, integerOrNull, optionalText, ratio } from "../../src/domain/Fields.ts"
import { type Field, type JsonValue, model } from "../../src/domain/Model.ts"
import { defaultTerms, modelTerms } from "../../src/domain/ModelTerms.ts"
import { Row } from "../../src/domain/Row.ts"

/** What a row or a document has, under our names. */
const storedOf = Schema.decodeUnknownSync(
  Row(Object.fromEntries(modelTerms.names.map((name) => [name, Schema.Unknown])), modelTerms.columns)
)

const Tokens = Schema.Number.check(Schema.isInt(), Schema.isBetween({ minimum: 1, maximum: 100_000_000 }))

describe("a whole number", () => {
  const { readForm } = model({ count: integer({ min: 0, max: 100 }) })

  it.each([["5", 5], ["-0", 0], ["007", 7]])("is read of %s", (text, count) => {
    const read = Result.getOrThrow(readForm(new URLSearchParams({ count: text })))
    assert.isTrue(Object.is(read.count, count))
  })

  it.each(["", "+5", "1e1", "5.0", "0x5", "1,000"])("is not read of '%s'", (text) => {
    const read = readForm(new URLSearchParams({ count: text }))
    assert.isFalse(Result.isSuccess(read) && Number.isInteger(read.success.count))
  })
})

describe("terms", () => {
  it("are all in bounds by default", () => {
    assert.deepStrictEqual(modelTerms.wrong(defaultTerms), [])
    assert.deepStrictEqual(channelTerms.wrong(defaultChannelTerms), [])
  })

  it("have columns and keys of the same names", () => {
    assert.deepStrictEqual(modelTerms.toRow(defaultTerms), {
      vendor: "",
      description: "",
      capabilities: [],
      context_tokens: null,
      max_output_tokens: 16_384,
      default_output_tokens: null,
      input_overhead_tokens: defaultTerms.inputOverheadTokens,
      image_tokens_max: null,
      tokenizer_margin: "1.5",
      output_tokens_per_second: 100,
      reasoning: false,
      hosted_tools: "drop",
      tool_calls_max: 5
    })
    assert.deepStrictEqual(channelTerms.toRow(defaultChannelTerms), {
      unknown_fields: "drop",
      stores_responses: false,
      known_fields: ["stream_options"],
      first_byte_timeout_seconds: 120,
      idle_timeout_seconds: 600,
      input_overhead_tokens: 0,
      max_connections: 2_048
    })
    assert.deepStrictEqual<object>(modelTerms.keys, modelTerms.columns)
    assert.deepStrictEqual<object>(channelTerms.keys, channelTerms.columns)
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
      const written: unknown = JSON.parse(JSON.stringify(modelTerms.toRow(terms)))
      assert.deepStrictEqual(Result.getOrThrow(modelTerms.readRow(storedOf(written))), terms)
    }
  )

  it("of a row are named by their columns where they are of another type or out of bounds", () => {
    const good = modelTerms.toRow(defaultTerms)
    const read = (more: object) => modelTerms.readRow(storedOf({ ...good, ...more, unheard_of: 1 }))
    assert.deepStrictEqual(read({ max_output_tokens: 50 }), Result.succeed({ ...defaultTerms, maxOutputTokens: 50 }))
    assert.deepStrictEqual(
      read({ context_tokens: "5", max_output_tokens: null, reasoning: "true", hosted_tools: "maybe" }),
      Result.fail(["context_tokens", "max_output_tokens", "reasoning", "hosted_tools"])
    )
    assert.deepStrictEqual(
      read({ context_tokens: 0, max_output_tokens: 1.5, tokenizer_margin: "0.5", tool_calls_max: 6 }),
      Result.fail(["context_tokens", "max_output_tokens", "tokenizer_margin"])
    )
  })

  it("that a form does not send stay, and those that are something else altogether are named", () => {
    const kept = { ...defaultTerms, contextTokens: 5_000, reasoning: true }
    const read = (sent: Readonly<Record<string, string>>) => modelTerms.readForm(new URLSearchParams(sent), kept)
    // A tick that is not sent is one that is not set.
    assert.deepStrictEqual(
      read({ description: "", max_output_tokens: " 50 ", context_tokens: "", unheard_of: "1" }),
      Result.succeed({ ...kept, contextTokens: null, maxOutputTokens: 50, reasoning: false })
    )
    assert.deepStrictEqual(read({ hosted_tools: "maybe" }), Result.fail(["hostedTools"] as const))
    const channel = channelTerms.readForm(new URLSearchParams("known_fields=metadata&known_fields=speed"))
    assert.deepStrictEqual(channel, Result.fail(["unknownFields", "knownFields"] as const))
    // Out of bounds they are taken all the same, so that a form can say everything that is wrong at once.
    const outside = { context_tokens: "0", max_output_tokens: "1.5", tokenizer_margin: "much", image_tokens_max: "-1" }
    assert.deepStrictEqual(modelTerms.wrong(Result.getOrThrow(read(outside))), [
      "contextTokens",
      "maxOutputTokens",
      "imageTokensMax",
      "tokenizerMarginMicros"
    ])
  })

  it("take the values of their kind alone", () => {
    const words = ["a", "b"] as const
    const table: ReadonlyArray<
      readonly [field: Field<JsonValue>, good: ReadonlyArray<unknown>, bad: ReadonlyArray<unknown>]
    > = [
      [integer({ min: 1, max: 9 }), [1, 9], [0, 10, 1.5, NaN, Infinity, "1", null, undefined, 1n]],
      [integerOrNull({ min: 1, max: 9 }), [1, null], [0, undefined, ""]],
      [
        ratio({ min: 1_000_000n, max: 2_000_000n }),
        ["1", "1.500000", "2.0"],
        ["0.999999", "2.000001", "1.0000001", "1e0", "", 1, null]
      ],
      [flag({}), [true, false], ["true", 1, null]],
      [optionalText({ charactersMax: 2 }), ["", "ab", "\u{1F600}b"], ["abc", "a\n", "\u0000", null, 1]],
      [optionalText({ charactersMax: 3, lines: 2 }), ["", "a\nb"], ["a\nbc", "a\tb", "\ud800"]],
      [choice(words, {}), ["a", "b"], ["A", "c", "", null, ["a"]]],
      [choices(words, {}), [[], ["a"], ["b", "a"]], [["c"], ["a", "c"], "a", null, [null]]]
    ]
    for (const [field, good, bad] of table) {
      const { readRow } = model({ field })
      for (const value of good) assert.isTrue(Result.isSuccess(readRow({ field: value })), `${field.kind.is} ${value}`)
      for (const value of bad) assert.isTrue(Result.isFailure(readRow({ field: value })), `${field.kind.is} ${value}`)
    }
    assert.deepStrictEqual(
      model({ field: choices(words, {}) }).readRow({ field: ["b", "a", "b"] }),
      Result.succeed({ field: ["a", "b"] as const })
    )
  })
})
