/**
 * The logs of a process, as the configuration says: to standard error, from the configured level up, without secrets,
 * because `Redacted` values stay redacted in either format.
 */
import { Effect, Layer } from "effect"
import { AppConfig } from "../config/Config.ts"
import { makeLogLayer } from "../config/LogLayer.ts"

export const Telemetry = {
  /** Logging as the configuration says. */
  layer: Layer.unwrap(Effect.map(AppConfig, (config) => makeLogLayer(config.log))),
  /** Logging as given settings say, for what runs before or without a configuration. */
  layerOf: makeLogLayer
}
