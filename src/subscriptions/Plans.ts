/**
 * Writes the plans of the configuration to their table at the start. A row that is as declared is left alone; one that
 * was declared earlier and is gone from the file is disabled: orders and subscriptions refer to it. What was bought keeps
 * its own terms.
 */
import { Effect } from "effect"
import { AppConfig, type PlanConfig } from "../config/Config.ts"
import { planTerms } from "../domain/Plan.ts"
import { recordsetOf, writeDeclared } from "../settings/DeclaredRows.ts"

const rowOf = (plan: PlanConfig) => ({ code: plan.code, ...planTerms.toRow(plan) })

/** Makes the table say what the file says, and tells the other processes if that changed anything. */
export const declarePlans = Effect.gen(function*() {
  const { plans } = yield* AppConfig
  const declared = recordsetOf(plans.map(rowOf))
  yield* writeDeclared("catalog", (sql) =>
    Effect.gen(function*() {
      const of = (table: "p" | "d" | "excluded") =>
        sql.literal(planTerms.columnNames.map((name) => `${table}.${name}`).join(", "))
      const terms = sql.literal(planTerms.columnNames.join(", "))
      const written = yield* sql`
        INSERT INTO subscription_plans AS p (code, ${terms}, declared)
          SELECT d.code, ${
        of("d")
      }, true FROM jsonb_populate_recordset(NULL::subscription_plans, ${declared}::jsonb) AS d
          ON CONFLICT (code) DO UPDATE SET (${terms}) = ROW (${of("excluded")}), declared = true, disabled_at = NULL,
              updated_at = now()
            WHERE (${of("p")}, p.declared, p.disabled_at) IS DISTINCT FROM (${of("excluded")}, true, NULL::timestamptz)
          RETURNING p.id`
      const disabled = yield* sql`
        UPDATE subscription_plans SET disabled_at = now(), updated_at = now()
          WHERE declared AND disabled_at IS NULL
            AND code NOT IN (SELECT d.code FROM jsonb_to_recordset(${declared}::jsonb) AS d (code text))
          RETURNING id`
      return written.length + disabled.length
    }))
})
