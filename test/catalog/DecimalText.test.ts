import { assert, describe, it } from "@effect/vitest"
import { scaleUp } from "../../src/catalog/DecimalText.ts"

describe("scaleUp", () => {
  it("takes a number by its digits, and rounds up what is finer", () => {
    const table: ReadonlyArray<readonly [text: string, shift: number, value: bigint, rounded: boolean]> = [
      ["0", 12, 0n, false],
      ["0.0", 6, 0n, false],
      ["0e999999999999", 12, 0n, false],
      ["1", 6, 1_000_000n, false],
      ["1.25", 6, 1_250_000n, false],
      ["1.5e-07", 12, 150_000n, false],
      ["1.5E-7", 12, 150_000n, false],
      ["15e-8", 12, 150_000n, false],
      ["0.00000015", 12, 150_000n, false],
      ["3.0000000000000004e-07", 12, 300_001n, true],
      ["0.1234567", 6, 123_457n, true],
      ["0.1234560", 6, 123_456n, false],
      ["1e-13", 12, 1n, true],
      ["9.99e-13", 12, 1n, true],
      ["1e-999999999999999999999999", 12, 1n, true],
      ["2e+1", 6, 20_000_000n, false],
      ["-1.5", 6, -1_500_000n, false],
      // 2^53 + 1 is no float.
      ["9007199254740993", 0, 9_007_199_254_740_993n, false]
    ]
    for (const [text, shift, value, rounded] of table) {
      assert.deepStrictEqual(scaleUp(text, shift), { value, rounded }, text)
    }
  })

  it("refuses what is no number, or absurdly large", () => {
    for (const text of ["", " 1", "1,5", "0x10", ".5", "5.", "NaN", "Infinity", "1e", "--1", "1e40", "1".repeat(101)]) {
      assert.isUndefined(scaleUp(text, 6), text)
    }
  })
})
