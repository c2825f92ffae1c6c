/**
 * An error as the last frames of a stream that has begun, in the forms on which SDKs raise: for chat a frame with `error`, for
 * the Responses API an `error` event with flat and nested fields, then `response.failed`. Codes are those that stop an agent
 * where coming back would not help.
 */
import { type OpenAiError, openAiErrorBody } from "./OpenAiError.ts"
import type { Dialect } from "./request/Call.ts"

export interface ErrorPlace {
  /** The id of the response that was relayed; undefined: none was, and one is begun to fail. */
  readonly responseId: string | undefined
  /** The number of the next event. */
  readonly sequenceNumber: number
  readonly model: string
  /** Seconds since the epoch. */
  readonly createdAt: number
  readonly requestId: string
}

const event = (data: { readonly type: string; readonly [key: string]: unknown }): string =>
  `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`

/** A response object as the Responses API has it, with nothing in it. */
const responseOf = (place: ErrorPlace, status: "in_progress" | "failed", error: OpenAiError | null) => ({
  id: place.responseId ?? `resp_${place.requestId.replaceAll("-", "")}`,
  object: "response",
  created_at: place.createdAt,
  status,
  error: error === null ? null : { code: error.code, message: error.message },
  incomplete_details: null,
  instructions: null,
  max_output_tokens: null,
  metadata: {},
  model: place.model,
  output: [],
  parallel_tool_calls: true,
  previous_response_id: null,
  reasoning: { effort: null, summary: null },
  store: false,
  temperature: null,
  text: { format: { type: "text" } },
  tool_choice: "auto",
  tools: [],
  top_p: null,
  truncation: "disabled",
  usage: null,
  user: null
})

/** The frames, beginning with a line feed that ends a frame which was cut. */
export const errorFrames = (dialect: Dialect, error: OpenAiError, place: ErrorPlace): string => {
  if (dialect !== "responses") return `\n\ndata: ${openAiErrorBody(error)}\n\n`
  let next = place.sequenceNumber
  const created = place.responseId === undefined
    ? event({
      type: "response.created",
      sequence_number: next++,
      response: responseOf(place, "in_progress", null)
    })
    : ""
  const flat = { code: error.code, message: error.message, param: error.param }
  const failed = event({ type: "error", ...flat, error: { type: error.type, ...flat }, sequence_number: next++ })
  const ended = event({
    type: "response.failed",
    sequence_number: next,
    response: responseOf(place, "failed", error)
  })
  return `\n\n${created}${failed}${ended}`
}
