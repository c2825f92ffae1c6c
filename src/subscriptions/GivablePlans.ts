/**
 * The plans that administrators can give away, by a grant or by redemption codes: any that is not disabled, also one that is not
 * for sale.
 */
import { type Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { Row } from "../domain/Row.ts"
import { rowsOf } from "../postgres/Rows.ts"

export const GivablePlan = Row({ code: Schema.String, name: Schema.String, durationDays: Schema.Number })
export interface GivablePlan extends Schema.Schema.Type<typeof GivablePlan> {}

/** Plans offered, at most. */
const PLANS_MAX = 200

/** By name; 200 at most. */
export const givablePlans = (
  sql: SqlClient.SqlClient
): Effect.Effect<ReadonlyArray<GivablePlan>, SqlError.SqlError> =>
  rowsOf(
    GivablePlan,
    sql`SELECT code, name, duration_days
      FROM subscription_plans WHERE disabled_at IS NULL ORDER BY name, id LIMIT ${PLANS_MAX}`
  )
