/**
 * The ledger of a balance, as its user and as root see it: what its entries are called, and what they did to the debt.
 */
import { type PageContext, sayOf } from "../PageContext.ts"
import { sayKnown, type TextKey } from "../text/Texts.ts"

/** Other parts of the house may write kinds of their own. */
const kinds: ReadonlyMap<string, TextKey<"ledger">> = new Map([
  ["topup", "topUp"],
  ["adjustment", "kind.adjustment"],
  ["recovery", "kind.recovery"],
  ["waiver", "kind.waiver"],
  ["refund", "refund"],
  ["refund_returned", "kind.refund_returned"],
  ["dispute", "kind.dispute"],
  ["dispute_returned", "kind.dispute_returned"],
  ["payment_credit", "kind.payment_credit"],
  ["correction", "kind.correction"],
  ["redemption", "kind.redemption"]
])

export const entryName = (context: Pick<PageContext, "language">, kind: string): string =>
  sayKnown(sayOf(context, "ledger"), kinds, kind)

/** What became debt, or was taken off it; undefined: neither. */
export const debtText = ({ formats, language }: PageContext, owedMicros: bigint): string | undefined => {
  const say = sayOf({ language }, "ledger")
  if (owedMicros === 0n) return undefined
  return owedMicros > 0n
    ? say("owed", { amount: formats.usd(owedMicros) })
    : say("waived", { amount: formats.usd(-owedMicros) })
}
