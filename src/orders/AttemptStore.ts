/**
 * Payment attempts as rows. Only this file writes them, each change as the state machine says, so that what an attempt may become
 * is in one place; a test sees to it.
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { AttemptId, OrderId } from "../domain/Ids.ts"
import { Row } from "../domain/Row.ts"
import { PaymentSource } from "../payments/PaymentFact.ts"
import { oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { type AttemptEvent, evolveAttempt } from "./AttemptMachine.ts"
import { Attempt, AttemptState, type Order } from "./Order.ts"

type Sql = SqlClient.SqlClient
type Read<A> = Effect.Effect<A, SqlError.SqlError>

/** The columns of an attempt `a`; what clawbacks have debited stands with its payment. */
const columns =
  `a.*, coalesce((SELECT p.debited_micros FROM payments p WHERE p.attempt_id = a.id AND p.state = 'fulfilled'), 0)
  AS debited_micros`

/** The attempts of an order, oldest first; locked when it is in a transaction that has locked the order. */
export const attemptsOf = (sql: Sql, orderId: OrderId): Read<ReadonlyArray<Attempt>> =>
  rowsOf(
    Attempt,
    sql`SELECT ${sql.literal(columns)} FROM payment_attempts a WHERE order_id = ${orderId} ORDER BY id`
  )

/** The same, locked until the transaction under way ends. */
export const lockAttempts = (sql: Sql, orderId: OrderId): Read<ReadonlyArray<Attempt>> =>
  rowsOf(
    Attempt,
    sql`SELECT ${sql.literal(columns)} FROM payment_attempts a WHERE order_id = ${orderId} ORDER BY id
      FOR UPDATE OF a`
  )

/** The attempt with a merchant reference, at whatever provider. */
export const findAttempt = (sql: Sql, reference: string): Read<Attempt | undefined> =>
  rowOf(
    Attempt,
    sql`SELECT ${sql.literal(columns)} FROM payment_attempts a
      WHERE merchant_reference = ${reference}`
  )

export interface NewAttempt {
  readonly order: Order
  readonly provider: Attempt["provider"]
  readonly method: string | null
  readonly amountMinor: bigint
  readonly currency: string
  /** EPay's host; empty elsewhere. */
  readonly gateway: string
  readonly merchant: string
  readonly minorPerFen: string
  readonly reference: string
  readonly sessionExpiresAt: Date | null
  /** An administrator who says that it was paid. */
  readonly completedBy?: string
}

/** Writes a new attempt. */
export const insertAttempt = (sql: Sql, attempt: NewAttempt): Read<Attempt> =>
  oneRowOf(
    Attempt,
    sql`INSERT INTO payment_attempts (order_kind, order_id, provider, method, amount_minor, currency, gateway, merchant, minor_per_fen,
          merchant_reference, session_expires_at, payable, completed_by)
        VALUES (${attempt.order.kind}, ${attempt.order.id}, ${attempt.provider}, ${attempt.method}, ${attempt.amountMinor},
          ${attempt.currency}, ${attempt.gateway}, ${attempt.merchant}, ${attempt.minorPerFen}, ${attempt.reference},
          ${attempt.sessionExpiresAt}, ${attempt.provider === "epay"}, ${
      attempt.completedBy ?? null
    }) RETURNING *, 0::bigint AS debited_micros`
  )

/** What is written down beside a change of state. */
export interface AttemptNotes {
  /** Stripe's session, and the page where it is paid. */
  readonly session?: { readonly id: string; readonly url: string }
  /** The payment that fulfilled the order. */
  readonly payment?: string
  /** How it was paid, where that is known now. */
  readonly method?: string | null
  /** The provider is asked about it in the next round. */
  readonly askSoon?: boolean
}

/** Brings an attempt, which is locked, to what an event makes of it. */
export const moveAttempt = (
  sql: Sql,
  attempt: Pick<Attempt, "id" | "state" | "payable">,
  event: AttemptEvent,
  notes: AttemptNotes = {}
): Read<void> => {
  const next = evolveAttempt(attempt, event)
  return Effect.asVoid(sql`UPDATE payment_attempts
    SET state = ${next.state}, payable = ${next.payable},
      provider_reference = coalesce(provider_reference, ${notes.session?.id ?? null}),
      session_url = coalesce(session_url, ${notes.session?.url ?? null}),
      payment_reference = coalesce(${notes.payment ?? null}, payment_reference),
      method = coalesce(${notes.method ?? null}, method),
      next_check_at = CASE WHEN ${notes.askSoon === true}::boolean THEN now() ELSE next_check_at END, updated_at = now()
    WHERE id = ${attempt.id}`)
}

/** The same for one that is not locked yet, as a transaction of its own or as a part of the one under way. */
export const moveAttemptById = (sql: Sql, id: AttemptId, event: AttemptEvent, notes?: AttemptNotes): Read<void> =>
  inTransaction(
    sql,
    Effect.gen(function*() {
      const attempt = yield* rowOf(
        Attempt,
        sql`SELECT ${sql.literal(columns)} FROM payment_attempts a WHERE id = ${id} FOR UPDATE OF a`
      )
      // A session is noted once, whatever became of it since.
      if (attempt === undefined || (event._tag === "Opened" && attempt.session !== null)) return
      yield* moveAttempt(sql, attempt, event, notes)
    })
  )

/** The attempts of these orders that can still be paid are asked about, or closed, in the next round. */
export const askSoon = (sql: Sql, orderIds: ReadonlyArray<OrderId>): Read<void> =>
  orderIds.length === 0
    ? Effect.void
    : Effect.asVoid(
      sql`UPDATE payment_attempts SET next_check_at = now() WHERE payable AND ${sql.in("order_id", orderIds)}`
    )

/** The wait between two questions about an attempt doubles from the first to the last of these, in seconds. */
const BACKOFF_SECONDS_MIN = 60
const BACKOFF_SECONDS_MAX = 6 * 3_600

/** An attempt to ask about. */
export const DueAttempt = Row({
  id: AttemptId,
  orderId: OrderId,
  provider: PaymentSource,
  gateway: Schema.String,
  merchant: Schema.String,
  reference: Schema.String,
  /** Stripe's session; null elsewhere. */
  session: Schema.NullOr(Schema.String),
  state: AttemptState,
  orderState: Schema.String
}, { reference: "merchant_reference", session: "provider_reference" })
export interface DueAttempt extends Schema.Schema.Type<typeof DueAttempt> {}

/** Takes attempts to ask about: each is put off first, so that no two processes ask about one at the same time. */
export const claimDue = (
  sql: Sql,
  options: { readonly onlyDue: boolean; readonly after: bigint; readonly limit: number }
): Read<ReadonlyArray<DueAttempt>> =>
  rowsOf(
    DueAttempt,
    sql`UPDATE payment_attempts a SET checks = least(a.checks + 1, 20), next_check_at = now() + make_interval(
        secs => least(${BACKOFF_SECONDS_MIN} * power(2, a.checks), ${BACKOFF_SECONDS_MAX})::integer)
      FROM orders o
      WHERE o.id = a.order_id AND a.id IN (
        SELECT d.id FROM payment_attempts d
          WHERE (d.state IN ('open', 'processing') OR d.payable) AND d.id > ${options.after}
            AND (NOT ${options.onlyDue}::boolean OR d.next_check_at <= now())
          ORDER BY ${sql.literal(options.onlyDue ? "d.next_check_at" : "d.id")} LIMIT ${options.limit}
          FOR UPDATE SKIP LOCKED
      )
      RETURNING a.id, a.order_id, a.provider, a.gateway, a.merchant, a.merchant_reference, a.amount_minor, a.provider_reference,
        a.state, o.state AS order_state`
  )

/** An attempt that was not paid is asked about no longer than this after it was made, in days. */
const ASK_DAYS_MAX = 7

/** One whose money is on its way is asked about so long. */
const PROCESSING_DAYS_MAX = 30

/** Attempts given up in one go, at most; the next goes on. */
const GIVEN_UP_MAX = 200

/** Ends attempts that are too old to be paid any more. */
export const giveUpOld = Effect.fnUntraced(function*(sql: Sql) {
  const isOld = sql`((state = 'open' OR (state = 'closed' AND payable))
      AND created_at < now() - make_interval(days => ${ASK_DAYS_MAX}::integer))
    OR (state = 'processing' AND created_at < now() - make_interval(days => ${PROCESSING_DAYS_MAX}::integer))`
  const some = yield* sql`SELECT FROM payment_attempts WHERE ${isOld} LIMIT 1`
  if (some.length === 0) return
  yield* inTransaction(
    sql,
    Effect.gen(function*() {
      const attempts = yield* rowsOf(
        Attempt,
        sql`SELECT ${sql.literal(columns)} FROM payment_attempts a
        WHERE ${isOld} ORDER BY id LIMIT ${GIVEN_UP_MAX} FOR UPDATE OF a SKIP LOCKED`
      )
      for (const attempt of attempts) yield* moveAttempt(sql, attempt, { _tag: "Ended" })
    })
  )
})
