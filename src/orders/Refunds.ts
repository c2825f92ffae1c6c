/**
 * Money that root gives back through the provider it came by. A refund is on record, and debited, before the provider hears of it; what
 * becomes of it goes the way of a refund that the provider tells of. While there is no answer it counts: Stripe is asked again under
 * the same key, EPay by nobody but people.
 */
import { Clock, Context, Effect, Fiber, Layer, Redacted } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import type { EventId, OrderId, RefundId } from "../domain/Ids.ts"
import { hostOf } from "../payments/EpayGateway.ts"
import type { PaymentFact } from "../payments/PaymentFact.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { checkNote, isIdempotencyKey } from "../platform/Notes.ts"
import { type ConfirmationNeeded, type ConfirmationRefused, SecondPerson } from "../platform/SecondPerson.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { Settings } from "../settings/Settings.ts"
import { attemptsOf, lockAttempts } from "./AttemptStore.ts"
import type { Attempt, Order } from "./Order.ts"
import {
  type DecisionError,
  OrderNotFound,
  RefundNotFound,
  RefundNotPossible,
  RefundReused,
  ResolutionRefused
} from "./OrderError.ts"
import { findOrder, lockOrder } from "./OrderStore.ts"
import { findPayment, lockPayment, type Payment } from "./Payments.ts"
import { fenOf, paidAttempt, paymentOf, refundableMinor, refundFacts } from "./Refundable.ts"
import {
  factOf,
  isOfProvider,
  makeRefundSending,
  type ProviderPayment,
  type Result,
  type Sent
} from "./RefundSending.ts"
import {
  type AskedRefund,
  findRefund,
  findRefundByKey,
  insertRefund,
  isUnanswered,
  lockRefund,
  noteProblem,
  type Refund,
  refundsOfPayment
} from "./RefundStore.ts"
import { type Settled, Settlement, settling } from "./Settlement.ts"

export { isUnanswered, Refund } from "./RefundStore.ts"

export interface NewRefund {
  readonly orderId: OrderId
  /** In the minor unit of the payment's currency; undefined: all that is left. */
  readonly amountMinor: bigint | undefined
  readonly note: string
  /** Of this request alone: sent again, it is the same refund. */
  readonly key: string
}

/** All of a payment that paid nothing is given back. */
export interface PaymentRefund<E> {
  /** The event that it is decided on. */
  readonly eventId: EventId
  readonly payment: Payment
  readonly note: string
  readonly key: string
  /** Decides on the payment in the same transaction, while everything about it is locked: it was given back. */
  readonly decide: Effect.Effect<Payment, E | SqlError.SqlError>
}

/** What a refund is asked of: an order, or a payment that an event is about. */
type RefundOf = { readonly orderId: OrderId } | { readonly eventId: EventId }

export class Refunds extends Context.Service<Refunds, {
  /** Answers the refund with what has become of it; `isUnanswered` where the provider said nothing. */
  request(
    actor: Actor,
    refund: NewRefund
  ): Effect.Effect<
    Refund,
    OrderNotFound | RefundNotPossible | RefundReused | DecisionError
  >
  /** The same for a payment that no order was fulfilled by. */
  giveBack<E>(
    actor: Actor,
    refund: PaymentRefund<E>
  ): Effect.Effect<
    Refund,
    E | RefundNotPossible | RefundReused | DecisionError
  >
  /** Asks Stripe again what became of a refund without an answer, by asking for the same. */
  retry(
    actor: Actor,
    id: RefundId
  ): Effect.Effect<Refund, RefundNotFound | RefundNotPossible | DatabaseUnavailable>
  /** What somebody found out at the provider about a refund without an answer. */
  conclude(
    actor: Actor,
    id: RefundId,
    found: { readonly isDone: boolean; readonly note: string }
  ): Effect.Effect<
    Refund,
    RefundNotFound | RefundNotPossible | DecisionError
  >
}>()("realms/orders/Refunds") {
  static readonly layer = Layer.effect(Refunds)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const { send, sendAgain } = yield* makeRefundSending
    const settlement = yield* Settlement
    const secondPerson = yield* SecondPerson
    const scope = yield* Effect.scope

    /** The refund that the same request made before. */
    const madeBefore = Effect.fnUntraced(
      function*(payment: Payment, asked: AskedRefund | Omit<AskedRefund, "amountMinor">) {
        const before = yield* findRefundByKey(sql, asked.key)
        if (before === undefined) return undefined
        const isSame = before.paymentId === payment.id && before.note === asked.note &&
          (!("amountMinor" in asked) || before.amountMinor === asked.amountMinor)
        return isSame ? before : yield* new RefundReused()
      }
    )

    const checkMerchant = Effect.fnUntraced(function*({ provider, scope: whose }: ProviderPayment) {
      if (provider !== "epay") return
      const { payment: { epay: config } } = yield* settings.fresh
      const [gateway, pid] = whose.split("|")
      const isOther = pid !== config.partnerId || (gateway !== "" && gateway !== hostOf(config)) ||
        Redacted.value(config.key) === ""
      if (isOther) return yield* new RefundNotPossible({ why: "merchant" })
    })

    /** Writes the refund down and debits it, as part of the transaction under way. */
    const insertWithin = Effect.fnUntraced(function*(
      actor: Actor,
      payment: ProviderPayment,
      attempt: Attempt | undefined,
      asked: Pick<NewRefund, "amountMinor" | "key" | "note"> & RefundOf
    ) {
      yield* checkMerchant(payment)
      if ((yield* refundsOfPayment(sql, payment.id)).some(isUnanswered)) {
        return yield* new RefundNotPossible({ why: "open" })
      }
      const left = yield* refundableMinor(sql, payment)
      if (left === 0n) return yield* new RefundNotPossible({ why: "state" })
      const amountMinor = asked.amountMinor ?? left
      if (amountMinor <= 0n || amountMinor > left) return yield* new ResolutionRefused({ reason: "amount" })
      const { key, note } = asked
      const refund = yield* insertRefund(sql, payment, { key, amountMinor, note, requestedBy: actor.name })
      yield* recordChange(sql, actor, {
        action: "order.refund_requested",
        target: targetOf(refund),
        before: null,
        after: {
          refund: refund.id,
          payment: payment.payment,
          amount_minor: amountMinor,
          currency: payment.currency,
          note
        }
      })
      const fact = factOf({ refund, payment, attempt }, "pending", null, yield* Clock.currentTimeMillis)
      const settled = yield* settlement.settleWithin(fact)
      const of = "orderId" in asked ? { order_id: String(asked.orderId) } : { event_id: String(asked.eventId) }
      const amount = { amount_minor: String(amountMinor) }
      yield* secondPerson.check(actor, {
        action: "orderId" in asked ? "order.refund" : "payment.refund",
        worth: { fen: yield* fenOf(sql, payment, amountMinor) },
        asked: { ...of, key, ...("orderId" in asked ? amount : {}) },
        facts: { ...of, ...refundFacts(payment), ...amount },
        note
      })
      return { refund, fact, settled }
    })

    const requestWithin = Effect.fnUntraced(function*(actor: Actor, asked: NewRefund, known: Order) {
      const { key, note, orderId } = asked
      const before = (yield* attemptsOf(sql, orderId)).find(({ state }) => state === "paid")
      if (before !== undefined && before.payment !== null) yield* lockPayment(sql, before.payment)
      yield* lockOrder(sql, known.kind, orderId)
      const attempts = yield* lockAttempts(sql, orderId)
      const paid = attempts.find(({ state }) => state === "paid")
      const paidBy = paid === undefined ? undefined : yield* paymentOf(sql, paid)
      const { amountMinor } = asked
      const made = paidBy &&
        (yield* madeBefore(paidBy, {
          key,
          note,
          requestedBy: actor.name,
          ...(amountMinor === undefined ? {} : { amountMinor })
        }))
      if (made !== undefined) return { refund: made, isNew: false as const }
      const order = (yield* findOrder(sql, orderId)) ?? known
      const attempt = yield* paidAttempt(order, attempts)
      if (paidBy === undefined || !isOfProvider(paidBy)) return yield* new RefundNotPossible({ why: "state" })
      return { ...(yield* insertWithin(actor, paidBy, attempt, asked)), isNew: true as const }
    })

    const giveBackWithin = Effect.fnUntraced(function*<E>(
      actor: Actor,
      { decide, eventId, key, note, payment: asked }: PaymentRefund<E>
    ) {
      yield* lockPayment(sql, asked.payment)
      const made = yield* madeBefore(asked, { key, note, requestedBy: actor.name })
      if (made !== undefined) return { refund: made, isNew: false as const }
      const payment = yield* decide
      if (!isOfProvider(payment)) return yield* new RefundNotPossible({ why: "manual" })
      return {
        ...(yield* insertWithin(actor, payment, undefined, { amountMinor: undefined, key, note, eventId })),
        isNew: true as const
      }
    })

    /** Writes down what became of a refund for the order's history; an answer and an event may both say it. */
    const noteResult = Effect.fnUntraced(function*(actor: Actor, refund: Refund, result: Result) {
      const action = `order.refund_${result.state}`
      const noted = yield* sql`SELECT FROM audit_log WHERE target = ${targetOf(refund)} AND action = ${action}
      AND after ->> 'refund' = ${String(refund.id)} LIMIT 1`
      if (noted.length > 0) return
      yield* recordChange(sql, actor, {
        action,
        target: targetOf(refund),
        before: { refund: refund.id, state: refund.state },
        after: {
          refund: refund.id,
          state: result.state,
          amount_minor: refund.amountMinor,
          currency: refund.currency,
          ...(typeof result.providerRefund === "string" ? { provider_refund: result.providerRefund } : {}),
          ...(result.problem === undefined ? {} : { problem: result.problem }),
          ...(result.note === undefined ? {} : { note: result.note })
        }
      })
    })

    const concludeWithin = Effect.fnUntraced(function*(actor: Actor, sent: Sent, result: Result) {
      const { id } = sent.refund
      yield* lockPayment(sql, sent.payment.payment)
      const refund = yield* lockRefund(sql, id)
      if (refund === undefined) return yield* new RefundNotFound({ id })
      const { providerRefund = null, state } = result
      // A refund that went through did, whatever another answer said.
      const isNews = isUnanswered(refund) ||
        (refund.providerRefund === null && refund.state === "failed" && state !== "failed" && state !== "unanswered")
      yield* noteResult(actor, refund, result)
      if (!isNews) return undefined
      if (result.problem !== undefined) yield* noteProblem(sql, id, result.problem)
      if (state === "unanswered") return undefined
      const fact = factOf({ ...sent, refund }, state, providerRefund, yield* Clock.currentTimeMillis)
      return { fact, settled: yield* settlement.settleWithin(fact) }
    })

    /** What is left to do when a conclusion is committed; answers the refund as it is then. */
    const afterwards = Effect.fnUntraced(function*(
      { refund }: Sent,
      done: Effect.Success<ReturnType<typeof concludeWithin>>
    ) {
      if (done !== undefined) yield* settlement.concluded(done.fact, done.settled)
      return (yield* orUnavailable(findRefund(sql, refund.id))) ?? refund
    })

    const concludeBy = Effect.fnUntraced(function*(actor: Actor, sent: Sent, result: Result) {
      return yield* afterwards(sent, yield* settling(sql, concludeWithin(actor, sent, result)))
    })

    /** Goes on when nobody waits any more: money that is under way is not let go of. */
    const carryOut = Effect.fnUntraced(function*(actor: Actor, sent: Sent, ask: typeof send = send) {
      const done = Effect.flatMap(ask(sent), (result) => concludeBy(actor, sent, result)).pipe(
        Effect.catchTag("RefundNotFound", Effect.die)
      )
      return yield* Fiber.join(yield* Effect.forkIn(done, scope))
    })

    const sentOf = Effect.fnUntraced(function*(refund: Refund) {
      const payment = refund.paymentId === null ? undefined : yield* orUnavailable(findPayment(sql, refund.paymentId))
      if (payment === undefined || !isOfProvider(payment)) return yield* new RefundNotPossible({ why: "state" })
      const attempts = refund.orderId === null ? [] : yield* orUnavailable(attemptsOf(sql, refund.orderId))
      return { refund, payment, attempt: attempts.find(({ id }) => id === payment.attemptId) } satisfies Sent
    })

    const waiting = Effect.fnUntraced(function*(id: RefundId) {
      const refund = yield* orUnavailable(findRefund(sql, id))
      if (refund === undefined) return yield* new RefundNotFound({ id })
      if (!isUnanswered(refund)) return yield* new RefundNotPossible({ why: "closed" })
      const ageMs = (yield* Clock.currentTimeMillis) - refund.createdAt.getTime()
      return { sent: yield* sentOf(refund), ageMs }
    })

    const started = Effect.fnUntraced(function*(
      actor: Actor,
      made:
        | { readonly isNew: false; readonly refund: Refund }
        | { readonly isNew: true; readonly refund: Refund; readonly fact: PaymentFact; readonly settled: Settled }
    ) {
      if (!made.isNew) return made.refund
      yield* settlement.concluded(made.fact, made.settled)
      return yield* carryOut(actor, yield* sentOf(made.refund))
    })

    const request = Effect.fn("Refunds.request")(function*(actor: Actor, asked: NewRefund) {
      const note = checkNote(asked.note)
      if (note === undefined) return yield* new ResolutionRefused({ reason: "note" })
      if (!isIdempotencyKey(asked.key)) return yield* new ResolutionRefused({ reason: "key" })
      const known = yield* orUnavailable(findOrder(sql, asked.orderId))
      if (known === undefined) return yield* new OrderNotFound({ id: asked.orderId })
      const requested = settling(sql, requestWithin(actor, { ...asked, note }, known))
      return yield* started(actor, yield* secondPerson.asking(actor, requested))
    })

    const giveBack = <E>(actor: Actor, asked: PaymentRefund<E>) =>
      Effect.gen(function*() {
        const note = checkNote(asked.note)
        if (note === undefined) return yield* new ResolutionRefused({ reason: "note" })
        if (!isIdempotencyKey(asked.key)) return yield* new ResolutionRefused({ reason: "key" })
        const given: Effect.Effect<
          Effect.Success<ReturnType<typeof giveBackWithin>>,
          | E
          | ConfirmationNeeded
          | ConfirmationRefused
          | RefundNotPossible
          | RefundReused
          | ResolutionRefused
          | DatabaseUnavailable
        > = settling(sql, giveBackWithin(actor, { ...asked, note }))
        return yield* started(actor, yield* secondPerson.asking(actor, given))
      })

    const retry = Effect.fn("Refunds.retry")(function*(actor: Actor, id: RefundId) {
      const { ageMs, sent } = yield* waiting(id)
      if (sent.payment.provider !== "stripe" || ageMs > RETRY_HOURS_MAX * HOUR_MS) {
        return yield* new RefundNotPossible({ why: "late" })
      }
      return yield* carryOut(actor, sent, sendAgain)
    })

    const conclude = Effect.fn("Refunds.conclude")(function*(
      actor: Actor,
      id: RefundId,
      found: { readonly isDone: boolean; readonly note: string }
    ) {
      const note = checkNote(found.note)
      if (note === undefined) return yield* new ResolutionRefused({ reason: "note" })
      const { ageMs, sent } = yield* waiting(id)
      if (sent.refund.problem === "" && ageMs < UNDER_WAY_MS_MAX) return yield* new RefundNotPossible({ why: "open" })
      if (found.isDone) return yield* concludeBy(actor, sent, { state: "succeeded", note })
      // Who says that it failed gives back what it took.
      const { id: refund, amountMinor } = sent.refund
      const concluding = Effect.tap(
        concludeWithin(actor, sent, { state: "failed", note }),
        (done) =>
          done === undefined
            ? Effect.void
            : Effect.flatMap(fenOf(sql, sent.payment, amountMinor), (fen) =>
              secondPerson.check(actor, {
                action: "refund.fail",
                worth: { fen },
                asked: { refund_id: String(refund) },
                facts: { refund_id: String(refund), ...refundFacts(sent.payment), amount_minor: String(amountMinor) },
                note
              }))
      )
      return yield* afterwards(sent, yield* secondPerson.asking(actor, settling(sql, concluding)))
    })

    return Refunds.of({ request, giveBack, retry, conclude })
  }))
}

/** Stripe keeps a key for a day at least. */
const RETRY_HOURS_MAX = 23
const HOUR_MS = 3_600_000

/** The provider has answered within this, or its answer is lost. */
const UNDER_WAY_MS_MAX = 2 * 60_000

const targetOf = ({ id, orderId }: Refund): string => orderId === null ? `refund:${id}` : `order:${orderId}`
