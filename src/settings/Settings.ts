/**
 * The settings in effect at this moment. Whoever needs one asks each time and keeps nothing, so that a change counts
 * from the next call on; what a call or an order was promised is in its own snapshot.
 */
import { Context, Effect, Layer } from "effect"
import { AppConfig, type RealmsConfig } from "../platform/Config.ts"

/** What the administrator can change while the process runs. */
export interface SettingsValues {
  readonly billing: RealmsConfig["billing"]
  readonly payment: RealmsConfig["payment"]
  readonly registration: RealmsConfig["registration"]
}

export class Settings extends Context.Service<Settings, {
  /** From memory: no wait, no failure. */
  current(): SettingsValues
}>()("realms/settings/Settings") {
  /** What the configuration says. */
  static readonly layer = Layer.effect(
    Settings,
    Effect.map(AppConfig, ({ billing, payment, registration }) => {
      const values: SettingsValues = { billing, payment, registration }
      return Settings.of({ current: () => values })
    })
  )
}
