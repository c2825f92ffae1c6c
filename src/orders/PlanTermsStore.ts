/**
 * A plan's terms as they are at this moment, in the form in which whatever is bought or given keeps them.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"

export interface PlanNow {
  readonly id: bigint
  /** 0: it cannot be bought. */
  readonly priceFen: bigint
  /** `PlanTerms` as JSON. */
  readonly terms: unknown
}

/** A plan that is not disabled. */
export const findPlanNow = (
  sql: SqlClient.SqlClient,
  code: string
): Effect.Effect<PlanNow | undefined, SqlError.SqlError> =>
  Effect.map(
    sql<{ id: bigint; price_fen: bigint; terms: unknown }>`
      SELECT id, price_fen, jsonb_build_object('plan_id', id::text, 'code', code, 'name', name,
          'price_fen', price_fen::text, 'duration_days', duration_days, 'limit_5h_micros', limit_5h_micros::text,
          'limit_1d_micros', limit_1d_micros::text, 'limit_7d_micros', limit_7d_micros::text,
          'limit_30d_micros', limit_30d_micros::text, 'multiplier_micros', multiplier_micros::text) AS terms
        FROM subscription_plans WHERE code = ${code} AND disabled_at IS NULL`,
    ([row]) => row === undefined ? undefined : { id: row.id, priceFen: row.price_fen, terms: row.terms }
  )
