/**
 * Subscription plans declared in the configuration file, written to their table at start. A plan that is gone from the file
 * is disabled; subscriptions that were bought keep the terms they were bought with.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { AppConfig } from "../platform/Config.ts"
import { Notifications } from "../platform/Notifications.ts"

/** Writes the declared plans. */
export const declarePlans = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const config = yield* AppConfig
  const notifications = yield* Notifications
  const codes = JSON.stringify(config.plans.map((plan) => plan.code)).replace(/^\[/, "{").replace(/\]$/, "}")
  yield* Effect.gen(function*() {
    for (const plan of config.plans) {
      yield* sql`INSERT INTO subscription_plans (code, name, price_fen, duration_days, limit_5h_micros, limit_1d_micros,
          limit_7d_micros, limit_30d_micros, multiplier_micros, declared)
        VALUES (${plan.code}, ${plan.name}, ${plan.priceFen}, ${plan.durationDays}, ${plan.limit5hMicros},
          ${plan.limit1dMicros}, ${plan.limit7dMicros}, ${plan.limit30dMicros}, ${plan.multiplierMicros}, true)
        ON CONFLICT (code) DO UPDATE SET name = excluded.name, price_fen = excluded.price_fen,
          duration_days = excluded.duration_days, limit_5h_micros = excluded.limit_5h_micros,
          limit_1d_micros = excluded.limit_1d_micros, limit_7d_micros = excluded.limit_7d_micros,
          limit_30d_micros = excluded.limit_30d_micros, multiplier_micros = excluded.multiplier_micros, declared = true,
          disabled_at = NULL, updated_at = now()`
    }
    yield* sql`UPDATE subscription_plans SET disabled_at = now(), updated_at = now()
      WHERE declared AND disabled_at IS NULL AND NOT code = ANY (${codes}::text[])`
  }).pipe(sql.withTransaction)
  yield* notifications.publish("catalog", "plans")
})
