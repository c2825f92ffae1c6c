/**
 * Repairs the books of an installation where a payment counted twice: root takes what was given for it a second time off the account
 * it was given to, by a ledger entry of its own kind on the event. Only what the audit finds can be corrected, and once.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { postInTransaction } from "../accounts/Ledger.ts"
import { type EventId, PaymentId, UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { EventNotFound, ResolutionRefused } from "../orders/OrderError.ts"
import { findPayment, lockPayment, type Payment, setCorrected } from "../orders/Payments.ts"
import { settling } from "../orders/Settlement.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { checkNote } from "../platform/Notes.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"

/** What a correction took off an account; what it had no balance for is owed. In USD micros. */
const Correction = Row({ userId: UserId, amountMicros: Micros }, { amountMicros: "micros" })
export interface Correction extends Schema.Schema.Type<typeof Correction> {}

export class Corrections extends Context.Service<Corrections, {
  /**
   * `ResolutionRefused` with `resolution`: the event's payment did not count twice, or was corrected before. The same again changes
   * nothing.
   */
  correct(
    actor: Actor,
    eventId: EventId,
    note: string
  ): Effect.Effect<Correction, EventNotFound | ResolutionRefused | DatabaseUnavailable>
}>()("realms/events/Corrections") {
  static readonly layer = Layer.effect(Corrections)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    /** Root credited somebody for it by this event, and it was used for something else all the same. */
    const creditOf = (
      { creditedMicros, creditedUserId, resolution }: ResolvedEvent,
      payment: Payment
    ): TooMuch | undefined =>
      resolution === "credited" && payment.state !== "credited" && creditedUserId !== null && creditedMicros !== null
        ? { userId: creditedUserId, amountMicros: creditedMicros, isOfPayment: false }
        : undefined

    /** Its own credit, when the money went back, or the same money counted under another name. */
    const ownCreditOf = Effect.fnUntraced(function*(event: ResolvedEvent, payment: Payment) {
      const { creditedMicros, creditedUserId, debitedMicros } = payment
      if (creditedMicros === null || creditedUserId === null || payment.correctedMicros > 0n) return undefined
      const twins = yield* sql`SELECT FROM payments p WHERE p.payment_id = ${payment.payment} AND p.id <> ${payment.id}
      AND p.state IN ('fulfilled', 'credited') AND p.corrected_micros = 0 AND (p.manual OR ${payment.manual}::boolean) LIMIT 1`
      const isTwice = twins.length > 0 || event.resolution === "refunded"
      const amountMicros = creditedMicros - debitedMicros
      return isTwice && amountMicros > 0n
        ? { userId: creditedUserId, amountMicros, isOfPayment: true } satisfies TooMuch
        : undefined
    })

    const correctWithin = Effect.fnUntraced(function*(actor: Actor, id: EventId, note: string) {
      const known = yield* rowOf(ResolvedEvent, sql`SELECT * FROM payment_events WHERE id = ${id}`)
      if (known === undefined) return yield* new EventNotFound({ id })
      const unfit = new ResolutionRefused({ reason: "resolution" })
      if (known.payment === null || known.paymentId === null) return yield* unfit
      yield* lockPayment(sql, known.payment)
      const made = yield* rowOf(
        Correction,
        sql`SELECT user_id, (owed_micros - amount_micros)::bigint AS micros FROM ledger_entries
        WHERE ref_type = 'payment_event' AND ref_id = ${String(id)} AND kind = ${CORRECTION_KIND}`
      )
      if (made !== undefined) return made
      const event = yield* rowOf(ResolvedEvent, sql`SELECT * FROM payment_events WHERE id = ${id} FOR UPDATE`)
      const payment = yield* findPayment(sql, known.paymentId)
      if (event === undefined || payment === undefined) return yield* unfit
      const tooMuch = creditOf(event, payment) ?? (yield* ownCreditOf(event, payment))
      if (tooMuch === undefined) return yield* unfit
      const { amountMicros, isOfPayment, userId } = tooMuch
      const { outcome } = yield* postInTransaction(sql, userId, {
        kind: CORRECTION_KIND,
        amountMicros: -amountMicros,
        refType: "payment_event",
        refId: String(id),
        actor: actor.name,
        note,
        mode: "owe"
      })
      if (outcome !== "posted") return yield* Effect.die(new Error(`the correction of event ${id} was ${outcome}`))
      if (isOfPayment) yield* setCorrected(sql, payment.id, amountMicros)
      yield* recordChange(sql, actor, {
        action: "payment.corrected",
        target: `payment:${id}`,
        before: null,
        after: { payment: payment.payment, user_id: userId, amount_micros: amountMicros, note }
      })
      return { userId, amountMicros } satisfies Correction
    })

    return Corrections.of({
      correct: Effect.fn("Corrections.correct")(function*(actor: Actor, eventId: EventId, text: string) {
        const note = checkNote(text)
        if (note === undefined) return yield* new ResolutionRefused({ reason: "note" })
        return yield* settling(sql, correctWithin(actor, eventId, note))
      })
    })
  }))
}

/** The kind of the ledger entry; its reference is the event. */
export const CORRECTION_KIND = "correction"

const ResolvedEvent = Row({
  paymentId: Schema.NullOr(PaymentId),
  payment: Schema.NullOr(Schema.String),
  resolution: Schema.NullOr(Schema.String),
  creditedUserId: Schema.NullOr(UserId),
  creditedMicros: Schema.NullOr(Micros)
}, { payment: "payment_reference" })
type ResolvedEvent = typeof ResolvedEvent.Type

/** What was given too much for a payment, and to whom; undefined: it counted once. */
interface TooMuch extends Correction {
  /** It is the payment's own credit; else one that root gave by the event. */
  readonly isOfPayment: boolean
}
