/**
 * What has to be asked at Stripe before an event about a refund or dispute is settled: which payment it is about, where it names a
 * charge alone; whose payment that is, where nothing here says so; and which refunds there are, where a sum does not agree with those that
 * are known. Nothing is locked meanwhile.
 *
 * @internal
 */
import { Effect } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { findAttempt } from "../orders/AttemptStore.ts"
import { paymentsNamed } from "../orders/Payments.ts"
import { knownRefunds } from "../orders/RefundStore.ts"
import { ProviderOff, ProviderRefused, ProviderUnavailable } from "../payments/PaymentError.ts"
import type { PaymentFact, RefundTold } from "../payments/PaymentFact.ts"
import { StripeClient, type StripeFailure } from "../payments/StripeClient.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { Settings } from "../settings/Settings.ts"
import { knownReference } from "./EventStore.ts"

/** A fact that is ready to be settled, with the refunds of its payment where they had to be listed. */
export interface Asked {
  readonly fact: PaymentFact
  readonly listed: ReadonlyArray<RefundTold> | undefined
  /** What Stripe refuses to say, for good, and why: people have to look. */
  readonly unknown?: { readonly what: "owner" | "refunds"; readonly why: string }
}

/** Whether a fact is about a payment that may be another shop's. */
const mayBeForeign: Readonly<Record<PaymentFact["_tag"], boolean>> = {
  Refund: true,
  Refunded: true,
  Dispute: true,
  FraudWarning: true,
  UnreadableClawback: true,
  // They carry the reference of their session, or say nothing of a payment.
  Paid: false,
  Processing: false,
  Ended: false,
  Unreadable: false,
  TestMode: false,
  Nothing: false
}

const unanswered = (error: StripeFailure): ProviderUnavailable =>
  new ProviderUnavailable({ provider: "stripe", why: `it has to be asked about the payment: ${error.message}` })

/** Where Stripe refuses to say, people have to look. Where it does not answer, it is asked to send the event again. */
const refused = <E extends { readonly _tag: string }>(
  error: StripeFailure | E,
  what: "owner" | "refunds",
  fact: PaymentFact
): Effect.Effect<Asked, ProviderUnavailable | E> => {
  if (error instanceof ProviderRefused) {
    return Effect.succeed({ fact, listed: undefined, unknown: { what, why: error.why } })
  }
  return error instanceof ProviderOff || error instanceof ProviderUnavailable
    ? Effect.fail(unanswered(error))
    : Effect.fail(error)
}

export const makeAskAboutClawback = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const settings = yield* Settings
  const stripe = yield* StripeClient

  /** The fact with the reference of its payment; undefined: it is not a payment of ours. */
  const withReference = Effect.fnUntraced(function*(fact: PaymentFact, payment: string) {
    const isRecorded = (yield* paymentsNamed(sql, payment)).some(({ provider }) => provider === "stripe")
    if (isRecorded) return fact
    const isReferenced = fact.reference !== null && (yield* findAttempt(sql, fact.reference)) !== undefined
    if (isReferenced) return fact
    const known = yield* knownReference(sql, { provider: "stripe", payment })
    const { payment: config } = yield* settings.fresh
    const reference = known === undefined
      ? yield* stripe.referenceOf(config.stripe, payment)
      : known.reference
    return reference === null || (yield* findAttempt(sql, reference)) === undefined ? undefined : { ...fact, reference }
  })

  const listed = Effect.fnUntraced(function*(fact: PaymentFact, payment: string) {
    if (fact._tag !== "Refunded" && fact._tag !== "Refund") return undefined
    const known = yield* knownRefunds(sql, { provider: "stripe", payment })
    const isSettled = fact._tag === "Refund" || known.sumMinor === fact.amountMinor
    if (isSettled && !known.hasUnnamed) return undefined
    const { payment: config } = yield* settings.fresh
    return yield* stripe.refunds(config.stripe, payment)
  })

  /** The fact with its payment, where it names a charge alone. */
  const withPayment = Effect.fnUntraced(function*(fact: PaymentFact) {
    const { charge = null, payment } = fact
    if (payment !== null || charge === null) return fact
    const { payment: config } = yield* settings.fresh
    return { ...fact, payment: yield* stripe.paymentOf(config.stripe, charge) }
  })

  return (told: PaymentFact): Effect.Effect<Asked, DatabaseUnavailable | ProviderUnavailable | SqlError.SqlError> =>
    Effect.gen(function*() {
      if (told.provider !== "stripe" || !mayBeForeign[told._tag]) return { fact: told, listed: undefined }
      const named = yield* Effect.result(withPayment(told))
      if (named._tag === "Failure") return yield* refused(named.failure, "owner", told)
      const fact = named.success
      const { payment } = fact
      if (payment === null) return { fact, listed: undefined }
      const owned = yield* Effect.result(withReference(fact, payment))
      if (owned._tag === "Failure") return yield* refused(owned.failure, "owner", fact)
      const own = owned.success
      if (own === undefined) return { fact, listed: undefined }
      const found = yield* Effect.result(listed(own, payment))
      return found._tag === "Failure"
        ? yield* refused(found.failure, "refunds", own)
        : { fact: own, listed: found.success }
    })
})
