/**
 * What root does with payments that fulfilled no order: the payer is credited, the money has gone back some other way, or there is
 * nothing to do. Each payment is resolved once, with a note; a second administrator gets an error that names the first. No payment is
 * credited twice, or both credited and given back.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { postInTransaction } from "../accounts/Ledger.ts"
import { type EventId, idIn, PaymentId, UserId } from "../domain/Ids.ts"
import { Micros, MICROS_PER_USD } from "../domain/Money.ts"
import { Row, RowWith } from "../domain/Row.ts"
import { lockAttempts, moveAttemptById } from "../orders/AttemptStore.ts"
import { orderFacts, orderWorth } from "../orders/Fulfilment.ts"
import { isFulfilled } from "../orders/Order.ts"
import {
  type DecisionError,
  EventClosed,
  EventNotFound,
  PaymentUsed,
  type RefundNotPossible,
  type RefundReused,
  ResolutionRefused
} from "../orders/OrderError.ts"
import { findOrder, lockOrder } from "../orders/OrderStore.ts"
import { findPayment, lockPayment, type Payment, paymentsNamed, writePayment } from "../orders/Payments.ts"
import { type Refund, Refunds } from "../orders/Refunds.ts"
import { settling } from "../orders/Settlement.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { checkNote } from "../platform/Notes.ts"
import { type AskedAction, SecondPerson } from "../platform/SecondPerson.ts"
import { orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { takeDeferred } from "./Deferred.ts"
import { ignoreDeferred, resolveReviews } from "./EventStore.ts"
import { type EventItem, openSql, Resolution, resolverSql } from "./PaymentEvents.ts"
import { checkMoneyUnused, checkUnused } from "./PaymentUse.ts"
import { payOrder } from "./PayOrder.ts"

/** What to do with an event that waits. */
export type Resolve =
  /** Amount in USD micros, above 0 and at most {@link CREDIT_MICROS_MAX}; the user's id or e-mail address. */
  | { readonly resolution: "credited"; readonly note: string; readonly user: string; readonly amountMicros: bigint }
  /**
   * It pays its order although it is not what was asked for. `inProportion`: a top-up gives the part of its credit that was paid;
   * else all that was ordered is given.
   */
  | { readonly resolution: "accepted"; readonly note: string; readonly inProportion: boolean }
  | { readonly resolution: "refunded" | "dismissed"; readonly note: string }

const FoundUser = Row({ id: UserId })

export class EventResolutions extends Context.Service<EventResolutions, {
  /** The same again by the same administrator changes nothing. */
  resolve(
    actor: Actor,
    eventId: EventId,
    asked: Resolve
  ): Effect.Effect<
    void,
    EventNotFound | EventClosed | PaymentUsed | DecisionError
  >
  /**
   * Gives all of a payment in review back through its provider. `key`: of this request alone; sent again, it is the same refund. One
   * that fails puts the payment back in review.
   */
  refund(
    actor: Actor,
    eventId: EventId,
    asked: { readonly note: string; readonly key: string }
  ): Effect.Effect<
    Refund,
    EventNotFound | EventClosed | PaymentUsed | RefundNotPossible | RefundReused | DecisionError
  >
}>()("realms/events/EventResolutions") {
  static readonly layer = Layer.effect(EventResolutions)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const refunds = yield* Refunds
    const secondPerson = yield* SecondPerson

    const findUser = (text: string) => {
      const id = idIn(text)
      return Effect.map(
        rowOf(
          FoundUser,
          id !== undefined
            ? sql`SELECT id FROM users WHERE id = ${id}`
            : sql`SELECT id FROM users WHERE email = ${text.toLowerCase()}`
        ),
        (user) => user?.id
      )
    }

    const credit = Effect.fnUntraced(function*(
      actor: Actor,
      eventId: EventId,
      asked: Extract<Resolve, { resolution: "credited" }>
    ) {
      const userId = yield* findUser(asked.user.trim())
      if (userId === undefined) return yield* new ResolutionRefused({ reason: "user" })
      const { outcome } = yield* postInTransaction(sql, userId, {
        kind: CREDIT_KIND,
        amountMicros: asked.amountMicros,
        refType: "payment_event",
        refId: String(eventId),
        actor: actor.name,
        note: asked.note,
        mode: "owe"
      })
      if (outcome === "unknown_user") return yield* new ResolutionRefused({ reason: "user" })
      if (outcome !== "posted") return yield* Effect.die(new Error(`the credit of event ${eventId} was ${outcome}`))
      const { amountMicros: micros, note } = asked
      const facts = { event_id: String(eventId), user_id: String(userId), amount_micros: String(micros) }
      const action: AskedAction = {
        action: "payment.credit",
        worth: { usd: { usdMicros: micros } },
        asked: { event_id: String(eventId), user: String(userId), amount_micros: String(micros) },
        facts,
        note
      }
      return { credited: { userId, micros }, action }
    })

    /** The payment pays the order of its attempt, which nothing has paid. */
    const accept = Effect.fnUntraced(function*(
      actor: Actor,
      eventId: EventId,
      payment: Payment,
      asked: Extract<Resolve, { resolution: "accepted" }>
    ) {
      const { attemptId, currency, orderId, paidMinor } = payment
      if (attemptId === null || orderId === null || paidMinor === null || currency === null) return yield* unfit
      const found = yield* findOrder(sql, orderId)
      const order = found && (yield* lockOrder(sql, found.kind, found.id))
      const attempts = yield* lockAttempts(sql, orderId)
      const attempt = attempts.find(({ id }) => id === attemptId)
      if (order === undefined || attempt === undefined) return yield* unfit
      if (attempt.currency !== currency || attempt.provider !== payment.provider) return yield* unfit
      if (isFulfilled(order.state)) return yield* new PaymentUsed({ payment: payment.payment, why: "order" })
      if (asked.inProportion && order.kind !== "topup") return yield* unfit
      const creditMicros = asked.inProportion
        ? (order.creditMicros * paidMinor) / attempt.amountMinor
        : order.creditMicros
      if (creditMicros <= 0n && order.kind === "topup") return yield* new ResolutionRefused({ reason: "amount" })
      const paid = yield* payOrder(sql, {
        identity: payment,
        paid: { minor: paidMinor, currency },
        method: null,
        attempt,
        attempts,
        order,
        creditMicros,
        eventId,
        resolved: { resolution: "accepted", note: asked.note, by: actor.name }
      })
      const action: AskedAction = {
        action: "payment.accept",
        worth: { usd: orderWorth(order, creditMicros) },
        asked: { event_id: String(eventId), in_proportion: asked.inProportion },
        facts: {
          event_id: String(eventId),
          payment: paid.payment,
          paid_minor: String(paidMinor),
          currency,
          ...orderFacts(order, creditMicros)
        },
        note: asked.note
      }
      return { credited: undefined, action }
    })

    /** Decides on a payment that waits for people, and on what waited for the payment. */
    const settlePayment = Effect.fnUntraced(
      function*(actor: Actor, eventId: EventId, payment: Payment, asked: Resolve) {
        const known = yield* paymentsNamed(sql, payment.payment)
        yield* asked.resolution === "dismissed" ? checkUnused(payment) : checkMoneyUnused(payment, known)
        if (asked.resolution === "accepted") return yield* accept(actor, eventId, payment, asked)
        const given = asked.resolution === "credited" ? yield* credit(actor, eventId, asked) : undefined
        const credited = given?.credited
        const settled = yield* writePayment(sql, payment, {
          state: asked.resolution,
          ...(credited === undefined ? {} : { credited })
        })
        const { note, resolution } = asked
        yield* resolveReviews(sql, payment, { resolution, note, by: actor.name })
        if (credited === undefined) {
          const code = asked.resolution === "refunded" ? "payment_was_refunded" : "payment_was_dismissed"
          yield* ignoreDeferred(sql, settled, code)
        } else {
          yield* takeDeferred(sql, settled, undefined, eventId)
        }
        if (payment.attemptId !== null) {
          yield* moveAttemptById(sql, payment.attemptId, { _tag: "Resolved" }, { askSoon: true })
        }
        return given
      }
    )

    /** Locked, and everything that is said about its payment with it. */
    const lockEvent = Effect.fnUntraced(function*(id: EventId) {
      const known = yield* rowOf(
        NamedPayment,
        sql`SELECT provider, payment_reference FROM payment_events WHERE id = ${id}`
      )
      if (known === undefined) return yield* new EventNotFound({ id })
      if (known.payment !== null) yield* lockPayment(sql, known.payment)
      const event = yield* rowOf(
        LockedEvent,
        sql.unsafe(
          `SELECT e.*, (${openSql}) AS is_open, ${resolverSql} AS resolver FROM payment_events e WHERE e.id = $1 FOR UPDATE`,
          [id]
        )
      )
      return event ?? (yield* new EventNotFound({ id }))
    })

    const paymentOf = (event: PaymentOfEvent) =>
      event.payment === null ? Effect.undefined : Effect.map(
        paymentsNamed(sql, event.payment),
        (payments) =>
          event.paymentId === null
            ? payments.find(({ provider }) => provider === event.provider)
            : payments.find(({ id }) => id === event.paymentId)
      )

    const resolveWithin = Effect.fnUntraced(function*(actor: Actor, id: EventId, asked: Resolve) {
      const event = yield* lockEvent(id)
      if (!event.isOpen) {
        const { resolution, resolutionNote, resolvedBy: by } = event
        const isSame = by === actor.name && resolution === asked.resolution && resolutionNote === asked.note &&
          (asked.resolution !== "credited" || event.creditedMicros === asked.amountMicros)
        if (isSame && actor.confirming === undefined) return
        return yield* new EventClosed({ id, resolution, by: event.resolver })
      }
      if ((asked.resolution === "credited" || asked.resolution === "accepted") && !isCreditable(event.fact)) {
        return yield* unfit
      }
      const payment = isAboutMoneyIn(event.fact) ? yield* paymentOf(event) : undefined
      if (payment === undefined && asked.resolution !== "dismissed") {
        return yield* unfit
      }
      // A payment that was used meanwhile, or by another order, is no longer decided on: only the event is closed.
      const isUsed = payment !== undefined && payment.state !== "in_review" && payment.state !== "dismissed"
      const given = payment === undefined || (isUsed && asked.resolution === "dismissed")
        ? undefined
        : yield* settlePayment(actor, id, payment, asked)
      const credited = given?.credited
      yield* sql`UPDATE payment_events SET resolution = ${asked.resolution}, resolution_note = ${asked.note},
        resolved_by = ${actor.name}, resolved_at = now(), credited_user_id = ${credited?.userId ?? null},
        credited_micros = ${credited?.micros ?? null}
      WHERE id = ${id}`
      yield* recordChange(sql, actor, {
        action: `payment.${asked.resolution}`,
        target: `payment:${id}`,
        before: null,
        after: {
          provider: event.provider,
          payment: event.payment,
          note: asked.note,
          ...(credited === undefined ? {} : { user_id: credited.userId, amount_micros: credited.micros })
        }
      })
      if (given !== undefined) yield* secondPerson.check(actor, given.action)
    })

    const refund = Effect.fn("EventResolutions.refund")(function*(
      actor: Actor,
      id: EventId,
      { key, note }: { readonly note: string; readonly key: string }
    ) {
      const payment = yield* orUnavailable(Effect.gen(function*() {
        const event = yield* rowOf(PaymentOfEvent, sql`SELECT * FROM payment_events WHERE id = ${id}`)
        return event === undefined ? yield* new EventNotFound({ id }) : yield* paymentOf(event)
      }))
      if (payment === undefined || payment.paidMinor === null) return yield* unfit
      const decide = Effect.gen(function*() {
        // Only what is given to somebody is asked about there; the refund is asked about by itself.
        yield* Effect.catchTag(
          resolveWithin(actor, id, { resolution: "refunded", note: checkNote(note) ?? note }),
          "ConfirmationNeeded",
          Effect.die
        )
        return (yield* findPayment(sql, payment.id)) ?? payment
      })
      return yield* refunds.giveBack(actor, { eventId: id, payment, note, key, decide })
    })

    return EventResolutions.of({
      refund,
      resolve: Effect.fn("EventResolutions.resolve")(function*(actor: Actor, eventId: EventId, asked: Resolve) {
        const note = checkNote(asked.note)
        if (note === undefined) return yield* new ResolutionRefused({ reason: "note" })
        if (asked.resolution === "credited" && (asked.amountMicros <= 0n || asked.amountMicros > CREDIT_MICROS_MAX)) {
          return yield* new ResolutionRefused({ reason: "amount" })
        }
        yield* secondPerson.asking(actor, settling(sql, resolveWithin(actor, eventId, { ...asked, note })))
      })
    })
  }))
}

/** One credit is at most so large. */
export const CREDIT_MICROS_MAX = 1_000_000n * MICROS_PER_USD

/** The kind of the ledger entry of a credit; its reference is the event. */
export const CREDIT_KIND = "payment_credit"

/** Facts that are money which came in, and say how much. */
export const isCreditable = (fact: string): boolean => fact === "Paid"

/** True for what can be given back through its provider. */
export const isRefundable = ({ amountMinor, fact, payment, provider }: EventItem): boolean =>
  isAboutMoneyIn(fact) && payment !== null && amountMinor !== null && provider !== "manual"

/** Facts about the coming of money: what is decided on one is decided on its payment. */
export const isAboutMoneyIn = (fact: string): boolean => fact === "Paid" || fact === "Unreadable"

const NamedPayment = Row(
  { provider: Schema.String, payment: Schema.NullOr(Schema.String) },
  { payment: "payment_reference" }
)

const PaymentOfEvent = RowWith(NamedPayment, { paymentId: Schema.NullOr(PaymentId) })
type PaymentOfEvent = typeof PaymentOfEvent.Type

const LockedEvent = RowWith(PaymentOfEvent, {
  fact: Schema.String,
  resolution: Schema.NullOr(Resolution),
  resolutionNote: Schema.NullOr(Schema.String),
  /** As it is written down, and for people. */
  resolvedBy: Schema.NullOr(Schema.String),
  resolver: Schema.NullOr(Schema.String),
  creditedMicros: Schema.NullOr(Micros),
  isOpen: Schema.Boolean
})

const unfit = new ResolutionRefused({ reason: "resolution" })
