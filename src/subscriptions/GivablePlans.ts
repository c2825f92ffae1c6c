/**
 * The plans that administrators can give away, by a grant or by redemption codes: any that is not disabled, also one that is not
 * for sale.
 */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"

export interface GivablePlan {
  readonly code: string
  readonly name: string
  readonly durationDays: number
}

/** Plans offered, at most. */
const PLANS_MAX = 200

/** By name; 200 at most. */
export const givablePlans = (
  sql: SqlClient.SqlClient
): Effect.Effect<ReadonlyArray<GivablePlan>, SqlError.SqlError> =>
  Effect.map(
    sql<{ code: string; name: string; duration_days: number }>`SELECT code, name, duration_days
      FROM subscription_plans WHERE disabled_at IS NULL ORDER BY name, id LIMIT ${PLANS_MAX}`,
    (rows) => rows.map((row) => ({ code: row.code, name: row.name, durationDays: row.duration_days }))
  )
