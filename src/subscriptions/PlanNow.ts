/**
 * A plan as it is at this moment, in the form in which whatever is bought or given keeps it.
 */
import { type Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { PlanId } from "../domain/Ids.ts"
import { planTerms, SoldPlan } from "../domain/Plan.ts"
import { Row } from "../domain/Row.ts"
import { rowOf } from "../postgres/Rows.ts"

const PlanNow = Row({ planId: PlanId, code: Schema.String, ...planTerms.row }, { planId: "id" })

/** A plan that is not disabled. */
export const findPlanNow = (
  sql: SqlClient.SqlClient,
  code: string
): Effect.Effect<SoldPlan | undefined, SqlError.SqlError> =>
  rowOf(PlanNow, sql`SELECT * FROM subscription_plans WHERE code = ${code} AND disabled_at IS NULL`)

const encode = Schema.encodeSync(SoldPlan)

/** The JSON of it that orders and batches keep. */
export const soldPlanJson = (plan: SoldPlan): string => JSON.stringify(encode(plan))
