/** Hears what is logged, as lines of JSON. */
import { Logger } from "effect"

export const logsTo = (lines: Array<string>) =>
  Logger.layer([Logger.make((options) => void lines.push(Logger.formatJson.log(options)))])
