import { assert, describe, it } from "@effect/vitest"
import { amountOf, canBuy } from "../../src/orders/TopupTerms.ts"

const amounts: ReadonlyArray<readonly [text: string | null, fen: bigint | undefined]> = [
  ["50", 5_000n],
  [" 50.5 ", 5_050n],
  ["¥1,234.56", 123_456n],
  ["￥ 10", 1_000n],
  ["0", undefined],
  ["-5", undefined],
  ["1.234", undefined],
  ["1,23", undefined],
  ["fifty", undefined],
  ["", undefined],
  [null, undefined]
]

const terms = { minFen: 100n, maxFen: 1_000n, usdPerCny: "0.14", payable: true, isOfUse: true }

describe("an amount to top up", () => {
  for (const [text, fen] of amounts) {
    it(`${JSON.stringify(text)} is ${fen === undefined ? "no amount" : `${fen} fen`}`, () =>
      assert.strictEqual(amountOf(text), fen))
  }

  it("can be bought within the bounds, both included", () => {
    assert.deepStrictEqual([99n, 100n, 1_000n, 1_001n].map((fen) => canBuy(terms, fen)), [false, true, true, false])
  })
})
