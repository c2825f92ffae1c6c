/**
 * What each term of a channel is called and what it is for. Written out, so that each text is found as used.
 */
import type { ChannelTermKey } from "../../../../domain/ChannelTermList.ts"
import { defineMessages } from "../../text/Messages.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import type { TermLabel } from "../terms/TermForm.ts"

const channelTermText = defineMessages({
  "unknown": "Unknown fields",
  "unknown.hint": "What happens to top-level fields of a call that this gateway does not know.",
  "unknown.drop": "Take them out",
  "unknown.forward": "Send them",
  "unknown.refuse": "Do not use this channel",
  "known": "Fields it knows",
  "known.hint": "Untick a field that the upstream refuses: it is taken out of calls to this channel.",
  "first": "Wait for a stream (seconds)",
  "first.hint": "Until the response begins. Then the next channel is tried.",
  "idle": "Wait for more (seconds)",
  "idle.hint": "Between two pieces of a response, and for an answer that is not streamed.",
  "stores": "Stores responses",
  "stores.hint":
    "The upstream keeps answers of /v1/responses, as OpenAI does: later calls of the same user may refer to them by their ids. The Vercel AI SDK does, unless it sends store: false.",
  "overhead": "Input overhead (tokens)",
  "overhead.hint": "What this upstream may add to each call, on top of the model's own overhead.",
  "connections": "Connections, at most",
  "connections.hint": "Users share them fairly when they run short."
}, {
  "unknown": "未知字段",
  "unknown.hint": "调用中有本网关不认识的顶层字段时如何处理。",
  "unknown.drop": "移除",
  "unknown.forward": "照常发送",
  "unknown.refuse": "不使用此渠道",
  "known": "支持的字段",
  "known.hint": "如果上游拒绝某个字段，请取消勾选：发往此渠道的调用会移除该字段。",
  "first": "等待流式响应（秒）",
  "first.hint": "直到响应开始。超时则尝试下一个渠道。",
  "idle": "等待后续数据（秒）",
  "idle.hint": "响应的两段数据之间，以及非流式应答的最长等待时间。",
  "stores": "保存响应",
  "stores.hint":
    "上游会保存 /v1/responses 的回答（OpenAI 会保存）：同一用户之后的调用可通过 ID 引用。Vercel AI SDK 默认会引用，除非发送 store: false。",
  "overhead": "输入附加量（tokens）",
  "overhead.hint": "此上游可能为每次调用附加的 tokens，在模型自身的附加量之外。",
  "connections": "连接数上限",
  "connections.hint": "连接紧张时，由用户公平分用。"
})

export const channelLabels = (visit: Visit): Readonly<Record<ChannelTermKey, TermLabel>> => {
  const say = sayOf(visit, channelTermText)
  return {
    unknown_fields: {
      label: say("unknown"),
      hint: say("unknown.hint"),
      options: { drop: say("unknown.drop"), forward: say("unknown.forward"), refuse: say("unknown.refuse") }
    },
    known_fields: { label: say("known"), hint: say("known.hint") },
    first_byte_timeout_seconds: { label: say("first"), hint: say("first.hint") },
    idle_timeout_seconds: { label: say("idle"), hint: say("idle.hint") },
    stores_responses: { label: say("stores"), hint: say("stores.hint") },
    input_overhead_tokens: { label: say("overhead"), hint: say("overhead.hint") },
    max_connections: { label: say("connections"), hint: say("connections.hint") }
  }
}
