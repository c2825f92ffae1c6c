/**
 * Yuan as gateways write them, and as nobody may.
 */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { formatCny } from "../../src/domain/Money.ts"
import { parseFen } from "../../src/payments/EpayMoney.ts"

describe("EpayMoney", () => {
  it.each<[string, bigint]>([
    ["20", 2000n],
    ["20.0", 2000n],
    ["20.00", 2000n],
    ["20.5", 2050n],
    ["20.05", 2005n],
    ["0.01", 1n],
    ["0", 0n],
    ["0.1", 10n],
    ["9999999999.99", 999_999_999_999n]
  ])("reads %j", (text, fen) => assert.strictEqual(parseFen(text), fen))

  it.each([
    "-20",
    "+20",
    "2e1",
    "20.001",
    "20.000",
    "",
    " 20",
    "20 ",
    "20\n",
    "020",
    "00.20",
    "20.",
    ".20",
    "20,00",
    "2_0",
    "0x14",
    "20.0.0",
    "２０",
    "NaN",
    "Infinity",
    "10000000000",
    "9".repeat(10_000)
  ])("refuses %j", (text) => assert.isUndefined(parseFen(text)))

  it.prop(
    "reads what it writes",
    [Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 999_999_999_999n }))],
    ([fen]) => parseFen(formatCny(fen)) === fen && /^\d+\.\d\d$/.test(formatCny(fen))
  )
})
