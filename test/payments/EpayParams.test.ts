/**
 * The parameters of a notify decoded: one meaning for every text, and nothing for what has none.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { parseParams } from "../../src/payments/EpayParams.ts"
import type { EpayParams } from "../../src/payments/EpaySignature.ts"

const CHARACTERS_MAX = 16_384

describe("EpayParams", () => {
  it.effect.each<[query: string, form: string, EpayParams]>([
    ["", "", []],
    ["?", "", []],
    ["a=1&b=2", "", [["a", "1"], ["b", "2"]]],
    ["?a=1&b=2", "", [["a", "1"], ["b", "2"]]],
    ["?a=1", "b=2", [["a", "1"], ["b", "2"]]],
    ["", "a=1", [["a", "1"]]],
    ["a=1&a=2&a=1", "", [["a", "1"], ["a", "2"], ["a", "1"]]],
    ["a=1", "a=2", [["a", "1"], ["a", "2"]]],
    ["%61=1&a=2", "", [["a", "1"], ["a", "2"]]],
    ["__proto__=1&constructor=2", "", [["__proto__", "1"], ["constructor", "2"]]],
    ["name=Realms+Top-up%20x%2By", "", [["name", "Realms Top-up x+y"]]],
    ["name=%E4%BD%99%e9%a2%9d", "", [["name", "余额"]]],
    ["a=1=2&b=%26%3D%25", "", [["a", "1=2"], ["b", "&=%"]]],
    ["a&b=&&c=3&", "&d=4", [["a", ""], ["b", ""], ["c", "3"], ["d", "4"]]],
    ["=1", "", [["", "1"]]],
    ["??a=1", "", [["?a", "1"]]],
    ["a=1", "?b=2", [["a", "1"], ["?b", "2"]]]
  ])("reads %j and %j", ([query, form, params]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* parseParams(query, form), params)
    }))

  it.effect.each([
    "a=%",
    "a=%2",
    "a=%zz",
    "a=%u4F59",
    "%=1",
    "ok=1&%f=2",
    "a=%ff",
    "a=%E4%BD",
    "a=%c0%af",
    "a=%ed%a0%80",
    "name=%D3%E0%B6%EE",
    "a=%00",
    "a%00=1",
    "a=\0"
  ])("refuses %j, in the query and in the form", (text) =>
    Effect.gen(function*() {
      for (const [query, form] of [[text, ""], ["b=1", text]] as const) {
        const error = yield* Effect.flip(parseParams(query, form))
        assert.deepStrictEqual([error._tag, error.why], ["NotVerified", "a parameter cannot be decoded"])
      }
    }))

  it.effect("bounds query and form together", () =>
    Effect.gen(function*() {
      const query = `a=${"x".repeat(CHARACTERS_MAX - 10)}`
      const form = "b=345678"
      assert.strictEqual(query.length + form.length, CHARACTERS_MAX)
      assert.lengthOf(yield* parseParams(query, form), 2)
      const error = yield* Effect.flip(parseParams(query, `${form}9`))
      assert.strictEqual(error.why, "the parameters are too long")
      assert.strictEqual((yield* Effect.flip(parseParams("&".repeat(CHARACTERS_MAX + 1)))).why, error.why)
    }))
})
