/**
 * Why an event about a payment has its outcome: a code, and the values that its words need. It is kept with the event, and worded
 * where it is read, in the reader's language. The words here are for logs and programs.
 */
import { Record, Schema, SchemaTransformation } from "effect"
import { codedMessages } from "../domain/CodedMessages.ts"

/** Words by code; a value's place is written `{name}`. Amounts are in minor units, times in ISO 8601. */
export const reasonWords = {
  told: "{text}",
  not_ours: "not a payment of ours",
  not_ours_because: "not a payment of ours: {text}",
  nothing_waits: "nothing waits for it",
  no_payment: "paid, without saying by which payment",
  about_no_payment: "about no payment",
  used_for_other: "a payment that has paid one order comes again for another",
  completed_with: "the order was completed with this payment",
  completed_other: "another order was completed with a payment of this number",
  was_settled: "this payment has been settled",
  was_credited: "this payment was credited",
  was_refunded: "this payment was refunded",
  unknown_order: "paid for an order that is not known: {reference}",
  other_provider: "paid through {paid}, asked for through {asked}",
  other_merchant: "paid to merchant {paid}, asked for {asked}",
  other_amount: "paid {paid_minor} {paid_currency}, asked for {asked_minor} {asked_currency} (minor units)",
  second_payment: "a second payment of an order that is {state}",
  payment_unknown: "its payment is not known yet",
  payment_open: "its payment is not settled yet",
  payment_dismissed: "about a payment that was dismissed",
  payment_refunded: "about a payment that was refunded",
  refunded_disputed: "a dispute of a payment that was refunded",
  other_currency: "in {told}, the payment was in {paid}",
  dispute_unknown: "a dispute in a state that is not known ({status})",
  dispute_open: "a dispute to be answered at the provider ({reason})",
  dispute_open_due: "a dispute to be answered at the provider ({reason}, answer before {due_at})",
  inquiry: "an inquiry of the payer's bank ({status}, {reason}); no money has moved",
  inquiry_due: "an inquiry of the payer's bank ({status}, {reason}, answer before {due_at}); no money has moved",
  fraud_warning: "an early fraud warning ({type}): a refund in time avoids a dispute",
  test_mode: "an event of the test mode, under a live key: no money",
  refunds_unknown: "Stripe does not list the payment's refunds ({text}): look there what went back",
  owner_unknown: "Stripe does not say whose payment it is ({text})",
  other_refunds: "other refunds of the payment stand",
  refund_failed: "its refund came to nothing: the payment is in review again",
  said_before: "another event said the same",
  paid_unknown: "the paid amount is not known",
  part_disputed: "part of a subscription's price is disputed; the subscription goes on",
  part_refunded: "part of a subscription's price was refunded; the subscription goes on",
  early: "came before its payment",
  early_currency: "came before its payment, in another currency",
  early_dispute: "came before its payment: a dispute to be looked at ({status})",
  payment_was_refunded: "its payment was refunded",
  payment_was_dismissed: "its payment was dismissed"
} as const

export type ReasonCode = keyof typeof reasonWords

export const { message: reason, schema: Reason, textOf: wordsOf } = codedMessages(reasonWords)
export interface Reason extends Schema.Schema.Type<typeof Reason> {}

/** Reads a stored reason; undefined where it is not one. */
export const reasonOf = (kept: unknown): Reason | undefined => {
  if (typeof kept !== "object" || kept === null || !("code" in kept) || typeof kept.code !== "string") return undefined
  const { code } = kept
  const known = Record.keys(reasonWords).find((one) => one === code)
  if (known === undefined) return undefined
  const values = "values" in kept && typeof kept.values === "object" && kept.values !== null ? kept.values : {}
  const texts = Object.entries(values).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : []
  )
  return { code: known, values: Object.fromEntries(texts) }
}

/** A reason as it is kept with its event; undefined: there is none, or another version wrote it. */
export const KeptReason = Schema.Unknown.pipe(
  Schema.decodeTo(
    Schema.UndefinedOr(Reason),
    SchemaTransformation.transform<Reason | undefined, unknown>({ decode: reasonOf, encode: (kept) => kept ?? null })
  )
)
