/**
 * Money as EPay gateways write it: yuan in decimal, with none, one or two decimals. Counted in fen, never in fractions.
 */

/** By example, the way in which a gateway writes 20 yuan. */
export type MoneyStyle = "20" | "20.0" | "20.00"

/** 0.01 to 9,999,999.99 yuan, with at most two decimals; undefined for anything else. */
export function fenOf(text: string): number | undefined {
  const [, yuan, decimals = ""] = /^(0|[1-9]\d{0,6})(?:\.(\d{1,2}))?$/.exec(text) ?? []
  if (yuan === undefined) return undefined
  const fen = Number(yuan) * 100 + Number(decimals.padEnd(2, "0"))
  return fen > 0 ? fen : undefined
}

/** At least as many decimals as the style has, and as many as are needed. */
export function moneyText(fen: number, style: MoneyStyle): string {
  const yuan = String(Math.floor(fen / 100))
  const decimals = String(fen % 100).padStart(2, "0")
  if (style === "20.00") return `${yuan}.${decimals}`
  const needed = decimals.replace(/0+$/, "")
  const shown = style === "20.0" ? needed.padEnd(1, "0") : needed
  return shown === "" ? yuan : `${yuan}.${shown}`
}
