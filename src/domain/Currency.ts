/**
 * The minor units of currencies, in which providers count: cents of most, whole yen, thousandths of a dinar.
 */
import { formatDecimal } from "./Money.ts"

/** Stripe counts these in whole units, and those after them in thousandths; see docs.stripe.com/currencies. */
const wholeUnits = new Set("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" "))
const thousandths = new Set("bhd jod kwd omr tnd".split(" "))

/** Decimals of a currency's amounts, by its code in any case: two of CNY, none of JPY. */
export const currencyDecimals = (currency: string): number => {
  const code = currency.toLowerCase()
  if (wholeUnits.has(code)) return 0
  return thousandths.has(code) ? 3 : 2
}

/** An amount in the minor unit as the exact decimal text of the currency: 994 fen are `9.94`. */
export const minorText = (amountMinor: bigint, currency: string): string => {
  const decimals = currencyDecimals(currency)
  return formatDecimal(amountMinor, { scale: decimals, decimalsMin: decimals })
}
