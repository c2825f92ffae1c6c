/**
 * Whether a payment may still pay something by root's word: it has paid no order, was not credited or given back, and the
 * provider has told of no refund or dispute that would go unseen. Asked while everything about the payment is locked.
 *
 * @internal
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { PaymentUsed } from "../orders/OrderError.ts"

/** Fails with how the payment was used. What is parked for it is seen to by whatever settles it. */
export const checkUnused = (
  sql: SqlClient.SqlClient,
  provider: string,
  payment: string
): Effect.Effect<void, PaymentUsed | SqlError.SqlError> =>
  Effect.gen(function*() {
    const [use] = yield* sql<{ why: PaymentUsed["why"] }>`
      SELECT 'order' AS why FROM payment_attempts
        WHERE provider = ${provider} AND payment_reference = ${payment}
      UNION ALL
      SELECT CASE WHEN resolution IN ('credited', 'refunded') THEN resolution ELSE 'taken_back' END FROM payment_events
        WHERE provider = ${provider} AND payment_reference = ${payment}
          AND (resolution IN ('credited', 'refunded')
            OR (fact IN ('Refunded', 'DisputeOpened', 'DisputeClosed') AND outcome <> 'parked'))
      LIMIT 1`
    if (use !== undefined) return yield* new PaymentUsed({ payment, why: use.why })
  })

/** A credit takes no account of what is parked, so that nothing may be. */
export const checkNothingParked = (
  sql: SqlClient.SqlClient,
  provider: string,
  payment: string
): Effect.Effect<void, PaymentUsed | SqlError.SqlError> =>
  Effect.gen(function*() {
    const parked = yield* sql`SELECT FROM payment_events
      WHERE provider = ${provider} AND payment_reference = ${payment} AND outcome = 'parked' LIMIT 1`
    if (parked.length > 0) return yield* new PaymentUsed({ payment, why: "taken_back" })
  })
