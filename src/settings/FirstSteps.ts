/**
 * What a fresh installation still lacks before somebody can pay and call. Each step is looked at as it is now, so that one
 * that is undone, such as the last channel disabled, is shown again.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Row } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import { Settings } from "./Settings.ts"

/**
 * `channel`: one is there. `model`: one with a price is served by it. `offer`: calls can be paid for, by a plan or as one goes.
 * `payment`: a provider takes money. `address`: it is said where people reach this installation.
 */
export type FirstStep = "channel" | "model" | "offer" | "payment" | "address"

export interface StepState {
  readonly step: FirstStep
  readonly isDone: boolean
}

const Offered = Row({ channel: Schema.Boolean, model: Schema.Boolean, plan: Schema.Boolean })

export class FirstSteps extends Context.Service<FirstSteps, {
  /** In the order in which they are taken. */
  readonly steps: Effect.Effect<ReadonlyArray<StepState>, SqlError.SqlError | DatabaseUnavailable>
}>()("realms/settings/FirstSteps") {
  static readonly layer = Layer.effect(FirstSteps)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings

    const steps = Effect.gen(function*() {
      const offered = yield* oneRowOf(
        Offered,
        sql`SELECT
      EXISTS (SELECT FROM channels WHERE disabled_at IS NULL) AS channel,
      EXISTS (
        SELECT FROM models m JOIN channel_models s ON s.model_id = m.id JOIN channels c ON c.id = s.channel_id
          WHERE m.disabled_at IS NULL AND c.disabled_at IS NULL
      ) AS model,
      EXISTS (SELECT FROM subscription_plans WHERE disabled_at IS NULL) AS plan`
      )
      const { billing, payment, publicUrl } = yield* settings.get
      return [
        { step: "channel" as const, isDone: offered.channel },
        { step: "model" as const, isDone: offered.model },
        { step: "offer" as const, isDone: !billing.enabled || billing.payAsYouGo || offered.plan },
        { step: "payment" as const, isDone: !billing.enabled || payment.epay.enabled || payment.stripe.enabled },
        { step: "address" as const, isDone: publicUrl !== undefined }
      ]
    })

    return FirstSteps.of({ steps })
  }))
}
