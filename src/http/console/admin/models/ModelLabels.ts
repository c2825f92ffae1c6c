/**
 * What each term of a model is called and what it is for. Written out, so that each text is found as used.
 */
import { IMAGE_TOKENS_MAX_DEFAULT } from "../../../../domain/ModelTerms.ts"
import type { ModelTermKey } from "../../../../domain/ModelTermList.ts"
import { defineMessages } from "../../text/Messages.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import type { TermLabel } from "../terms/TermForm.ts"

const modelTermText = defineMessages({
  "context": "Context",
  "context.hint":
    "Input and output together, in tokens. While it is not known, files in a call and priced tools are refused.",
  "unknown": "Not known",
  "output": "Output limit",
  "output.hint": "The longest answer in tokens. A higher limit in a call is lowered to it.",
  "default": "Output held at first",
  "default.hint": "Tokens that are held for a call without a limit of its own. Empty: as in the settings.",
  "default.unset": "As in the settings",
  "overhead": "Input overhead",
  "overhead.hint": "Tokens that the upstream may add to each call, such as a prompt of its own.",
  "image": "Tokens of an image, at most",
  "image.hint": "Held for each image. Empty: {count}.",
  "margin": "Tokenizer margin",
  "margin.hint": "Where funds are short, a text is counted and held at its tokens times this.",
  "speed": "Output speed",
  "speed.hint": "Tokens a second. Estimates output that is not shown, when a client leaves early.",
  "reasoning": "Reasoning",
  "reasoning.hint": "It spends output tokens that are not seen in the stream.",
  "hosted": "Tools that the upstream runs",
  "hosted.hint":
    "Such as web search. Only web search and file search in /v1/responses can be priced; that needs the context and a price.",
  "hosted.drop": "Take them out of the call",
  "hosted.refuse": "Refuse the call",
  "hosted.price": "Send them, and charge for them",
  "calls": "Priced tool calls, at most",
  "calls.hint": "In one call. Money is held for that many."
}, {
  "context": "上下文长度",
  "context.hint": "输入与输出合计的 tokens 数。未知时，不接受调用中的文件和计价工具。",
  "unknown": "未知",
  "output": "输出上限",
  "output.hint": "单次回答的最大 tokens 数。调用指定的上限更高时，降为此值。",
  "default": "默认预留输出",
  "default.hint": "调用未指定上限时预留的 tokens 数。留空则以系统设置为准。",
  "default.unset": "以系统设置为准",
  "overhead": "输入附加量",
  "overhead.hint": "上游可能为每次调用附加的 tokens，例如上游自带的提示词。",
  "image": "单张图片 tokens 上限",
  "image.hint": "按每张图片预留。留空则为 {count}。",
  "margin": "计数系数",
  "margin.hint": "余额不足时，对文本计数，并按 tokens 数乘以此系数预留。",
  "speed": "输出速度",
  "speed.hint": "每秒 tokens 数。客户端提前断开时，用于估算不可见的输出。",
  "reasoning": "推理",
  "reasoning.hint": "会消耗流式输出中不可见的输出 tokens。",
  "hosted": "由上游执行的工具",
  "hosted.hint": "例如网页搜索。只有 /v1/responses 的网页搜索和文件搜索可以计价，需要填写上下文长度和价格。",
  "hosted.drop": "从调用中移除",
  "hosted.refuse": "拒绝调用",
  "hosted.price": "发送并计费",
  "calls": "计价工具调用上限",
  "calls.hint": "单次调用内的次数，按此预留金额。"
})

export const modelLabels = (visit: Visit): Readonly<Record<ModelTermKey, TermLabel>> => {
  const say = sayOf(visit, modelTermText)
  const { count } = visit.formats
  return {
    context_tokens: { label: say("context"), hint: say("context.hint"), unset: say("unknown") },
    max_output_tokens: { label: say("output"), hint: say("output.hint") },
    default_output_tokens: { label: say("default"), hint: say("default.hint"), unset: say("default.unset") },
    input_overhead_tokens: { label: say("overhead"), hint: say("overhead.hint") },
    image_tokens_max: {
      label: say("image"),
      hint: say("image.hint", { count: count(IMAGE_TOKENS_MAX_DEFAULT) }),
      unset: count(IMAGE_TOKENS_MAX_DEFAULT)
    },
    tokenizer_margin: { label: say("margin"), hint: say("margin.hint") },
    output_tokens_per_second: { label: say("speed"), hint: say("speed.hint") },
    reasoning: { label: say("reasoning"), hint: say("reasoning.hint") },
    hosted_tools: {
      label: say("hosted"),
      hint: say("hosted.hint"),
      options: { drop: say("hosted.drop"), refuse: say("hosted.refuse"), price: say("hosted.price") }
    },
    tool_calls_max: { label: say("calls"), hint: say("calls.hint") }
  }
}
