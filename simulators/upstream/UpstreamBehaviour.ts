/**
 * What the simulated upstream is asked to do with one request: how long, how much, and which fault. Tests in the same
 * process say it by a value; others write it into the prompt, `[sim: tokens=50 cutAfter=10]`, or behind the model's
 * name, `gpt-4o#status=429,retryAfter=2`.
 */
import type { Buffer } from "node:buffer"

export type UsageFault =
  | "missing"
  | "zero"
  | "negative"
  | "huge"
  | "cachedTooBig"
  /** In the last frame that has choices. */
  | "inLastChoice"
  /** Cumulative, in every frame. */
  | "everyFrame"

export interface Behaviour {
  /** Milliseconds before the answer begins. */
  readonly delay?: number
  /** Milliseconds before each frame. */
  readonly frameDelay?: number
  /** Tokens the model would say; the request's limit may cut it short. */
  readonly tokens?: number
  /** Hidden reasoning tokens: in the usage, not in any frame. */
  readonly reasoning?: number
  /** Answer with a call of the first tool. */
  readonly tool?: boolean
  /** Input tokens of the usage, and how many of them were cached. */
  readonly promptTokens?: number
  readonly cachedTokens?: number
  readonly ignoreLimit?: boolean
  readonly usage?: UsageFault
  /** Refuse with this status; `code` is the error's, `retryAfter` the header in seconds. */
  readonly status?: number
  readonly code?: string
  readonly retryAfter?: number
  /** Status 200, and then an error as the body or the only frame. */
  readonly error200?: boolean
  /** Status 200, and a page. */
  readonly html?: boolean
  /** Take the request and never answer. */
  readonly hang?: boolean
  /** Close the connection before a byte was answered. */
  readonly reset?: boolean
  /** Close the connection after this many frames, or in the middle of a JSON body. */
  readonly cutAfter?: number
  /** An error frame after this many frames, then the end. */
  readonly errorAfter?: number
  /** End orderly but without the terminal frame. */
  readonly noDone?: boolean
  /** Insert a frame with this many bytes of text. */
  readonly bigFrame?: number
  /** How lines end. */
  readonly eol?: "lf" | "crlf" | "cr"
  /** Write at most this many bytes at a time. */
  readonly split?: number
  /** Hold the answer back until the gate is opened; `gateAfter` frames go out before. */
  readonly gate?: string
  readonly gateAfter?: number
  /** How a response ends, when not completed. */
  readonly finish?: "incomplete" | "failed"
  /** Replay this fixture instead of making an answer up. */
  readonly fixture?: string
}

const number = (text: string): number | undefined => /^\d+$/.test(text) ? Number(text) : undefined
const flag = (text: string): boolean | undefined => text === "" || text === "true" ? true : undefined
const name = (text: string): string | undefined => text === "" ? undefined : text
const oneOf = (...names: ReadonlyArray<string>) => (text: string): string | undefined =>
  names.includes(text) ? text : undefined

const readers: { readonly [Key in keyof Required<Behaviour>]: (text: string) => unknown } = {
  delay: number,
  frameDelay: number,
  tokens: number,
  reasoning: number,
  tool: flag,
  promptTokens: number,
  cachedTokens: number,
  ignoreLimit: flag,
  usage: oneOf("missing", "zero", "negative", "huge", "cachedTooBig", "inLastChoice", "everyFrame"),
  status: number,
  code: name,
  retryAfter: number,
  error200: flag,
  html: flag,
  hang: flag,
  reset: flag,
  cutAfter: number,
  errorAfter: number,
  noDone: flag,
  bigFrame: number,
  eol: oneOf("lf", "crlf", "cr"),
  split: number,
  gate: name,
  gateAfter: number,
  finish: oneOf("incomplete", "failed"),
  fixture: name
}

const isKey = (key: string): key is keyof Behaviour => Object.hasOwn(readers, key)

/** Reads `a=1 b c=x`, by spaces or commas. Answers the words it does not understand as a complaint. */
export function parseBehaviour(text: string): Behaviour | { readonly complaint: string } {
  const behaviour: Record<string, unknown> = {}
  for (const word of text.split(/[\s,]+/).filter((part) => part !== "")) {
    const equals = word.indexOf("=")
    const key = equals < 0 ? word : word.slice(0, equals)
    const value = isKey(key) ? readers[key](equals < 0 ? "" : word.slice(equals + 1)) : undefined
    if (value === undefined) return { complaint: `Unknown directive '${word}'.` }
    behaviour[key] = value
  }
  return behaviour
}

const OPEN = "[sim:"

/** The directive in a request's body, the last one if there are several: earlier ones belong to earlier turns. */
export function directiveIn(body: Buffer): string | undefined {
  const start = body.lastIndexOf(OPEN)
  if (start < 0) return undefined
  const end = body.indexOf("]", start)
  return end < 0 ? undefined : body.toString("utf8", start + OPEN.length, end)
}

/** The directive behind a model's name. */
export const directiveOf = (model: string): string | undefined => {
  const mark = model.indexOf("#")
  return mark < 0 ? undefined : model.slice(mark + 1)
}
