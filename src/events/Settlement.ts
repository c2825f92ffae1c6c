/**
 * The settlement: one transaction that writes down what a provider said, checks it against what was asked, and gives or takes
 * back what follows. Callbacks and reconciliation come through here alike. Whatever is replayed, reordered or sent to several
 * processes at once, an event counts at most once and an order is fulfilled at most once; who is told "received" is told so
 * after the commit.
 */
import { Effect, FiberSet, Layer, Metric } from "effect"
import { SqlClient } from "effect/sql"
import type { PaymentFact } from "../payments/PaymentFact.ts"
import { conclude, creditedEvent, isKnownException, parkedOf, receive, unpark } from "./EventStore.ts"
import { findAttempt, lockAttempts, moveAttempt } from "../orders/AttemptStore.ts"
import { fulfil, takeBack } from "../orders/Fulfilment.ts"
import { type Attempt, isFulfilled, type Order } from "../orders/Order.ts"
import { lockOrder } from "../orders/OrderStore.ts"
import { lockPayment } from "../orders/Payments.ts"
import { type EventOutcome, isFinal, type Settled, Settlement, settling } from "../orders/Settlement.ts"
import { isTakeBack, judge, type Verdict } from "./PaymentRules.ts"
import { Sessions } from "../orders/Sessions.ts"

const eventsTotal = Metric.counter("realms_payment_events_total", {
  description: "Verified payment events by provider and outcome; repeated deliveries apart",
  incremental: true
})

/** What a fact names, locked. */
interface Named {
  readonly attempt: Attempt | undefined
  readonly attempts: ReadonlyArray<Attempt>
  readonly order: Order | undefined
}

const makeSettlement = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const sessions = yield* Sessions
  const background = yield* FiberSet.make<void>()

  const locked = Effect.fnUntraced(function*(fact: PaymentFact) {
    const named = yield* findAttempt(sql, fact.provider, fact.reference, fact.payment)
    if (named === undefined) return { attempt: undefined, order: undefined, attempts: [] }
    const order = yield* lockOrder(sql, named.orderKind, named.orderId)
    const attempts = yield* lockAttempts(sql, named.orderId)
    return { attempt: attempts.find((attempt) => attempt.id === named.id), order, attempts }
  })

  const payFor = Effect.fnUntraced(
    function*(
      fact: PaymentFact & { readonly _tag: "Paid" },
      attempt: Attempt,
      attempts: ReadonlyArray<Attempt>,
      order: Order,
      eventId: bigint
    ) {
      const { payment, provider } = fact
      if (payment === null) return
      for (
        const other of attempts.filter(({ id, state }) =>
          id !== attempt.id && (state === "open" || state === "processing")
        )
      ) {
        yield* moveAttempt(sql, other, { _tag: "OtherPaid" }, { askSoon: true })
      }
      yield* moveAttempt(sql, attempt, { _tag: "Paid" }, { payment, method: fact.method, askSoon: true })
      const fulfilled = yield* fulfil(sql, order)
      const parked = yield* parkedOf(sql, provider, payment)
      const [first] = parked
      if (first === undefined) return
      const event = { id: eventId, fact: first.fact }
      const problem = yield* takeBack(sql, fulfilled, { ...attempt, payment }, payment, event)
      yield* unpark(sql, provider, payment, attempt, problem)
    }
  )

  /** Money of a payment that was credited by root's hand is not taken back by itself: people have to look. */
  const reconsidered = Effect.fnUntraced(function*(fact: PaymentFact, verdict: Verdict) {
    if (verdict._tag !== "Note" || fact.payment === null || !isTakeBack(fact)) return verdict
    const credited = yield* creditedEvent(sql, fact.provider, fact.payment)
    return credited === undefined
      ? verdict
      : { ...verdict, outcome: "exception" as const, note: `about a payment that was credited on event ${credited}` }
  })

  const settleWithin = Effect.fnUntraced(function*(fact: PaymentFact) {
    if (fact.payment !== null) yield* lockPayment(sql, fact.provider, fact.payment)
    const event = yield* receive(sql, fact)
    if (isFinal(event.outcome)) {
      return { outcome: event.outcome, note: event.note, repeated: true, orderId: null } satisfies Settled
    }
    const { attempt, attempts, order } = yield* locked(fact)
    const verdict = yield* reconsidered(fact, judge(fact, attempt, order, attempts))
    const settled = yield* carryOut(verdict, fact, { attempt, attempts, order }, event.id)
    yield* conclude(sql, event.id, attempt?.id ?? null, settled.outcome, settled.note)
    return { ...settled, repeated: false, orderId: order?.id ?? null } satisfies Settled
  })

  const carryOut = Effect.fnUntraced(function*(
    verdict: Verdict,
    fact: PaymentFact,
    { attempt, attempts, order }: Named,
    eventId: bigint
  ) {
    const applied = { outcome: "applied" as EventOutcome, note: "" }
    if (verdict._tag === "Note") {
      // A second payment is on record now: its attempt is not asked about any more.
      if (fact._tag === "Paid" && attempt !== undefined && order !== undefined && isFulfilled(order.state)) {
        for (const ended of attempts.filter(({ id, reference }) => id === attempt.id || reference === fact.reference)) {
          yield* moveAttempt(sql, ended, { _tag: "Ended" })
        }
      }
      return verdict.outcome === "exception" && fact._tag === "Paid" && (yield* isKnownException(sql, fact, eventId))
        ? { outcome: "duplicate" as EventOutcome, note: `another event said so: ${verdict.note}` }
        : { outcome: verdict.outcome, note: verdict.note }
    }
    if (attempt === undefined || order === undefined) return { outcome: "exception" as EventOutcome, note: "no order" }
    switch (verdict._tag) {
      case "Fulfil":
        if (fact._tag === "Paid") yield* payFor(fact, attempt, attempts, order, eventId)
        return applied
      case "TakeBack": {
        const problem = fact.payment === null
          ? undefined
          : yield* takeBack(sql, order, attempt, fact.payment, { id: eventId, fact: fact._tag })
        return problem === undefined ? applied : { outcome: "exception" as EventOutcome, note: problem }
      }
      case "Process":
        yield* moveAttempt(sql, attempt, { _tag: "UnderWay" })
        return applied
      case "Close":
        yield* moveAttempt(sql, attempt, { _tag: "Ended" })
        return applied
    }
  })

  const report = (fact: PaymentFact, settled: Settled) =>
    Effect.gen(function*() {
      const outcome = settled.repeated ? "repeated" : settled.outcome
      yield* Metric.update(Metric.withAttributes(eventsTotal, { provider: fact.provider, outcome }), 1)
      const facts = { provider: fact.provider, kind: fact.kind, event: fact.eventKey, outcome, note: settled.note }
      yield* settled.outcome === "exception" && !settled.repeated
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
    const settled = yield* settling(sql, settleWithin(fact)).pipe(
      Effect.tapError((error) => Effect.logError("a payment event could not be settled; it is asked for again", error))
    )
    yield* concluded(fact, settled)
    return settled
  })

  return Settlement.of({ settle, settleWithin, concluded })
})

export const settlementLayer = Layer.effect(Settlement, makeSettlement)
