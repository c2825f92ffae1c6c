/**
 * Logging by given settings: pretty for people, JSON for machines, from a level up, always to standard error, so that
 * standard output belongs to what a command prints.
 */
import { Layer, Logger, References } from "effect"
import type { RealmsConfig } from "./RealmsConfig.ts"

const loggerOf = (format: RealmsConfig["log"]["format"]): Logger.Logger<unknown, void> =>
  format === "json" ? Logger.withConsoleError(Logger.formatJson) : Logger.consolePretty({ mode: "tty" })

/** Logging as these settings say. */
export const makeLogLayer = (log: RealmsConfig["log"]) =>
  Layer.mergeAll(
    Logger.layer([loggerOf(log.format)]),
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, log.level)
  )
