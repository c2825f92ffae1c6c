/**
 * Logging by given settings: readable on a terminal, JSON for machines, from a level up, always to standard error, so that
 * standard output belongs to what a command prints.
 */
import { Layer, Logger, References } from "effect"
import { jsonLine, terminalLine } from "./LogFormats.ts"
import type { RealmsConfig } from "./RealmsConfig.ts"

/** Colours are for a terminal, unless it asks for none (https://no-color.org). */
const isColoured = (): boolean => process.stderr.isTTY && (process.env["NO_COLOR"] ?? "") === ""

const loggerOf = (format: RealmsConfig["log"]["format"]): Logger.Logger<unknown, void> =>
  Logger.withConsoleError(
    Logger.map(Logger.formatStructured, format === "json" ? jsonLine : terminalLine(isColoured()))
  )

/** Logging as these settings say. */
export const makeLogLayer = (log: Pick<RealmsConfig["log"], "format" | "level">) =>
  Layer.mergeAll(
    Logger.layer([loggerOf(log.format)]),
    Layer.succeed(Logger.LogToStderr, true),
    Layer.succeed(References.MinimumLogLevel, log.level)
  )
