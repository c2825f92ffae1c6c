/**
 * Answers of `/v1/responses` as OpenAI gives them: the response object with the request's settings repeated, and the events
 * of a stream in their order. Reasoning carries encrypted content where the request includes it.
 */
import { setImmediate as nextTurn } from "node:timers/promises"
import type { UpstreamCall } from "../support/TestUpstream.ts"
import {
  type Answer,
  type Break,
  CREATED_AT,
  ENDLESS_WORD,
  type Item,
  makeId,
  piecesOf,
  responsesUsage,
  UPSTREAM_FAILURE
} from "./Answers.ts"

interface OutputItem extends Readonly<Record<string, unknown>> {
  readonly id: string
}

const includesEncrypted = (call: UpstreamCall): boolean =>
  Array.isArray(call.body["include"]) && call.body["include"].includes("reasoning.encrypted_content")

/** The item as it is when it is done. */
const doneItem = (item: Item, call: UpstreamCall): OutputItem => {
  const namespace = "namespace" in item && item.namespace !== undefined ? { namespace: item.namespace } : {}
  switch (item.type) {
    case "text":
      return {
        id: makeId("msg"),
        type: "message",
        status: "completed",
        content: [{ type: "output_text", annotations: [], logprobs: [], text: item.text }],
        role: "assistant"
      }
    case "reasoning":
      return {
        id: makeId("rs"),
        type: "reasoning",
        summary: item.summary === "" ? [] : [{ type: "summary_text", text: item.summary }],
        ...(includesEncrypted(call) ? { encrypted_content: "gAAAAABscripted" } : {})
      }
    case "function_call":
      return {
        id: makeId("fc"),
        type: "function_call",
        status: "completed",
        arguments: item.arguments,
        call_id: makeId("call"),
        name: item.name,
        ...namespace
      }
    case "custom_tool_call":
      return {
        id: makeId("ctc"),
        type: "custom_tool_call",
        status: "completed",
        call_id: makeId("call"),
        input: item.input,
        name: item.name,
        ...namespace
      }
  }
}

/** The item as it is announced: without its content. */
const startedItem = (item: Item, done: OutputItem): OutputItem => {
  switch (item.type) {
    case "text":
      return { ...done, status: "in_progress", content: [] }
    case "reasoning":
      return { ...done, summary: [] }
    case "function_call":
      return { ...done, status: "in_progress", arguments: "" }
    case "custom_tool_call":
      return { ...done, status: "in_progress", input: "" }
  }
}

/** The response, with the settings of its request. */
const responseOf = (call: UpstreamCall, id: string) => {
  const asked = call.body
  return {
    id,
    object: "response",
    created_at: CREATED_AT,
    status: "in_progress",
    background: false,
    completed_at: null,
    error: null,
    frequency_penalty: 0,
    incomplete_details: null,
    instructions: asked["instructions"] ?? null,
    max_output_tokens: asked["max_output_tokens"] ?? null,
    max_tool_calls: asked["max_tool_calls"] ?? null,
    model: asked["model"],
    output: [],
    parallel_tool_calls: asked["parallel_tool_calls"] ?? true,
    presence_penalty: 0,
    previous_response_id: asked["previous_response_id"] ?? null,
    prompt_cache_key: asked["prompt_cache_key"] ?? null,
    prompt_cache_retention: null,
    reasoning: asked["reasoning"] ?? { effort: null, summary: null },
    safety_identifier: null,
    service_tier: "default",
    store: asked["store"] ?? true,
    temperature: 1,
    text: asked["text"] ?? { format: { type: "text" }, verbosity: "medium" },
    tool_choice: asked["tool_choice"] ?? "auto",
    tools: asked["tools"] ?? [],
    top_logprobs: 0,
    top_p: 1,
    truncation: "disabled",
    usage: null,
    user: null,
    metadata: {}
  }
}

/** The events of one item between its announcement and its end; deltas are marked. */
const eventsOf = (item: Item, id: string): ReadonlyArray<Readonly<Record<string, unknown>>> => {
  const at = { item_id: id }
  const deltas = (type: string, text: string, more: object) =>
    piecesOf(text).map((delta) => Object.assign({ type, delta, obfuscation: "x".repeat(8) }, at, more))
  switch (item.type) {
    case "text": {
      const place = { content_index: 0 }
      const part = { type: "output_text", annotations: [], logprobs: [] }
      return [
        { type: "response.content_part.added", ...at, ...place, part: { ...part, text: "" } },
        ...deltas("response.output_text.delta", item.text, { ...place, logprobs: [] }),
        { type: "response.output_text.done", ...at, ...place, text: item.text, logprobs: [] },
        { type: "response.content_part.done", ...at, ...place, part: { ...part, text: item.text } }
      ]
    }
    case "reasoning": {
      if (item.summary === "") return []
      const place = { summary_index: 0 }
      const part = { type: "summary_text" }
      return [
        { type: "response.reasoning_summary_part.added", ...at, ...place, part: { ...part, text: "" } },
        ...deltas("response.reasoning_summary_text.delta", item.summary, place),
        { type: "response.reasoning_summary_text.done", ...at, ...place, text: item.summary },
        { type: "response.reasoning_summary_part.done", ...at, ...place, part: { ...part, text: item.summary } }
      ]
    }
    case "function_call":
      return [
        ...deltas("response.function_call_arguments.delta", item.arguments, {}),
        { type: "response.function_call_arguments.done", ...at, arguments: item.arguments }
      ]
    case "custom_tool_call":
      return [
        ...deltas("response.custom_tool_call_input.delta", item.input, {}),
        { type: "response.custom_tool_call_input.done", ...at, input: item.input }
      ]
  }
}

type Response = ReturnType<typeof responseOf>

/** Sends events with their sequence numbers, and counts deltas. */
class EventStream {
  private readonly call: UpstreamCall
  private sequence = 0
  deltas = 0

  constructor(call: UpstreamCall) {
    this.call = call
  }

  send(event: Readonly<Record<string, unknown>>): void {
    this.call.frame({ ...event, sequence_number: this.sequence++ })
    if ("delta" in event) this.deltas++
  }
}

const breakOff = (stream: EventStream, call: UpstreamCall, response: Response, end: Break): void => {
  if (end.by === "cut") return void setImmediate(() => call.response.destroy())
  const error = { code: "server_error", message: UPSTREAM_FAILURE }
  stream.send({ type: "response.failed", response: { ...response, status: "failed", error } })
  call.response.end()
}

const streamResponse = (
  call: UpstreamCall,
  answer: Answer,
  response: Response,
  output: ReadonlyArray<OutputItem>,
  end: Break | undefined
): void => {
  const stream = new EventStream(call)
  stream.send({ type: "response.created", response })
  stream.send({ type: "response.in_progress", response })
  for (const [output_index, item] of answer.items.entries()) {
    const done = output[output_index]
    if (done === undefined) continue
    stream.send({ type: "response.output_item.added", output_index, item: startedItem(item, done) })
    for (const event of eventsOf(item, done.id)) {
      if (end !== undefined && stream.deltas === end.afterDeltas) return breakOff(stream, call, response, end)
      stream.send({ output_index, ...event })
    }
    stream.send({ type: "response.output_item.done", output_index, item: done })
  }
  stream.send({ type: "response.completed", response: completed(response, output, answer) })
  call.response.end()
}

const completed = (response: Response, output: ReadonlyArray<OutputItem>, answer: Answer) => ({
  ...response,
  status: "completed",
  completed_at: CREATED_AT + 1,
  output,
  usage: responsesUsage(answer.usage)
})

/** Answers a call of `/v1/responses`. Returns the ids that it gave: the response's first, then its items'. */
export const answerResponses = (call: UpstreamCall, answer: Answer, end?: Break): ReadonlyArray<string> => {
  const response = responseOf(call, makeId("resp"))
  const output = answer.items.map((item) => doneItem(item, call))
  if (call.body["stream"] === true) streamResponse(call, answer, response, output, end)
  else call.json(completed(response, output, answer))
  return [response.id, ...output.map((item) => item.id)]
}

/** Streams words without an end, until the caller leaves. */
export const answerResponsesEndlessly = async (call: UpstreamCall): Promise<void> => {
  const stream = new EventStream(call)
  const response = responseOf(call, makeId("resp"))
  const item: Item = { type: "text", text: "" }
  const done = doneItem(item, call)
  stream.send({ type: "response.created", response })
  stream.send({ type: "response.in_progress", response })
  stream.send({ type: "response.output_item.added", output_index: 0, item: startedItem(item, done) })
  const place = { item_id: done.id, output_index: 0, content_index: 0 }
  const part = { type: "output_text", annotations: [], logprobs: [], text: "" }
  stream.send({ type: "response.content_part.added", ...place, part })
  while (!call.isClosed) {
    stream.send({ type: "response.output_text.delta", ...place, delta: ENDLESS_WORD, logprobs: [] })
    await nextTurn()
  }
}
