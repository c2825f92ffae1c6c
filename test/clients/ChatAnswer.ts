/**
 * Answers of `/v1/chat/completions` as OpenAI gives them, whole or as a stream. Reasoning is not shown there: it is in the
 * usage only. A stream's usage comes in a frame of its own where the request asks for it.
 */
import { setImmediate as nextTurn } from "node:timers/promises"
import { chunk, type UpstreamCall } from "../support/TestUpstream.ts"
import {
  type Answer,
  type Break,
  completionUsage,
  CREATED_AT,
  ENDLESS_WORD,
  type Item,
  makeId,
  piecesOf,
  UPSTREAM_FAILURE
} from "./Answers.ts"

const textOf = (items: ReadonlyArray<Item>): string =>
  items.flatMap((item) => item.type === "text" ? [item.text] : []).join("")

const toolCallsOf = (items: ReadonlyArray<Item>) =>
  items.flatMap((item) => item.type === "function_call" ? [{ name: item.name, arguments: item.arguments }] : [])
    .map((call) => ({ id: makeId("call"), type: "function", function: call }))

const wantsUsage = (call: UpstreamCall): boolean => {
  const options = call.body["stream_options"]
  return typeof options === "object" && options !== null && "include_usage" in options && options.include_usage === true
}

const streamChat = (call: UpstreamCall, answer: Answer, end: Break | undefined): void => {
  const usage = wantsUsage(call)
  const head = {
    id: makeId("chatcmpl"),
    object: "chat.completion.chunk",
    created: CREATED_AT,
    model: call.body["model"],
    service_tier: "default",
    system_fingerprint: null
  }
  const send = (delta: object, finish_reason: string | null = null) =>
    call.frame({
      ...head,
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      ...(usage ? { usage: null } : {}),
      obfuscation: "x".repeat(8)
    })
  const tools = toolCallsOf(answer.items)
  const deltas = [
    ...piecesOf(textOf(answer.items)).map((content) => ({ content })),
    ...tools.flatMap((tool, index) => [
      { tool_calls: [{ index, ...tool, function: { name: tool.function.name, arguments: "" } }] },
      ...piecesOf(tool.function.arguments).map((text) => ({ tool_calls: [{ index, function: { arguments: text } }] }))
    ])
  ]
  send({ role: "assistant", content: tools.length === 0 ? "" : null, refusal: null })
  for (const [sent, delta] of deltas.entries()) {
    if (end !== undefined && sent === end.afterDeltas) {
      if (end.by === "cut") return void setImmediate(() => call.response.destroy())
      call.frame({ error: { message: UPSTREAM_FAILURE, type: "server_error", param: null, code: null } })
      return void call.response.end()
    }
    send(delta)
  }
  send({}, tools.length === 0 ? "stop" : "tool_calls")
  if (usage) call.frame({ ...head, choices: [], usage: completionUsage(answer.usage), obfuscation: "" })
  call.frame("[DONE]")
  call.response.end()
}

/** Answers a call of `/v1/chat/completions`. */
export const answerChat = (call: UpstreamCall, answer: Answer, end?: Break): void => {
  if (call.body["stream"] === true) return streamChat(call, answer, end)
  const tools = toolCallsOf(answer.items)
  const text = textOf(answer.items)
  call.json({
    id: makeId("chatcmpl"),
    object: "chat.completion",
    created: CREATED_AT,
    model: call.body["model"],
    choices: [{
      index: 0,
      message: {
        role: "assistant",
        content: tools.length === 0 ? text : null,
        refusal: null,
        annotations: [],
        ...(tools.length === 0 ? {} : { tool_calls: tools })
      },
      logprobs: null,
      finish_reason: tools.length === 0 ? "stop" : "tool_calls"
    }],
    usage: completionUsage(answer.usage),
    service_tier: "default",
    system_fingerprint: null
  })
}

/** Streams words without an end, until the caller leaves. */
export const answerChatEndlessly = async (call: UpstreamCall): Promise<void> => {
  while (!call.isClosed) {
    call.frame(chunk(ENDLESS_WORD))
    await nextTurn()
  }
}
