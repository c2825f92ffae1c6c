import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { amountOf, canBuy, creditOf, topupCredit } from "../../src/orders/TopupTerms.ts"

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

const terms = { minFen: 100n, maxFen: 1_000n }

describe("an amount to top up", () => {
  for (const [text, fen] of amounts) {
    it(`${JSON.stringify(text)} is ${fen === undefined ? "no amount" : `${fen} fen`}`, () =>
      assert.strictEqual(amountOf(text), fen))
  }

  it("can be bought within the bounds, both included", () => {
    assert.deepStrictEqual([99n, 100n, 1_000n, 1_001n].map((fen) => canBuy(terms, fen)), [false, true, true, false])
  })
})

const rate = (...bonuses: ReadonlyArray<readonly [fromFen: bigint, basisPoints: bigint]>) => ({
  usdPerCny: "0.14",
  bonuses: bonuses.map(([fromFen, basisPoints]) => ({ fromFen, basisPoints }))
})

const steps = rate([50_000n, 1_000n], [10_000n, 500n])

const credits: ReadonlyArray<readonly [what: string, fen: bigint, of: typeof steps, credit: bigint, bonus: bigint]> = [
  ["nothing below the first step", 9_999n, steps, 13_998_600n, 0n],
  ["from the very amount of a step on", 10_000n, steps, 14_700_000n, 700_000n],
  ["that of the highest step reached, in whatever order", 50_000n, steps, 77_000_000n, 7_000_000n],
  ["nothing where none is set", 50_000n, rate(), 70_000_000n, 0n],
  ["all of the credit again at most", 100n, rate([1n, 10_000n]), 280_000n, 140_000n],
  // 1 fen at 0.000001: a hundredth of a micro, and twice that.
  ["rounded down once", 1n, { ...rate([1n, 10_000n]), usdPerCny: "0.000099" }, 1n, 1n]
]

describe("the bonus of a top-up", () => {
  for (const [what, fen, of, creditMicros, bonusMicros] of credits) {
    it(`is ${what}`, () => assert.deepStrictEqual(topupCredit(fen, of), { creditMicros, bonusMicros }))
  }

  const Amount = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 10n ** 12n }))
  const Points = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 1n, maximum: 10_000n }))

  it.prop("is within the credit, and never above its share of it", [Amount, Points], ([fen, points]) => {
    const { bonusMicros, creditMicros } = topupCredit(fen, rate([1n, points]))
    const base = creditOf(fen, "0.14")
    assert.strictEqual(creditMicros - bonusMicros, base)
    assert.isTrue(bonusMicros >= 0n && bonusMicros * 10_000n <= (base + 1n) * points)
  })
})
