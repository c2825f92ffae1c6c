import { assert, describe, it } from "@effect/vitest"
import { bonusFor, printTopupBonus, readTopupBonus } from "../../src/domain/TopupBonus.ts"

const table: ReadonlyArray<readonly [text: string, printed: string | undefined]> = [
  ["100.00: 5 percent", "100.00: 5 percent"],
  [" 100 : 2.50 % ", "100.00: 2.5 percent"],
  ["0.01:100", "0.01: 100 percent"],
  ["100: 100.01 percent", undefined],
  ["100: 0", undefined],
  ["100: 0.001", undefined],
  ["0: 5", undefined],
  ["100.001: 5", undefined],
  ["-100: 5", undefined],
  ["100: -5", undefined],
  ["100: 5 per cent", undefined],
  ["100", undefined],
  ["", undefined],
  ["1e3: 5", undefined]
]

describe("the text of a bonus", () => {
  for (const [text, printed] of table) {
    it(`${JSON.stringify(text)} is ${printed ?? "none"}`, () => {
      const bonus = readTopupBonus(text)
      assert.strictEqual(bonus && printTopupBonus(bonus), printed)
      if (bonus !== undefined) assert.deepStrictEqual(readTopupBonus(printTopupBonus(bonus)), bonus)
    })
  }

  it("is chosen by the highest amount that is reached", () => {
    const bonuses = [{ fromFen: 20n, basisPoints: 2n }, { fromFen: 10n, basisPoints: 9n }]
    assert.deepStrictEqual(
      [9n, 10n, 19n, 20n, 99n].map((fen) => bonusFor(fen, bonuses)?.basisPoints),
      [undefined, 9n, 9n, 2n, 2n]
    )
  })
})
