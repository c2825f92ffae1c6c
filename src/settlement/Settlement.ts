/**
 * The settlement: one transaction that writes down what a provider said, checks it against what was asked, and gives or takes
 * back what follows. Callbacks and reconciliation come through here alike. Whatever is replayed, reordered or sent to several
 * processes at once, an event counts at most once and an order is fulfilled at most once; who is told "received" is told so
 * after the commit.
 */
import { Context, Effect, FiberSet, Layer, Metric, Schedule } from "effect"
import { SqlClient, SqlError } from "effect/sql"
import type { PaymentFact } from "../payments/PaymentFact.ts"
import { classifySqlError } from "../platform/SqlFailure.ts"
import { inTransaction } from "../platform/Transaction.ts"
import { conclude, creditedEvent, isKnownException, lockPayment, parkedOf, receive, unpark } from "./EventStore.ts"
import { fulfil, takeBack } from "./Fulfilment.ts"
import { type Attempt, isFulfilled, type Order } from "./Order.ts"
import { SettlementUnavailable } from "./OrderError.ts"
import { unavailable } from "./Orders.ts"
import { findAttempt, lockAttempts, lockOrder } from "./OrderStore.ts"
import { type EventOutcome, isFinal, isTakeBack, judge, type Verdict } from "./PaymentRules.ts"
import { Sessions } from "./Sessions.ts"

/** What became of a fact. `repeated`: it had been settled before, and nothing was done. */
export interface Settled {
  readonly outcome: EventOutcome
  readonly note: string
  readonly repeated: boolean
  readonly orderId: bigint | null
}

export class Settlement extends Context.Service<Settlement, {
  /** Settles a verified fact. When it fails nothing was settled that a repetition would not find. */
  settle(fact: PaymentFact): Effect.Effect<Settled, SettlementUnavailable>
  /** The same as a part of the transaction under way, see {@link settling}. Whoever commits it calls `concluded` then. */
  settleWithin(fact: PaymentFact): Effect.Effect<Settled, SqlError.SqlError>
  /** What is left to do when a settlement is committed: it is counted and logged, and other sessions are closed. */
  concluded(fact: PaymentFact, settled: Settled): Effect.Effect<void>
}>()("realms/settlement/Settlement") {
  static readonly layer = Layer.effect(Settlement, Effect.suspend(() => make))
}

/** Tries of one settlement, after the first, at most. */
const RETRIES_MAX = 5
const RETRY_MS_MIN = 50

/** A settlement takes no longer: providers hang up after ten seconds or so, and come again. */
const SETTLE_MS_MAX = 10_000

/** One try waits for another transaction's locks no longer. */
const LOCK_WAIT_MS_MAX = 2_000

const eventsTotal = Metric.counter("realms_payment_events_total", {
  description: "Verified payment events by provider and outcome; repeated deliveries apart",
  incremental: true
})

const isTransient = (error: unknown): boolean => SqlError.isSqlError(error) && classifySqlError(error) !== "data"

/** Runs a transaction as settlements are run: with bounded waits, and again while the database says that this may help. */
export const settling = <A, E, R>(sql: SqlClient.SqlClient, effect: Effect.Effect<A, E, R>) =>
  inTransaction(sql, sql.unsafe(`SET LOCAL lock_timeout = ${LOCK_WAIT_MS_MAX}`).pipe(Effect.andThen(effect))).pipe(
    Effect.retry({
      while: isTransient,
      schedule: Schedule.exponential(RETRY_MS_MIN).pipe(Schedule.jittered),
      times: RETRIES_MAX
    }),
    Effect.timeoutOrElse({
      duration: SETTLE_MS_MAX,
      orElse: () => Effect.fail(new SettlementUnavailable({ why: "no answer in time" }))
    }),
    unavailable
  )

const make = Effect.gen(function*() {
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
    function*(fact: PaymentFact & { readonly _tag: "Paid" }, attempt: Attempt, order: Order, eventId: bigint) {
      const { payment, provider } = fact
      if (payment === null) return
      yield* sql`UPDATE payment_attempts
        SET state = CASE WHEN id = ${attempt.id} THEN 'paid' WHEN state = 'open' THEN 'closed' ELSE state END,
          payment_reference = CASE WHEN id = ${attempt.id} THEN ${payment} ELSE payment_reference END,
          method = CASE WHEN id = ${attempt.id} THEN coalesce(${fact.method}, method) ELSE method END,
          payable = payable AND id <> ${attempt.id}, next_check_at = now(), updated_at = now()
        WHERE order_id = ${order.id} AND (id = ${attempt.id} OR state IN ('open', 'processing'))`
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
    const settled = yield* carryOut(verdict, fact, attempt, order, event.id)
    yield* conclude(sql, event.id, attempt?.id ?? null, settled.outcome, settled.note)
    return { ...settled, repeated: false, orderId: order?.id ?? null } satisfies Settled
  })

  const carryOut = Effect.fnUntraced(function*(
    verdict: Verdict,
    fact: PaymentFact,
    attempt: Attempt | undefined,
    order: Order | undefined,
    eventId: bigint
  ) {
    const applied = { outcome: "applied" as EventOutcome, note: "" }
    if (verdict._tag === "Note") {
      // A second payment is on record now: its attempt is not asked about any more.
      if (fact._tag === "Paid" && attempt !== undefined && order !== undefined && isFulfilled(order.state)) {
        yield* sql`UPDATE payment_attempts SET payable = false, state = 'closed', updated_at = now()
          WHERE order_id = ${order.id} AND (id = ${attempt.id} OR merchant_reference = ${fact.reference}) AND state <> 'paid'`
      }
      return verdict.outcome === "exception" && fact._tag === "Paid" && (yield* isKnownException(sql, fact, eventId))
        ? { outcome: "duplicate" as EventOutcome, note: `another event said so: ${verdict.note}` }
        : { outcome: verdict.outcome, note: verdict.note }
    }
    if (attempt === undefined || order === undefined) return { outcome: "exception" as EventOutcome, note: "no order" }
    switch (verdict._tag) {
      case "Fulfil":
        if (fact._tag === "Paid") yield* payFor(fact, attempt, order, eventId)
        return applied
      case "TakeBack": {
        const problem = fact.payment === null
          ? undefined
          : yield* takeBack(sql, order, attempt, fact.payment, { id: eventId, fact: fact._tag })
        return problem === undefined ? applied : { outcome: "exception" as EventOutcome, note: problem }
      }
      case "Process":
        yield* sql`UPDATE payment_attempts SET state = 'processing', updated_at = now()
          WHERE id = ${attempt.id}`
        return applied
      case "Close":
        yield* sql`UPDATE payment_attempts SET state = 'closed', payable = false, updated_at = now()
          WHERE id = ${attempt.id}`
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
