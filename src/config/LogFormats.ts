/**
 * How a line of the log reads: for a terminal, and as one JSON value for machines. Both are made of the same parts, and `Redacted`
 * values stay redacted in either.
 *
 * @internal
 */
import { DateTime, Formatter, type Logger } from "effect"

type Line = typeof Logger.formatStructured extends Logger.Logger<unknown, infer Output> ? Output : never

const isEmpty = (fields: object): boolean => Object.keys(fields).length === 0

/** One JSON value a line, without fields that say nothing. */
export const jsonLine = ({ annotations, cause, level, message, spans, timestamp }: Line): string =>
  Formatter.formatJson({
    timestamp,
    level,
    message,
    ...(cause === undefined ? {} : { cause }),
    ...(isEmpty(annotations) ? {} : { annotations }),
    ...(isEmpty(spans) ? {} : { spans })
  })

const ESCAPE = "\u001B["
const colours: Readonly<Record<string, number>> = { WARN: 33, ERROR: 31, FATAL: 31, DEBUG: 34, TRACE: 90, INFO: 32 }
const GREY = 90

const inColour = (text: string, colour: number | undefined): string =>
  colour === undefined ? text : `${ESCAPE}${colour}m${text}${ESCAPE}0m`

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string => typeof value === "string" ? value : Formatter.formatJson(value)

/** Facts as `key=value`, a text with spaces in quotes. */
const factsOf = (fields: Readonly<Record<string, unknown>>): ReadonlyArray<string> =>
  Object.entries(fields).map(([key, value]) =>
    `${key}=${/[\s"]/.test(textOf(value)) ? Formatter.formatJson(value) : textOf(value)}`
  )

/** Two digits each, in the zone of this machine. */
const clockOf = (timestamp: string): string =>
  DateTime.format(DateTime.setZone(DateTime.makeUnsafe(timestamp), DateTime.zoneMakeLocal()), {
    timeStyle: "medium",
    locale: "de-DE"
  })

/** What control characters could do to a terminal is not done. */
// eslint-disable-next-line no-control-regex
const printable = (text: string): string => text.replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F]/g, "\uFFFD")

/** `08:15:00 WARN  what happened  key=value`; a failure's own lines follow, indented. */
export const terminalLine =
  (coloured: boolean) => ({ annotations, cause, level, message, timestamp }: Line): string => {
    const parts = Array.isArray(message) ? message : [message]
    const said = parts.filter((part) => !isFields(part)).map(textOf).join(" ")
    const facts = [...parts.filter(isFields), annotations].flatMap(factsOf).join(" ")
    const paint = (text: string, colour: number | undefined) => coloured ? inColour(text, colour) : text
    return [
      [
        paint(clockOf(timestamp), GREY),
        paint(level.padEnd(5), colours[level]),
        printable(said),
        ...(facts === "" ? [] : [` ${paint(printable(facts), GREY)}`])
      ].join(" "),
      ...(cause === undefined ? [] : printable(cause).split("\n").map((line) => `         ${line}`))
    ].join("\n")
  }
