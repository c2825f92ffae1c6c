/**
 * The logs of a process: pretty for people, JSON for machines, from a configured level up, always to standard error, so
 * that standard output belongs to what a command prints. Redacted values stay redacted.
 */
import { Effect, Layer, Logger, References } from "effect"
import { AppConfig } from "./Config.ts"
import type { RealmsConfig } from "./RealmsConfig.ts"

const loggerOf = (format: RealmsConfig["log"]["format"]): Logger.Logger<unknown, void> =>
  format === "json" ? Logger.withConsoleError(Logger.formatJson) : Logger.consolePretty({ mode: "tty" })

/** Logging as these settings say, for what runs before or without a configuration. */
const layerOf = (log: RealmsConfig["log"]) =>
  Layer.mergeAll(
    Logger.layer([loggerOf(log.format)]),
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, log.level)
  )

/** Logging as the configuration says. */
const layer = Layer.unwrap(Effect.map(AppConfig, (config) => layerOf(config.log)))

export const Telemetry = { layer, layerOf }
