/**
 * The settlement as orders ask for it: checkout, refunds and manual payments settle what they learn by the same rules as a
 * callback. `events/` has the rules, and provides it.
 */
import { Context, Effect, Schedule, Schema } from "effect"
import { type SqlClient, SqlError } from "effect/sql"
import type { OrderId } from "../domain/Ids.ts"
import type { ProviderUnavailable } from "../payments/PaymentError.ts"
import type { PaymentFact } from "../payments/PaymentFact.ts"
import { DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { classifySqlError } from "../postgres/SqlFailure.ts"
import { inTransaction } from "../postgres/Transaction.ts"

/** What became of an event. All but `received` and `deferred` are final: the same event again changes nothing. */
export const EventOutcome = Schema.Literals(["received", "deferred", "applied", "duplicate", "ignored", "needs_review"])
export type EventOutcome = typeof EventOutcome.Type

/** True when an event of that outcome, delivered again, is not looked at again. */
export const isFinal = (outcome: EventOutcome): boolean => outcome !== "received" && outcome !== "deferred"

/** What became of a fact. `repeated`: it had been settled before, and nothing was done. */
export interface Settled {
  readonly outcome: EventOutcome
  readonly note: string
  readonly repeated: boolean
  readonly orderId: OrderId | null
}

export class Settlement extends Context.Service<Settlement, {
  /** Settles a verified fact. When it fails nothing was settled that a repetition would not find. */
  settle(fact: PaymentFact): Effect.Effect<Settled, DatabaseUnavailable | ProviderUnavailable>
  /** The same as a part of the transaction under way, see {@link settling}. After the commit `concluded` is to be called. */
  settleWithin(fact: PaymentFact): Effect.Effect<Settled, SqlError.SqlError>
  /** What is left to do when a settlement is committed: it is counted and logged, and other sessions are closed. */
  concluded(fact: PaymentFact, settled: Settled): Effect.Effect<void>
}>()("realms/orders/Settlement") {}

/** Tries of one settlement, after the first, at most. */
const RETRIES_MAX = 5
const RETRY_MS_MIN = 50

/** A settlement takes no longer: providers hang up after ten seconds or so, and come again. */
const SETTLE_MS_MAX = 10_000

/** One try waits for another transaction's locks no longer. */
const LOCK_WAIT_MS_MAX = 2_000

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
      orElse: () => Effect.fail(new DatabaseUnavailable({ reason: "no answer in time" }))
    }),
    orUnavailable
  )
