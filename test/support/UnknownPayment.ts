/** A payment that was told of and belongs to no order: it waits for a decision by hand. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { EventId } from "../../src/domain/Ids.ts"

export const unknownPayment = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  { currency = "cny", minor = 1_000, provider, reference }: {
    readonly provider: "epay" | "stripe"
    /** The provider's id of the payment. */
    readonly reference: string
    readonly minor?: number
    readonly currency?: string
  }
) {
  const kind = provider === "epay" ? "TRADE_SUCCESS" : "checkout.session.completed"
  const [event] = yield* sql<{ id: EventId }>`
    WITH payment AS (INSERT INTO payments (provider, payment_id, state, paid_minor, currency)
      VALUES (${provider}, ${reference}, 'in_review', ${minor}, ${currency}) RETURNING id)
    INSERT INTO payment_events (provider, event_key, kind, fact, payment_id, payment_reference, amount_minor, currency,
        outcome)
      SELECT ${provider}, ${`event of ${reference}`}, ${kind}, 'Paid', id, ${reference}, ${minor}, ${currency},
        'needs_review' FROM payment RETURNING id`
  return event?.id ?? EventId.make(0n)
}, Effect.orDie)
