/**
 * The settlement is one transaction that writes down what a provider said, checks it against what was asked, and gives or claws
 * back what follows. Callbacks and reconciliation both use it. Whatever is replayed, reordered or sent to several processes at
 * once, an event counts at most once and an order is fulfilled at most once. A provider hears "received" only after the commit.
 */
import { Effect, FiberSet, Layer, Metric } from "effect"
import { SqlClient } from "effect/sql"
import type { EventId } from "../domain/Ids.ts"
import { findAttempt, lockAttempts, moveAttempt } from "../orders/AttemptStore.ts"
import { type ClawbackOf, countedMinor, isCounted } from "../orders/Clawback.ts"
import { recordDispute } from "../orders/DisputeStore.ts"
import { clawBack } from "../orders/Fulfilment.ts"
import { type Attempt, isFulfilled } from "../orders/Order.ts"
import { findOrder, lockOrder } from "../orders/OrderStore.ts"
import {
  epayScope,
  isSamePayment,
  lockPayment,
  type Payment,
  type PaymentIdentity,
  paymentsNamed,
  setReceived,
  writePayment
} from "../orders/Payments.ts"
import { type Reason, reason, wordsOf } from "../orders/Reason.ts"
import { dropUnnamed, recordRefund, refundsNow } from "../orders/RefundStore.ts"
import { CheckoutSessions } from "../orders/CheckoutSessions.ts"
import { EventOutcome, isFinal, type Settled, Settlement, settling } from "../orders/Settlement.ts"
import { type PaymentFact, Provider, type RefundTold } from "../payments/PaymentFact.ts"
import { orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type Asked, makeAskAboutClawback } from "./AskAboutClawback.ts"
import { closeSuperseded, conclude, isKnownReview, needsAttention, receive, reopenReviews } from "./EventStore.ts"
import { decide, type Decision, isClawback, type Named } from "./PaymentRules.ts"
import { payOrder } from "./PayOrder.ts"

const eventsTotal = Metric.counter("realms_payment_events_total", {
  description: "Verified payment events by provider and outcome; repeated deliveries apart",
  incremental: true
})

const countEvent = (provider: PaymentFact["provider"], outcome: EventOutcome | "repeated", count: number) =>
  Metric.update(Metric.withAttributes(eventsTotal, { provider, outcome }), count)

/** Every count is there from the start, so that the first event is seen as an increase. */
const startCounting = Effect.forEach(
  Provider.literals,
  (provider) => Effect.forEach(EventOutcome.literals, (outcome) => countEvent(provider, outcome, 0), { discard: true }),
  { discard: true }
)

/** The identity of a fact's payment. A known reference takes the gateway that its attempt was started at. */
const identityOf = (fact: PaymentFact, payment: string, attempt: Attempt | undefined): PaymentIdentity => {
  if (fact.provider !== "epay") return { provider: fact.provider, scope: "", payment }
  const own = attempt?.provider === "epay" ? attempt : undefined
  const gateway = own !== undefined && own.gateway !== "" ? own.gateway : fact.gateway ?? ""
  // A payment to another merchant is not the one that this merchant's gateway calls by the same number.
  const paidTo = fact._tag === "Paid" ? fact.merchant : null
  const pid = paidTo ?? own?.merchant ?? fact.account ?? ""
  return { provider: "epay", scope: epayScope(gateway, pid), payment }
}

/** What Stripe refuses to say moves nothing, and people have to look. */
const withUnknown = (decision: Decision, unknown: Asked["unknown"]): Decision => {
  if (unknown === undefined) return decision
  const { what, why } = unknown
  if (what === "refunds" && decision._tag === "ClawBack") {
    return { _tag: "Note", outcome: "needs_review", reason: reason("refunds_unknown", { text: why }) }
  }
  return what === "owner"
    ? { _tag: "Note", outcome: "needs_review", reason: reason("owner_unknown", { text: why }) }
    : decision
}

/** What became of a fact. */
interface Concluded {
  readonly outcome: EventOutcome
  /** Undefined: it goes without saying. */
  readonly reason: Reason | undefined
  readonly payment: Payment | undefined
}

const nothingNamed: Named = {
  attempt: undefined,
  attempts: [],
  manual: undefined,
  order: undefined,
  payment: undefined
}

const makeSettlement = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const sessions = yield* CheckoutSessions
  const background = yield* FiberSet.make<void>()
  const askAboutClawback = yield* makeAskAboutClawback
  yield* startCounting

  const locked = Effect.fnUntraced(function*(fact: PaymentFact) {
    const referenced = fact.reference === null ? undefined : yield* findAttempt(sql, fact.reference)
    const known = fact.payment === null ? [] : yield* paymentsNamed(sql, fact.payment)
    const identity = fact.payment === null ? undefined : identityOf(fact, fact.payment, referenced)
    const ofProvider = known.filter(({ provider }) => provider === fact.provider)
    // A refund or dispute does not say whose number its payment is: it is the provider's only one.
    const payment = (identity && known.find(isSamePayment(identity))) ??
      (isClawback(fact) && ofProvider.length === 1 ? ofProvider[0] : undefined)
    const manual = known.find((other) => other.manual && other !== payment)
    const ofPayment = payment !== undefined && payment.attemptId !== null && payment.orderId !== null
      ? { attemptId: payment.attemptId, orderId: payment.orderId }
      : undefined
    const ofReference = referenced && { attemptId: referenced.id, orderId: referenced.orderId }
    const named = isClawback(fact) ? ofPayment ?? ofReference : ofReference ?? ofPayment
    if (named === undefined) return { named: { ...nothingNamed, manual, payment }, identity }
    const found = yield* findOrder(sql, named.orderId)
    const order = found && (yield* lockOrder(sql, found.kind, found.id))
    const attempts = yield* lockAttempts(sql, named.orderId)
    const attempt = attempts.find(({ id }) => id === named.attemptId)
    return { named: { attempt, attempts, manual, order, payment }, identity }
  })

  /**
   * Writes down the refunds and disputes that a fact tells of: their rows are what is clawed back. Answers true where it is about a
   * refund that counted until now, or that was not known.
   */
  const recordClawback = Effect.fnUntraced(function*(
    fact: PaymentFact,
    { payment }: Named,
    eventId: EventId,
    listed: ReadonlyArray<RefundTold> | undefined
  ) {
    if (fact.provider === "manual" || fact.payment === null) return false
    const of: ClawbackOf = { provider: fact.provider, payment: fact.payment, paymentId: payment?.id ?? null }
    const before = fact._tag === "Refund" ? yield* recordRefund(sql, of, fact) : undefined
    if (listed !== undefined) {
      yield* Effect.forEach(listed, (told) => recordRefund(sql, of, told), { discard: true })
      yield* dropUnnamed(sql, of)
    }
    if (fact._tag === "Dispute") {
      yield* recordDispute(sql, of, fact, eventId)
      yield* closeSuperseded(sql, fact)
    }
    return fact._tag === "Refund" && (before === undefined || isCounted(before))
  })

  /** `isTold`: by a provider, not by root. */
  const settleAsked = Effect.fnUntraced(function*({ fact, listed, unknown }: Asked, isTold: boolean) {
    if (fact.payment !== null) yield* lockPayment(sql, fact.payment)
    const event = yield* receive(sql, fact)
    if (isFinal(event.outcome)) {
      return { outcome: event.outcome, note: event.note, repeated: true, orderId: null } satisfies Settled
    }
    const { identity, named } = yield* locked(fact)
    const { attempt, order } = named
    const decision = withUnknown(decide(fact, named), unknown)
    const isOfNothing = decision._tag === "Note" && decision.outcome === "ignored"
    const isRecorded = isClawback(fact) && !isOfNothing && unknown === undefined
    const isNews = isRecorded && (yield* recordClawback(fact, named, event.id, listed))
    const settled = yield* carryOut(decision, fact, named, { identity, eventId: event.id, isNews })
    const about = { attemptId: attempt?.id ?? null, paymentId: settled.payment?.id ?? null }
    yield* conclude(sql, event.id, about, settled.outcome, settled.reason)
    if (fact._tag === "Paid" && fact.provider !== "manual" && isTold && settled.outcome !== "ignored") {
      const received = settled.payment ?? named.payment ?? named.manual
      if (received !== undefined && fact.amountMinor > 0n) {
        yield* setReceived(sql, received.id, {
          provider: fact.provider,
          minor: fact.amountMinor,
          currency: fact.currency
        })
      }
    }
    const { outcome, reason: why } = settled
    return {
      note: why === undefined ? "" : wordsOf(why),
      outcome,
      repeated: false,
      orderId: order?.id ?? null
    } satisfies Settled
  })

  const settleWithin = (fact: PaymentFact) => settleAsked({ fact, listed: undefined }, false)

  /** Writes down that people have to look at money that came in. */
  const review = Effect.fnUntraced(function*(
    fact: PaymentFact,
    { attempt, payment }: Named,
    identity: PaymentIdentity | undefined
  ) {
    const isMoney = fact._tag === "Paid" || fact._tag === "Unreadable"
    const isOpen = payment === undefined || payment.state === "in_review" || payment.state === "dismissed"
    if (!isMoney || identity === undefined || !isOpen) return payment
    return yield* writePayment(sql, identity, {
      state: "in_review",
      ...(fact._tag === "Paid" && fact.amountMinor > 0n
        ? { paid: { minor: fact.amountMinor, currency: fact.currency } }
        : {}),
      ...(attempt === undefined ? {} : { attemptId: attempt.id })
    })
  })

  const carryOut = Effect.fnUntraced(function*(
    decision: Decision,
    fact: PaymentFact,
    named: Named,
    { eventId, identity, isNews }: {
      readonly identity: PaymentIdentity | undefined
      readonly eventId: EventId
      readonly isNews: boolean
    }
  ) {
    const { attempt, attempts, order, payment } = named
    const applied: Concluded = { outcome: "applied", reason: undefined, payment }
    if (decision._tag === "Note") {
      // A second payment is on record now: its attempt is not asked about any more.
      if (fact._tag === "Paid" && attempt !== undefined && order !== undefined && isFulfilled(order.state)) {
        for (const ended of attempts.filter(({ id, reference }) => id === attempt.id || reference === fact.reference)) {
          yield* moveAttempt(sql, ended, { _tag: "Ended" })
        }
      }
      if (decision.outcome !== "needs_review") return { ...decision, payment } satisfies Concluded
      if (fact._tag === "Paid" && (yield* isKnownReview(sql, fact, eventId))) {
        return { outcome: "duplicate", reason: reason("said_before"), payment } satisfies Concluded
      }
      return { ...decision, payment: yield* review(fact, named, identity) } satisfies Concluded
    }
    switch (decision._tag) {
      case "Fulfil": {
        if (fact._tag !== "Paid" || identity === undefined || attempt === undefined || order === undefined) break
        const paid = yield* payOrder(sql, {
          identity,
          paid: { minor: fact.amountMinor, currency: fact.currency },
          method: fact.method,
          attempt,
          attempts,
          order,
          creditMicros: order.creditMicros,
          eventId,
          resolved: { resolution: "fulfilled", note: "", by: "system" }
        })
        return { ...applied, payment: paid }
      }
      case "ClawBack": {
        if (payment === undefined) break
        const paid = payment.state === "fulfilled" ? order : undefined
        const cause = fact._tag === "Dispute" ? "dispute" : "refund"
        const problem = yield* clawBack(sql, payment, paid, { id: eventId, cause })
        const isOpen = fact._tag !== "Dispute" || (yield* needsAttention(sql, fact, eventId))
        const seen = problem ?? (isOpen ? decision.attention : undefined)
        return seen === undefined ? applied : { ...applied, outcome: "needs_review", reason: seen } satisfies Concluded
      }
      case "Reopen": {
        if (payment === undefined) break
        if (!isNews) return applied
        const backMinor = countedMinor(yield* refundsNow(sql, payment))
        const isAway = payment.paidMinor === null ? backMinor > 0n : backMinor >= payment.paidMinor
        if (isAway) return { ...applied, reason: reason("other_refunds") } satisfies Concluded
        yield* reopenReviews(sql, payment.id)
        const again = yield* writePayment(sql, payment, { state: "in_review" })
        return { ...applied, reason: reason("refund_failed"), payment: again } satisfies Concluded
      }
      case "Process":
        if (attempt !== undefined) yield* moveAttempt(sql, attempt, { _tag: "UnderWay" })
        return applied
      case "Close":
        if (attempt !== undefined) yield* moveAttempt(sql, attempt, { _tag: "Ended" })
        return applied
    }
    return yield* Effect.die(new Error(`a decision ${decision._tag} without what it is about`))
  })

  const report = (fact: PaymentFact, settled: Settled) =>
    Effect.gen(function*() {
      const outcome = settled.repeated ? "repeated" : settled.outcome
      yield* countEvent(fact.provider, outcome, 1)
      const facts = { provider: fact.provider, kind: fact.kind, event: fact.eventKey, outcome, note: settled.note }
      yield* settled.outcome === "needs_review" && !settled.repeated
        ? Effect.logWarning("a payment event needs to be looked at", facts)
        : Effect.logInfo("a payment event", facts)
    })

  const concluded = Effect.fnUntraced(function*(fact: PaymentFact, settled: Settled) {
    yield* report(fact, settled)
    // Sessions of the order's other attempts: the answer to the provider does not wait for them.
    if (settled.orderId !== null && settled.outcome === "applied") {
      yield* FiberSet.run(background, sessions.closeOf(settled.orderId))
    }
  })

  const settle = Effect.fn("Settlement.settle")(function*(fact: PaymentFact) {
    const asked = yield* orUnavailable(askAboutClawback(fact))
    const settled = yield* settling(sql, settleAsked(asked, true))
    yield* concluded(fact, settled)
    return settled
  }, Effect.tapError((error) => Effect.logError("a payment event could not be settled; it is asked for again", error)))

  return Settlement.of({ settle, settleWithin, concluded })
})

/** The port `Settlement` of orders, which do not know what events are. */
export const SettlementLayer = Layer.effect(Settlement, makeSettlement)
