/**
 * An answer of the simulated upstream as a response: the JSON body, and the events of its stream in OpenAI's order.
 */
import { CREATED_SECONDS, type UpstreamAnswer, type UpstreamFrame, wordAt, wordsOf } from "./UpstreamAnswer.ts"

type Status = "in_progress" | "completed" | "incomplete" | "failed"

const statusOf = (answer: UpstreamAnswer): Status =>
  answer.behaviour.finish ?? (answer.limited ? "incomplete" : "completed")

const usageOf = ({ usage }: UpstreamAnswer) =>
  usage === undefined ? null : {
    input_tokens: usage.prompt,
    input_tokens_details: { cached_tokens: usage.cached },
    output_tokens: usage.completion,
    output_tokens_details: { reasoning_tokens: usage.reasoning },
    total_tokens: usage.prompt + usage.completion
  }

const textPart = (text: string) => ({ type: "output_text", text, annotations: [], logprobs: [] })

const messageItem = (answer: UpstreamAnswer, status: string, text?: string) => ({
  id: `msg_sim_${answer.id}`,
  type: "message",
  status,
  role: "assistant",
  content: text === undefined ? [] : [textPart(text)]
})

const reasoningItem = (answer: UpstreamAnswer) => ({ id: `rs_sim_${answer.id}`, type: "reasoning", summary: [] })

const callItem = (answer: UpstreamAnswer, status: string, args: string) => ({
  id: `fc_sim_${answer.id}`,
  type: "function_call",
  status,
  call_id: "call_sim_1",
  name: answer.tool?.name,
  arguments: args
})

function outputOf(answer: UpstreamAnswer): ReadonlyArray<object> {
  const status = statusOf(answer) === "completed" ? "completed" : "incomplete"
  const item = answer.tool === undefined
    ? messageItem(answer, status, wordsOf(answer.words))
    : callItem(answer, status, answer.tool.fragments.join(""))
  return answer.reasoningTokens > 0 ? [reasoningItem(answer), item] : [item]
}

function responseOf(answer: UpstreamAnswer, status: Status): object {
  const ended = status !== "in_progress"
  return {
    id: `resp_sim_${answer.id}`,
    object: "response",
    created_at: CREATED_SECONDS,
    status,
    background: false,
    error: status === "failed" ? { code: "server_error", message: "The model failed to generate a response." } : null,
    incomplete_details: status === "incomplete" ? { reason: "max_output_tokens" } : null,
    instructions: null,
    model: answer.model,
    output: ended && status !== "failed" ? outputOf(answer) : [],
    parallel_tool_calls: true,
    service_tier: "default",
    store: true,
    temperature: 1,
    text: { format: { type: "text" } },
    tool_choice: "auto",
    tools: [],
    top_p: 1,
    truncation: "disabled",
    usage: ended ? usageOf(answer) : null,
    metadata: {}
  }
}

/** The body of a call that is not streamed. */
export const responsesBody = (answer: UpstreamAnswer): string => JSON.stringify(responseOf(answer, statusOf(answer)))

/** The events of a stream; the last one is terminal. */
export function* responsesFrames(answer: UpstreamAnswer): Generator<UpstreamFrame> {
  let sequence_number = 0
  const frame = (type: string, fields: object, tokens = 0): UpstreamFrame => ({
    event: type,
    data: JSON.stringify({ type, sequence_number: sequence_number++, ...fields }),
    tokens
  })
  const output_index = answer.reasoningTokens > 0 ? 1 : 0
  yield frame("response.created", { response: responseOf(answer, "in_progress") })
  yield frame("response.in_progress", { response: responseOf(answer, "in_progress") })
  if (output_index > 0) {
    yield frame("response.output_item.added", { output_index: 0, item: reasoningItem(answer) })
    yield frame("response.output_item.done", { output_index: 0, item: reasoningItem(answer) })
  }
  if (answer.tool === undefined) yield* textFrames(answer, output_index, frame)
  else yield* callFrames(answer, answer.tool.fragments, output_index, frame)
  const status = statusOf(answer)
  yield frame(`response.${status}`, { response: responseOf(answer, status) })
}

type Frame = (type: string, fields: object, tokens?: number) => UpstreamFrame

function* textFrames(answer: UpstreamAnswer, output_index: number, frame: Frame): Generator<UpstreamFrame> {
  const text = wordsOf(answer.words)
  const place = { item_id: `msg_sim_${answer.id}`, output_index, content_index: 0 }
  yield frame("response.output_item.added", { output_index, item: messageItem(answer, "in_progress") })
  yield frame("response.content_part.added", { ...place, part: textPart("") })
  const { bigFrame = 0 } = answer.behaviour
  if (bigFrame > 0) yield frame("response.output_text.delta", { ...place, delta: "x".repeat(bigFrame) }, 1)
  for (let word = 0; word < answer.words; word++) {
    yield frame("response.output_text.delta", { ...place, delta: wordAt(word), logprobs: [], obfuscation: "x7Kq2m" }, 1)
  }
  yield frame("response.output_text.done", { ...place, text, logprobs: [] })
  yield frame("response.content_part.done", { ...place, part: textPart(text) })
  yield frame("response.output_item.done", { output_index, item: messageItem(answer, "completed", text) })
}

function* callFrames(
  answer: UpstreamAnswer,
  fragments: ReadonlyArray<string>,
  output_index: number,
  frame: Frame
): Generator<UpstreamFrame> {
  const place = { item_id: `fc_sim_${answer.id}`, output_index }
  const args = fragments.join("")
  yield frame("response.output_item.added", { output_index, item: callItem(answer, "in_progress", "") })
  for (const delta of fragments) {
    yield frame("response.function_call_arguments.delta", { ...place, delta, obfuscation: "x7K" }, 1)
  }
  yield frame("response.function_call_arguments.done", { ...place, arguments: args })
  yield frame("response.output_item.done", { output_index, item: callItem(answer, "completed", args) })
}
