/**
 * The ledger of a balance, as its user and as root see it: what its entries are called, and what they did to the debt.
 */
import { type PageContext, sayOf } from "../PageContext.ts"
import { sayNamed } from "../text/Texts.ts"

/** A kind without words, which another module may have written, is shown as it is. */
export const entryName = ({ language }: Pick<PageContext, "language">, kind: string): string =>
  sayNamed(language, "ledgerEntry", kind)

/** What became debt, or was taken off it; undefined: neither. */
export const debtText = ({ formats, language }: PageContext, owedMicros: bigint): string | undefined => {
  const say = sayOf({ language }, "ledger")
  if (owedMicros === 0n) return undefined
  return owedMicros > 0n
    ? say("owed", { amount: formats.usd(owedMicros) })
    : say("waived", { amount: formats.usd(-owedMicros) })
}
