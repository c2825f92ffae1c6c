/**
 * What an action on a payment event would do to which balance, in words, before it is done.
 */
import { type CreditEffect, effectOf, type EventAction } from "../../../../events/EventActions.ts"
import type { PaymentReview } from "../../../../events/PaymentReviews.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { minorText, sourceName } from "./EventParts.tsx"

/** Sentences as one text. */
export const sentences = ({ language }: Pick<PageContext, "language">, parts: ReadonlyArray<string>): string =>
  parts.join(language === "zh" ? "" : " ")

/** What somebody has, and owes if they do. */
export const balanceText = (
  context: PageContext,
  { owedMicros, usdMicros }: { readonly usdMicros: bigint; readonly owedMicros: bigint }
): string => {
  const { usd } = context.formats
  return owedMicros === 0n
    ? usd(usdMicros)
    : sayOf(context, "payments")("balance.owing", { amount: usd(usdMicros), owed: usd(owedMicros) })
}

const creditText = (context: PageContext, { buyer }: PaymentReview, effect: CreditEffect): string => {
  const say = sayOf(context, "payments")
  const { usd } = context.formats
  const { after, before, debitMicros, micros, recoveredMicros } = effect
  if (before === undefined || after === undefined) return say("effect.credit.anybody", { amount: usd(micros) })
  const who = buyer?.email ?? ""
  return sentences(context, [
    say("effect.credit", { who, amount: usd(micros) }),
    ...(recoveredMicros === 0n ? [] : [say("effect.recovered", { amount: usd(recoveredMicros) })]),
    ...(debitMicros === 0n ? [] : [say("effect.debited", { amount: usd(debitMicros) })]),
    say("effect.balance", { before: balanceText(context, before), after: balanceText(context, after) })
  ])
}

export const effectText = (context: PageContext, review: PaymentReview, action: EventAction): string => {
  const say = sayOf(context, "payments")
  const effect = effectOf(review, action)
  const { buyer, event } = review
  switch (effect?._tag) {
    case undefined:
      return say("effect.unknown")
    case "Credit":
      return creditText(context, review, effect)
    case "Plan":
      return say("effect.plan", { who: buyer?.email ?? "", name: effect.terms.name, days: effect.terms.durationDays })
    case "GiveBack":
      return say("effect.back", {
        amount: minorText(context, effect.minor, effect.currency),
        provider: sourceName(context, event.provider)
      })
    case "None":
      return effect.keeps
        ? say("effect.kept", { amount: minorText(context, event.amountMinor, event.currency) })
        : say("effect.none")
  }
}
