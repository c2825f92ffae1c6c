/**
 * Reads an answer that came as one body: its usage, its text, and whether it is one at all. The rules are those of a stream, since
 * a body is read as a stream of one frame.
 */
import { Buffer } from "node:buffer"
import { isObject, parseJson } from "../JsonValue.ts"
import type { Dialect } from "../request/Call.ts"
import { endOfContainer, isContainer, skipSpace } from "../request/JsonBytes.ts"
import { failureAround, failureOf, type FrameFailure, unknownFailure } from "./FrameFailure.ts"
import type { ReportedUsage } from "./Reported.ts"
import { finishedStatuses, identityOf, type ResponseIdentity } from "./ResponseItems.ts"
import { StreamMeter } from "./StreamMeter.ts"
import { type SampledText, TextSample } from "./TextSample.ts"
import { readUsage, usageObjectsOf } from "./UsageReading.ts"

export interface Answer {
  readonly reported: ReportedUsage
  /** The text of the output, for an estimate: see `expectedOutputTokens`. */
  readonly sample: SampledText
  /** UTF-8 bytes of the output. */
  readonly outputBytes: number
  /** The output has at least so many tokens. */
  readonly outputLowerTokens: number
  readonly hasOutput: boolean
  /** It has something for the client, text or embeddings: then a usage of zero is missing. */
  readonly delivers: boolean
  /** It says that it came to its end: a `finish_reason`, a status, the embeddings. */
  readonly hasFinish: boolean
  /** It is no answer: it reports a failure, or has neither output nor an end. Nothing is charged for it. */
  readonly failure: FrameFailure | undefined
  /** The ids under which the upstream stored the response. */
  readonly identity: ResponseIdentity | undefined
}

const eventStart = Buffer.from('{"type":"response.completed","response":')
const eventEnd = Buffer.from("}")

/** Reads a body: its bytes, or the value that they were parsed to. It may be anything. */
export function readAnswer(body: unknown, dialect: Dialect): Answer {
  if (dialect === "embeddings") return readEmbeddings(body instanceof Uint8Array ? parsed(body) : body)
  const bytes = body instanceof Uint8Array ? withoutMark(body) : Buffer.from(jsonText(body))
  return dialect === "chat" ? readChat(bytes) : readResponse(bytes)
}

/** The text of a value; empty for what has none, or is nested deeper than the stack. */
function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ""
  } catch {
    return ""
  }
}

function readChat(body: Uint8Array): Answer {
  const meter = new StreamMeter({ dialect: "chat", choices: 1 })
  const { failure } = meter.observe({ raw: body, data: body })
  const { hasFinish } = meter
  return answerOf(
    meter,
    hasFinish,
    failure ?? (isWhole(body) ? undefined : unknownFailure),
    () => failureAround(parsed(body))
  )
}

const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

/** Clients read over it. */
const withoutMark = (body: Uint8Array): Uint8Array =>
  BYTE_ORDER_MARK.every((byte, index) => body[index] === byte) ? body.subarray(BYTE_ORDER_MARK.length) : body

/** One object or array and nothing else: no part of one, and no stream, which the client could not read. */
function isWhole(body: Uint8Array): boolean {
  const start = skipSpace(body, 0)
  return isContainer(body, start) && skipSpace(body, endOfContainer(body, start, body.length)) === body.length
}

function readResponse(body: Uint8Array): Answer {
  const meter = new StreamMeter({ dialect: "responses", choices: 1 })
  const event = Buffer.concat([eventStart, body, eventEnd])
  const { failure } = meter.observe({ raw: event, data: event })
  const response = parsed(body)
  const hasFinish = isObject(response) && finishedStatuses.has(response.status)
  return {
    ...answerOf(meter, hasFinish, failure ?? failureOf(response), () => failureAround(response)),
    identity: identityOf(response)
  }
}

const parsed = (body: Uint8Array): unknown => parseJson(Buffer.from(body).toString("utf8"))

const answerOf = (
  meter: StreamMeter,
  hasFinish: boolean,
  failure: FrameFailure | undefined,
  around: () => FrameFailure
): Answer => ({
  reported: meter.reported(),
  sample: meter.sample,
  outputBytes: meter.deliveredBytes,
  outputLowerTokens: meter.outputLowerTokens(),
  hasOutput: meter.hasOutput,
  delivers: meter.hasOutput,
  hasFinish,
  failure: failure ?? (meter.hasOutput || hasFinish ? undefined : around()),
  identity: undefined
})

/** Embeddings are whole when there are any. They are vectors: there is no text, and nothing counts as output. */
function readEmbeddings(body: unknown): Answer {
  const hasFinish = isObject(body) && Array.isArray(body.data) && body.data.length > 0
  return {
    reported: readUsage(usageObjectsOf(body), "embeddings"),
    sample: new TextSample(),
    outputBytes: 0,
    outputLowerTokens: 0,
    hasOutput: false,
    delivers: hasFinish,
    hasFinish,
    failure: failureOf(body) ?? (hasFinish ? undefined : isObject(body) ? failureAround(body) : unknownFailure),
    identity: undefined
  }
}
