import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  AMOUNT_MAX,
  divideUp,
  FEN_SCALE,
  formatDecimal,
  formatUsd,
  maximum,
  MICROS_SCALE,
  minimum,
  parseDecimal
} from "../../src/domain/Money.ts"

const Amount = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: -AMOUNT_MAX, maximum: AMOUNT_MAX }))
const Positive = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 1n, maximum: AMOUNT_MAX }))

describe("parseDecimal", () => {
  const cases: ReadonlyArray<readonly [text: string, scale: number, value: bigint | undefined]> = [
    ["0", 6, 0n],
    ["-0", 6, 0n],
    ["0.15", 6, 150_000n],
    ["0.000001", 6, 1n],
    ["0.0000001", 6, undefined],
    ["0.1000000000", 6, 100_000n],
    ["12.00", 2, 1_200n],
    ["12.345", 2, undefined],
    ["12.340", 2, 1_234n],
    ["+7", 2, 700n],
    ["-7.5", 2, -750n],
    [" 7 ", 2, 700n],
    ["007", 0, 7n],
    ["1.", 2, undefined],
    [".5", 2, undefined],
    ["1e3", 2, undefined],
    ["0x10", 2, undefined],
    ["1,000", 2, undefined],
    ["1_000", 2, undefined],
    ["1 000", 2, undefined],
    ["NaN", 2, undefined],
    ["Infinity", 2, undefined],
    ["", 2, undefined],
    ["-", 2, undefined],
    ["--1", 2, undefined],
    ["٣", 2, undefined],
    ["1000000000", 6, AMOUNT_MAX],
    ["1000000000.000001", 6, undefined],
    ["-1000000000", 6, -AMOUNT_MAX],
    ["9".repeat(41), 0, undefined],
    // What a float would get wrong.
    ["0.29", 2, 29n],
    ["900719925.474099", 6, 900_719_925_474_099n]
  ]
  for (const [text, scale, value] of cases) {
    it(`"${text}" with ${scale} decimals is ${value}`, () => assert.strictEqual(parseDecimal(text, scale), value))
  }
})

describe("formatDecimal", () => {
  const cases: ReadonlyArray<readonly [value: bigint, scale: number, decimalsMin: number, text: string]> = [
    [0n, 6, 2, "0.00"],
    [1n, 6, 2, "0.000001"],
    [1_500_000n, 6, 2, "1.50"],
    [1_234_567n, 6, 2, "1.234567"],
    [-1n, 6, 2, "-0.000001"],
    [-1_000_000n, 6, 2, "-1.00"],
    [1_200n, 2, 2, "12.00"],
    [5n, 2, 0, "0.05"],
    [500n, 2, 0, "5"],
    [7n, 0, 0, "7"]
  ]
  for (const [value, scale, decimalsMin, text] of cases) {
    it(`${value} with ${scale} decimals is ${text}`, () =>
      assert.strictEqual(formatDecimal(value, { scale, decimalsMin }), text))
  }

  it("prints USD from micros", () => assert.strictEqual(formatUsd(4_560_000n), "4.56"))

  it.prop(
    "parsing what was printed gives the amount back",
    { value: Amount },
    ({ value }) =>
      [0, FEN_SCALE, MICROS_SCALE].every((scale) => parseDecimal(formatDecimal(value, { scale }), scale) === value)
  )
})

describe("amounts", () => {
  const cases: ReadonlyArray<readonly [numerator: bigint, denominator: bigint, quotient: bigint]> = [
    [0n, 7n, 0n],
    [1n, 7n, 1n],
    [7n, 7n, 1n],
    [8n, 7n, 2n],
    [-1n, 7n, 0n],
    [-7n, 7n, -1n],
    [-8n, 7n, -1n],
    [10n ** 40n + 1n, 10n ** 20n, 10n ** 20n + 1n]
  ]
  for (const [numerator, denominator, quotient] of cases) {
    it(`${numerator} / ${denominator} rounded up is ${quotient}`, () =>
      assert.strictEqual(divideUp(numerator, denominator), quotient))
  }

  it.prop("divideUp is the least quotient that covers", { numerator: Amount, denominator: Positive }, (values) => {
    const quotient = divideUp(values.numerator, values.denominator)
    return quotient * values.denominator >= values.numerator && (quotient - 1n) * values.denominator < values.numerator
  })

  it.prop(
    "minimum and maximum are the two amounts",
    { a: Amount, b: Amount },
    ({ a, b }) =>
      minimum(a, b) <= maximum(a, b) && minimum(a, b) + maximum(a, b) === a + b &&
      (minimum(a, b) === a || minimum(a, b) === b)
  )
})
