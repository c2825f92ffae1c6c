/**
 * Payments as rows: one for each payment, by the identity that its provider gave it. Everything that settles, resolves or
 * reconciles a payment locks it first, so that it counts once.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { AttemptId, OrderId, PaymentId, UserId } from "../domain/Ids.ts"
import { Micros, Minor } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { PaymentSource, type Provider } from "../payments/PaymentFact.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

/**
 * `in_review` until people have looked. `fulfilled`: it paid an order. `credited`: root credited somebody. `refunded`: it was given
 * back. `dismissed`: there is nothing to do about it; a fitting event may still settle it.
 */
export const PaymentState = Schema.Literals(["in_review", "fulfilled", "credited", "refunded", "dismissed"])
export type PaymentState = typeof PaymentState.Type

/** Whose payment it is, and which. */
export interface PaymentIdentity {
  readonly provider: PaymentSource
  /** Whose numbers `payment` is one of: see `epayScope`. Empty where ids are unique by themselves. */
  readonly scope: string
  readonly payment: string
}

export const Payment = Row({
  id: PaymentId,
  provider: PaymentSource,
  scope: Schema.String,
  payment: Schema.String,
  state: PaymentState,
  /** Root says that it was received. */
  manual: Schema.Boolean,
  /** In the minor unit of the currency; null where that is not known. */
  paidMinor: Schema.NullOr(Minor),
  currency: Schema.NullOr(Schema.String),
  attemptId: Schema.NullOr(AttemptId),
  /** Of its attempt. */
  orderId: Schema.NullOr(OrderId),
  creditedUserId: Schema.NullOr(UserId),
  creditedMicros: Schema.NullOr(Micros),
  debitedMicros: Micros,
  /** What root took off again, where the payment had counted twice. */
  correctedMicros: Micros
}, { scope: "merchant_scope", payment: "payment_id" })
export interface Payment extends Schema.Schema.Type<typeof Payment> {}

/** What the payments of an order have given and still give, in micros. */
export const givenMicros = (
  payments: ReadonlyArray<Pick<Payment, "correctedMicros" | "creditedMicros" | "debitedMicros">>
): bigint =>
  payments.reduce(
    (sum, { correctedMicros, creditedMicros, debitedMicros }) =>
      sum + (creditedMicros ?? 0n) - debitedMicros - correctedMicros,
    0n
  )

/** Whose numbers the trades of an EPay gateway are. */
export const epayScope = (gateway: string, pid: string): string => `${gateway}|${pid}`

/** Serialises everything about payments of that id, whether or not one is known yet. */
export const lockPayment = (sql: Sql, payment: string): Read<void> =>
  Effect.asVoid(sql`SELECT pg_advisory_xact_lock(hashtextextended(${`payment:${payment}`}, 0))`)

/** Every payment of that id, at whatever provider; locked by `lockPayment`. */
export const paymentsNamed = (sql: Sql, payment: string): Read<ReadonlyArray<Payment>> =>
  rowsOf(
    Payment,
    sql`SELECT p.*, a.order_id FROM payments p LEFT JOIN payment_attempts a ON a.id = p.attempt_id
      WHERE p.payment_id = ${payment} ORDER BY p.id`
  )

export const findPayment = (sql: Sql, id: PaymentId): Read<Payment | undefined> =>
  rowOf(
    Payment,
    sql`SELECT p.*, a.order_id FROM payments p LEFT JOIN payment_attempts a ON a.id = p.attempt_id
      WHERE p.id = ${id}`
  )

/** The payments that came through an order's attempts, oldest first. */
export const paymentsOfOrder = (sql: Sql, orderId: OrderId): Read<ReadonlyArray<Payment>> =>
  rowsOf(
    Payment,
    sql`SELECT p.*, a.order_id FROM payments p JOIN payment_attempts a ON a.id = p.attempt_id
      WHERE a.order_id = ${orderId} ORDER BY p.id`
  )

/** The one of them that has this identity. */
export const isSamePayment = (identity: PaymentIdentity) => (payment: Payment): boolean =>
  payment.provider === identity.provider && payment.scope === identity.scope && payment.payment === identity.payment

/** What a payment is now. What is left out stays as it is. */
export interface PaymentChange {
  readonly state: PaymentState
  readonly manual?: boolean
  readonly paid?: { readonly minor: bigint; readonly currency: string }
  readonly attemptId?: AttemptId
  readonly credited?: { readonly userId: UserId; readonly micros: bigint }
}

const UnnamedMoney = Row({ amountMinor: Schema.NullOr(Minor), currency: Schema.NullOr(Schema.String) })

/** What a provider says came in for an order without saying which payment it is, while people look at it. */
export interface UnnamedMoney extends Schema.Schema.Type<typeof UnnamedMoney> {}

/** Listed of one order, at most. */
const UNNAMED_MAX = 20

export const unnamedOfOrder = (sql: Sql, orderId: OrderId): Read<ReadonlyArray<UnnamedMoney>> =>
  rowsOf(
    UnnamedMoney,
    sql`SELECT e.amount_minor, e.currency FROM payment_attempts a JOIN payment_events e ON e.attempt_id = a.id
      WHERE a.order_id = ${orderId} AND e.fact IN ('Paid', 'Unreadable') AND e.payment_reference IS NULL
        AND e.outcome = 'needs_review' AND e.resolved_at IS NULL
      ORDER BY e.id LIMIT ${UNNAMED_MAX}`
  )

/** Writes a payment down: a new one, or what has become of a known one. Answers it. It is locked by `lockPayment`. */
export const writePayment = (sql: Sql, identity: PaymentIdentity, change: PaymentChange): Read<Payment> =>
  Effect.gen(function*() {
    const { attemptId = null, credited, manual = false, paid, state } = change
    yield* sql`
      INSERT INTO payments AS p (provider, merchant_scope, payment_id, state, manual, paid_minor, currency, attempt_id,
          credited_user_id, credited_micros)
        VALUES (${identity.provider}, ${identity.scope}, ${identity.payment}, ${state}, ${manual}, ${
      paid?.minor ?? null
    },
          ${paid?.currency ?? null}, ${attemptId}, ${credited?.userId ?? null}, ${credited?.micros ?? null})
        ON CONFLICT (provider, merchant_scope, payment_id) DO UPDATE
          SET state = EXCLUDED.state, manual = p.manual OR EXCLUDED.manual,
            paid_minor = coalesce(EXCLUDED.paid_minor, p.paid_minor), currency = coalesce(EXCLUDED.currency, p.currency),
            attempt_id = coalesce(EXCLUDED.attempt_id, p.attempt_id),
            credited_user_id = EXCLUDED.credited_user_id, credited_micros = EXCLUDED.credited_micros, updated_at = now()`
    const payment = (yield* paymentsNamed(sql, identity.payment)).find(isSamePayment(identity))
    return payment ?? (yield* Effect.die(new Error("a payment was not written")))
  })

/**
 * What a verified live event of a provider says came in for a payment: it is booked once, whatever is decided on it, and what a later
 * event says differently is booked as a correction.
 */
export const setReceived = (
  sql: Sql,
  id: PaymentId,
  received: { readonly provider: Provider; readonly minor: bigint; readonly currency: string }
): Read<void> =>
  Effect.asVoid(sql`UPDATE payments SET received_provider = ${received.provider}, received_minor = ${received.minor},
      received_currency = ${received.currency}, updated_at = now()
    WHERE id = ${id} AND (received_provider, received_minor, received_currency)
      IS DISTINCT FROM (${received.provider}, ${received.minor}::bigint, ${received.currency})`)

/** What clawbacks have debited of the payment's credit so far. */
export const setDebited = (sql: Sql, id: PaymentId, debitedMicros: bigint): Read<void> =>
  Effect.asVoid(sql`UPDATE payments SET debited_micros = ${debitedMicros}, updated_at = now() WHERE id = ${id}`)

/** What root took off again of the payment's credit. */
export const setCorrected = (sql: Sql, id: PaymentId, correctedMicros: bigint): Read<void> =>
  Effect.asVoid(sql`UPDATE payments SET corrected_micros = ${correctedMicros}, updated_at = now() WHERE id = ${id}`)
