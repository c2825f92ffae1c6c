/**
 * The plans that can be bought now, as the table says at this moment. What a buyer gets is fixed by their order.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"

/** Plans shown, at most. */
const PLANS_MAX = 50

/** Limits in USD micros, 0 for none, in the order of 5 hours, 1, 7 and 30 days; the multiplier is scaled by 10^6. */
export interface PlanForSale {
  readonly code: string
  readonly name: string
  readonly priceFen: bigint
  readonly durationDays: number
  readonly limits: readonly [bigint, bigint, bigint, bigint]
  readonly multiplierMicros: bigint
}

export class PlansForSale extends Context.Service<PlansForSale, {
  /** The cheapest first. */
  readonly list: Effect.Effect<ReadonlyArray<PlanForSale>, SqlError.SqlError>
}>()("realms/subscriptions/PlansForSale") {
  static readonly layer = Layer.effect(
    PlansForSale,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      return PlansForSale.of({
        list: Effect.map(
          sql<PlanRow>`SELECT code, name, price_fen, duration_days, limit_5h_micros, limit_1d_micros, limit_7d_micros,
          limit_30d_micros, multiplier_micros
        FROM subscription_plans WHERE disabled_at IS NULL AND price_fen > 0 ORDER BY price_fen, id LIMIT ${PLANS_MAX}`,
          (rows) =>
            rows.map((row) => ({
              code: row.code,
              name: row.name,
              priceFen: row.price_fen,
              durationDays: row.duration_days,
              limits: [row.limit_5h_micros, row.limit_1d_micros, row.limit_7d_micros, row.limit_30d_micros] as const,
              multiplierMicros: row.multiplier_micros
            }))
        )
      })
    })
  )
}

interface PlanRow {
  readonly code: string
  readonly name: string
  readonly price_fen: bigint
  readonly duration_days: number
  readonly limit_5h_micros: bigint
  readonly limit_1d_micros: bigint
  readonly limit_7d_micros: bigint
  readonly limit_30d_micros: bigint
  readonly multiplier_micros: bigint
}
