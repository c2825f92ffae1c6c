/**
 * Writes the plans of the configuration to their table at the start. A row that is as declared is left alone; one that
 * was declared earlier and is gone from the file is disabled: orders and subscriptions refer to it. What was bought keeps
 * its own terms.
 */
import { Effect } from "effect"
import { AppConfig, type PlanConfig } from "../config/Config.ts"
import { recordsetOf, writeDeclared } from "../settings/DeclaredRows.ts"

const recordOf = (plan: PlanConfig) => ({
  code: plan.code,
  name: plan.name,
  price: plan.priceFen,
  days: plan.durationDays,
  limit_5h: plan.limit5hMicros,
  limit_1d: plan.limit1dMicros,
  limit_7d: plan.limit7dMicros,
  limit_30d: plan.limit30dMicros,
  multiplier: plan.multiplierMicros
})

/** Makes the table say what the file says, and tells the other processes if that changed anything. */
export const declarePlans = Effect.gen(function*() {
  const { plans } = yield* AppConfig
  const declared = recordsetOf(plans.map(recordOf))
  yield* writeDeclared("catalog", (sql) =>
    Effect.gen(function*() {
      const written = yield* sql`
        INSERT INTO subscription_plans AS p (code, name, price_fen, duration_days, limit_5h_micros, limit_1d_micros,
            limit_7d_micros, limit_30d_micros, multiplier_micros, declared)
          SELECT d.code, d.name, d.price, d.days, d.limit_5h, d.limit_1d, d.limit_7d, d.limit_30d, d.multiplier, true
            FROM jsonb_to_recordset(${declared}::jsonb) AS d (code text, name text, price bigint, days integer,
              limit_5h bigint, limit_1d bigint, limit_7d bigint, limit_30d bigint, multiplier bigint)
          ON CONFLICT (code) DO UPDATE SET name = excluded.name, price_fen = excluded.price_fen,
              duration_days = excluded.duration_days, limit_5h_micros = excluded.limit_5h_micros,
              limit_1d_micros = excluded.limit_1d_micros, limit_7d_micros = excluded.limit_7d_micros,
              limit_30d_micros = excluded.limit_30d_micros, multiplier_micros = excluded.multiplier_micros,
              declared = true, disabled_at = NULL, updated_at = now()
            WHERE (p.name, p.price_fen, p.duration_days, p.limit_5h_micros, p.limit_1d_micros, p.limit_7d_micros,
                p.limit_30d_micros, p.multiplier_micros, p.declared, p.disabled_at)
              IS DISTINCT FROM (excluded.name, excluded.price_fen, excluded.duration_days, excluded.limit_5h_micros,
                excluded.limit_1d_micros, excluded.limit_7d_micros, excluded.limit_30d_micros,
                excluded.multiplier_micros, true, NULL::timestamptz)
          RETURNING p.id`
      const disabled = yield* sql`
        UPDATE subscription_plans SET disabled_at = now(), updated_at = now()
          WHERE declared AND disabled_at IS NULL
            AND code NOT IN (SELECT d.code FROM jsonb_to_recordset(${declared}::jsonb) AS d (code text))
          RETURNING id`
      return written.length + disabled.length
    }))
})
