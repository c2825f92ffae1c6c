/**
 * The texts of the price list, in both languages.
 */
import { defineMessages } from "../../text/Messages.ts"

export const modelsText = defineMessages({
  "title": "Models",
  "lead": "Prices in USD per million tokens. A call is charged for exactly what it used.",
  "leadMultiplied":
    "Prices in USD per million tokens, paid from the balance. A call is charged for exactly what it used.",
  "model": "Model",
  "input": "Input",
  "cached": "Cached input",
  "write": "Cache write",
  "output": "Output",
  "limit": "Output limit",
  "context": "Context",
  "tokens": "{count} tokens",
  "above": "above {count} input tokens",
  "web_search": "Web search: {price} a call",
  "file_search": "File search: {price} a call",
  "reasoning": "Reasoning",
  "free": "Free",
  "empty": "No models yet",
  "empty.text": "The operator does not offer any models yet."
}, {
  "title": "模型",
  "lead": "价格单位为美元 / 百万 tokens。每次调用按实际用量计费。",
  "leadMultiplied": "价格单位为美元 / 百万 tokens（按余额支付）。每次调用按实际用量计费。",
  "model": "模型",
  "input": "输入",
  "cached": "缓存输入",
  "write": "缓存写入",
  "output": "输出",
  "limit": "输出上限",
  "context": "上下文",
  "tokens": "{count} tokens",
  "above": "输入超过 {count} tokens",
  "web_search": "网页搜索：{price} / 次",
  "file_search": "文件搜索：{price} / 次",
  "reasoning": "推理",
  "free": "免费",
  "empty": "暂无模型",
  "empty.text": "管理员尚未提供任何模型。"
})
