/**
 * Refunds and disputes that came before their payment was settled, or that were told while people looked at it: they are taken into
 * account in the transaction that settles it.
 *
 * @internal
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { EventId } from "../domain/Ids.ts"
import { isCounted } from "../orders/Clawback.ts"
import { adoptDisputes, disputesNow } from "../orders/DisputeStore.ts"
import { clawBack } from "../orders/Fulfilment.ts"
import type { Order } from "../orders/Order.ts"
import type { Payment } from "../orders/Payments.ts"
import { adoptRefunds, refundsNow } from "../orders/RefundStore.ts"
import { concludeDeferred } from "./EventStore.ts"

/** `order`: that the payment has paid just now; undefined: root has credited somebody for it. */
export const takeDeferred = (
  sql: SqlClient.SqlClient,
  payment: Payment,
  order: Order | undefined,
  eventId: EventId
): Effect.Effect<void, SqlError.SqlError> =>
  Effect.gen(function*() {
    yield* adoptRefunds(sql, payment)
    yield* adoptDisputes(sql, payment)
    const refunds = yield* refundsNow(sql, payment)
    const disputes = yield* disputesNow(sql, payment)
    const isRefunded = refunds.some(({ state }) => isCounted(state))
    const isAny = isRefunded || disputes.length > 0
    const problem = isAny
      ? yield* clawBack(sql, payment, order, { id: eventId, cause: isRefunded ? "refund" : "dispute" })
      : undefined
    yield* concludeDeferred(sql, payment, problem)
  })
