/**
 * The settings in force. Today they are what the configuration file says; root's overrides will be laid over it here, key
 * by key, so nobody else has to know where a value came from.
 */
import { Context, Effect, Layer } from "effect"
import { AppConfig } from "../platform/Config.ts"
import type { BillingConfig } from "../platform/RealmsConfig.ts"

export interface SettingsValues {
  readonly billing: BillingConfig
}

export class Settings extends Context.Service<Settings, {
  /** The values of this moment; ask again for each use. */
  current(): SettingsValues
}>()("realms/settings/Settings") {
  static readonly layer = Layer.effect(
    Settings,
    Effect.map(AppConfig, (config) => {
      const values: SettingsValues = { billing: config.billing }
      return Settings.of({ current: () => values })
    })
  )
}
