/**
 * An answer of the simulated upstream as a chat completion: the JSON body, and the frames of its stream.
 */
import {
  CREATED_SECONDS,
  type ReportedUsage,
  type UpstreamAnswer,
  type UpstreamFrame,
  wordAt,
  wordsOf
} from "./UpstreamAnswer.ts"

const TOOL_CALL_ID = "call_sim_1"

const usageOf = (usage: ReportedUsage) => ({
  prompt_tokens: usage.prompt,
  completion_tokens: usage.completion,
  total_tokens: usage.prompt + usage.completion,
  prompt_tokens_details: { cached_tokens: usage.cached, audio_tokens: 0 },
  completion_tokens_details: { reasoning_tokens: usage.reasoning, audio_tokens: 0 }
})

const finishOf = (answer: UpstreamAnswer): string =>
  answer.tool !== undefined ? "tool_calls" : answer.limited ? "length" : "stop"

const indices = (answer: UpstreamAnswer): ReadonlyArray<number> => Array.from({ length: answer.n }, (_, index) => index)

/** The body of a call that is not streamed. */
export function chatBody(answer: UpstreamAnswer): string {
  const { tool } = answer
  const message = {
    role: "assistant",
    content: tool === undefined ? wordsOf(answer.words) : null,
    refusal: null,
    ...(tool === undefined ? {} : {
      tool_calls: [{
        id: TOOL_CALL_ID,
        type: "function",
        function: { name: tool.name, arguments: tool.fragments.join("") }
      }]
    })
  }
  const finish_reason = finishOf(answer)
  return JSON.stringify({
    id: `chatcmpl-sim-${answer.id}`,
    object: "chat.completion",
    created: CREATED_SECONDS,
    model: answer.model,
    choices: indices(answer).map((index) => ({ index, message, logprobs: null, finish_reason })),
    ...(answer.usage === undefined ? {} : { usage: usageOf(answer.usage) }),
    service_tier: "default",
    system_fingerprint: "fp_sim"
  })
}

/** The frames of a stream, `[DONE]` not among them. */
export function* chatFrames(answer: UpstreamAnswer, includeUsage: boolean): Generator<UpstreamFrame> {
  const place = answer.behaviour.usage
  const ownFrame = includeUsage && place !== "inLastChoice" && place !== "everyFrame"
  let spoken = 0
  const frame = (choices: ReadonlyArray<unknown>, tokens: number, usage?: object | null): UpstreamFrame => {
    spoken += tokens
    const running = place === "everyFrame" && answer.usage !== undefined
      ? { ...usageOf(answer.usage), completion_tokens: spoken + answer.usage.reasoning }
      : ownFrame && answer.usage !== undefined
      ? null
      : undefined
    const shown = usage ?? running
    const chunk = {
      id: `chatcmpl-sim-${answer.id}`,
      object: "chat.completion.chunk",
      created: CREATED_SECONDS,
      model: answer.model,
      service_tier: "default",
      system_fingerprint: "fp_sim",
      choices,
      ...(shown === undefined ? {} : { usage: shown })
    }
    return { data: JSON.stringify(chunk), tokens }
  }
  const choice = (index: number, delta: object, finish_reason: string | null = null) => [
    { index, delta, logprobs: null, finish_reason }
  ]
  const { bigFrame = 0 } = answer.behaviour
  for (const index of indices(answer)) yield frame(choice(index, { role: "assistant", content: "", refusal: null }), 0)
  if (bigFrame > 0) yield frame(choice(0, { content: "x".repeat(bigFrame) }), 1)
  for (let word = 0; word < answer.words; word++) {
    for (const index of indices(answer)) yield frame(choice(index, { content: wordAt(word) }), 1)
  }
  for (const index of indices(answer)) {
    for (const [delta, tokens] of toolDeltas(answer)) yield frame(choice(index, delta), tokens)
  }
  for (const index of indices(answer)) {
    const last = index === answer.n - 1 && place === "inLastChoice" && answer.usage !== undefined
    yield frame(choice(index, {}, finishOf(answer)), 0, last ? usageOf(answer.usage) : undefined)
  }
  if (ownFrame && answer.usage !== undefined) yield frame([], 0, usageOf(answer.usage))
}

function toolDeltas(answer: UpstreamAnswer): ReadonlyArray<readonly [delta: object, tokens: number]> {
  const { tool } = answer
  if (tool === undefined) return []
  const first = { index: 0, id: TOOL_CALL_ID, type: "function", function: { name: tool.name, arguments: "" } }
  const rest = tool.fragments.map((fragment) => ({ index: 0, function: { arguments: fragment } }))
  return [[{ tool_calls: [first] }, 0], ...rest.map((call) => [{ tool_calls: [call] }, 1] as const)]
}
