/**
 * What can be topped up, what an amount means that somebody types, and what it buys: credit at the rate, and the bonus of the step that
 * it reaches.
 */
import { FEN_SCALE, MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import { BASIS_POINTS, bonusFor, type TopupBonus } from "../domain/TopupBonus.ts"
import { paymentOrigins } from "../payments/PaymentOrigins.ts"
import type { SettingsValues } from "../settings/Settings.ts"

/** How an amount becomes credit. */
export interface CreditRate {
  /** Decimal text. */
  readonly usdPerCny: string
  readonly bonuses: ReadonlyArray<TopupBonus>
}

/** What can be bought, and for what. Amounts in fen. */
export interface TopupTerms extends CreditRate {
  readonly minFen: bigint
  readonly maxFen: bigint
  /** Offered at one click: all of them can be bought. */
  readonly presetsFen: ReadonlyArray<bigint>
  /** Some way of paying is on. */
  readonly payable: boolean
  /** Calls are paid from the balance. */
  readonly isOfUse: boolean
}

export const rateOf = ({ creditUsdPerCny, topupBonuses }: SettingsValues["billing"]): CreditRate => ({
  usdPerCny: creditUsdPerCny,
  bonuses: topupBonuses
})

export const termsOf = ({ billing, payment }: SettingsValues): TopupTerms => {
  const range = { minFen: billing.minTopupFen, maxFen: billing.maxTopupFen }
  return {
    ...range,
    ...rateOf(billing),
    presetsFen: billing.topupPresetsFen.filter((fen) => canBuy(range, fen)),
    payable: paymentOrigins(payment).length > 0,
    isOfUse: billing.enabled && billing.payAsYouGo
  }
}

export const canBuy = ({ maxFen, minFen }: Pick<TopupTerms, "maxFen" | "minFen">, fen: bigint): boolean =>
  fen >= minFen && fen <= maxFen

/** An amount as people type it, in fen; undefined for a text that is not an amount. */
export const amountOf = (text: string | null): bigint | undefined => {
  const fen = parseDecimal((text ?? "").trim().replace(/^[¥￥]\s*/, "").replace(/,(?=\d{3}(?:\D|$))/g, ""), FEN_SCALE)
  return fen !== undefined && fen > 0n ? fen : undefined
}

/** The credit for one CNY, in micros. */
const scaledRate = (usdPerCny: string): bigint => parseDecimal(usdPerCny, MICROS_SCALE) ?? 0n

/** What an amount buys without a bonus, in micros: rounded down. `usdPerCny` is decimal text. */
export const creditOf = (amountFen: bigint, usdPerCny: string): bigint => amountFen * scaledRate(usdPerCny) / 100n

export interface TopupCredit {
  /** All of it, in micros: rounded down, once. */
  readonly creditMicros: bigint
  /** How much of that is the bonus. */
  readonly bonusMicros: bigint
}

/** What an amount buys, with its bonus. */
export const topupCredit = (amountFen: bigint, { bonuses, usdPerCny }: CreditRate): TopupCredit => {
  const { basisPoints } = bonusFor(amountFen, bonuses) ?? { basisPoints: 0n }
  const creditMicros = amountFen * scaledRate(usdPerCny) * (BASIS_POINTS + basisPoints) / (100n * BASIS_POINTS)
  return { creditMicros, bonusMicros: creditMicros - creditOf(amountFen, usdPerCny) }
}
