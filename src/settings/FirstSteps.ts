/**
 * What a fresh installation still lacks before somebody can pay and call. Each step is looked at as it is now, so that one
 * that is undone, such as the last channel disabled, is shown again - until an administrator puts the list away.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { AppConfig, channelKeysOf } from "../config/Config.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings } from "./Settings.ts"

/**
 * `channel`: one is there. `model`: one with a price is served by it. `offer`: calls can be paid for, by a plan or as one goes.
 * `payment`: a provider takes money. `address`: it is said where people reach this installation.
 */
export type FirstStep = "channel" | "model" | "offer" | "payment" | "address"

/**
 * What a step that is not done lacks, by name. `key`: the channel has no key. `disabled`: there are channels, and this one like all
 * of them is disabled. `unserved`: no enabled channel serves the model.
 */
export interface StepLack {
  readonly what: "key" | "disabled" | "unserved"
  readonly name: string
}

export interface StepState {
  readonly step: FirstStep
  readonly isDone: boolean
  readonly lacks?: StepLack
}

const Offered = Row({
  channel: Schema.Boolean,
  model: Schema.Boolean,
  plan: Schema.Boolean,
  /** Channels without a key in the table that are disabled, some of them. */
  disabled: Schema.Array(Schema.String),
  anyDisabled: Schema.NullOr(Schema.String),
  unserved: Schema.NullOr(Schema.String)
})

/** Names that are read, at most. */
const NAMES_MAX = 100

export class FirstSteps extends Context.Service<FirstSteps, {
  /** In the order in which they are taken. */
  readonly steps: Effect.Effect<ReadonlyArray<StepState>, SqlError.SqlError | DatabaseUnavailable>
  /** Whether an administrator has put the list away. */
  readonly isDismissed: Effect.Effect<boolean, SqlError.SqlError>
  /** Puts the list away, for everybody and for good. */
  dismiss(actor: Actor): Effect.Effect<void, SqlError.SqlError>
}>()("realms/settings/FirstSteps") {
  static readonly layer = Layer.effect(FirstSteps)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const config = yield* AppConfig
    /** The key of a channel of the file is in the file alone. */
    const keyless = new Set(
      config.channels.filter((channel) => channelKeysOf(channel).length === 0).map(({ name }) => name)
    )

    const channelLack = ({ anyDisabled, disabled }: typeof Offered.Type): { readonly lacks?: StepLack } => {
      const name = disabled.find((one) => keyless.has(one))
      if (name !== undefined) return { lacks: { what: "key", name } }
      return anyDisabled === null ? {} : { lacks: { what: "disabled", name: anyDisabled } }
    }

    const steps = Effect.gen(function*() {
      const offered = yield* oneRowOf(
        Offered,
        sql`SELECT
      EXISTS (SELECT FROM channels WHERE disabled_at IS NULL) AS channel,
      EXISTS (
        SELECT FROM models m JOIN channel_models s ON s.model_id = m.id JOIN channels c ON c.id = s.channel_id
          WHERE m.disabled_at IS NULL AND c.disabled_at IS NULL
      ) AS model,
      EXISTS (SELECT FROM subscription_plans WHERE disabled_at IS NULL) AS plan,
      ARRAY (SELECT c.name FROM channels c WHERE c.disabled_at IS NOT NULL AND NOT EXISTS (
          SELECT FROM channel_keys k WHERE k.channel_id = c.id AND k.key_sealed IS NOT NULL)
        ORDER BY c.priority DESC, c.id LIMIT ${NAMES_MAX}) AS disabled,
      (SELECT c.name FROM channels c WHERE c.disabled_at IS NOT NULL ORDER BY c.priority DESC, c.id LIMIT 1) AS any_disabled,
      (SELECT m.id FROM models m WHERE m.disabled_at IS NULL ORDER BY m.id LIMIT 1) AS unserved`
      )
      const { billing, payment, publicUrl } = yield* settings.get
      const { model, plan, unserved } = offered
      return [
        { step: "channel" as const, isDone: offered.channel, ...offered.channel ? {} : channelLack(offered) },
        {
          step: "model" as const,
          isDone: model,
          ...model || unserved === null ? {} : { lacks: { what: "unserved" as const, name: unserved } }
        },
        { step: "offer" as const, isDone: !billing.enabled || billing.payAsYouGo || plan },
        { step: "payment" as const, isDone: !billing.enabled || payment.epay.enabled || payment.stripe.enabled },
        { step: "address" as const, isDone: publicUrl !== undefined }
      ]
    })

    const dismiss = Effect.fn("FirstSteps.dismiss")(function*(actor: Actor) {
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const written = yield* sql`INSERT INTO first_steps DEFAULT VALUES ON CONFLICT (one) DO NOTHING RETURNING one`
          if (written.length === 0) return
          yield* recordChange(sql, actor, {
            action: "first_steps.dismissed",
            target: "first_steps",
            before: null,
            after: { dismissed: true }
          })
        })
      )
    })

    return FirstSteps.of({
      steps,
      isDismissed: Effect.map(sql`SELECT FROM first_steps`, (rows) => rows.length > 0),
      dismiss
    })
  }))
}
