/**
 * What can be topped up, and what an amount means that somebody types.
 */
import { FEN_SCALE, parseDecimal } from "../domain/Money.ts"
import { paymentOrigins } from "../payments/PaymentOrigins.ts"
import type { SettingsValues } from "../settings/Settings.ts"

/** What can be bought, and for what. Amounts in fen. */
export interface TopupTerms {
  readonly minFen: bigint
  readonly maxFen: bigint
  readonly usdPerCny: string
  /** Some way of paying is on. */
  readonly payable: boolean
  /** Calls are paid from the balance. */
  readonly isOfUse: boolean
}

export const termsOf = ({ billing, payment }: SettingsValues): TopupTerms => ({
  minFen: billing.minTopupFen,
  maxFen: billing.maxTopupFen,
  usdPerCny: billing.creditUsdPerCny,
  payable: paymentOrigins(payment).length > 0,
  isOfUse: billing.enabled && billing.payAsYouGo
})

export const canBuy = ({ maxFen, minFen }: TopupTerms, fen: bigint): boolean => fen >= minFen && fen <= maxFen

/** An amount as people type it, in fen; undefined for a text that is not an amount. */
export const amountOf = (text: string | null): bigint | undefined => {
  const fen = parseDecimal((text ?? "").trim().replace(/^[¥￥]\s*/, "").replace(/,(?=\d{3}(?:\D|$))/g, ""), FEN_SCALE)
  return fen !== undefined && fen > 0n ? fen : undefined
}
