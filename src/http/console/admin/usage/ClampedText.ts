/**
 * The texts about calls whose upstream reported more input than was thought possible.
 */
import { defineMessages } from "../../text/Messages.ts"

export const clampedText = defineMessages({
  "title": "Usage above what is possible",
  "channel":
    "{clamped} of {calls} calls of the last hour ({percent}%) reported more input than their ceiling, and were charged for the ceiling.",
  "channel.fix": "Raise the channel's input overhead by {tokens} tokens: then 99% of these calls would have fitted.",
  "model":
    "{count} of {calls} calls of the last 24 hours reported more input than the model's context, up to {tokens} tokens.",
  "model.fix": "The model's context is probably set too small.",
  "unread": "The usage of channels cannot be compared with their limits at this moment. The log says why."
}, {
  "title": "超出上限的用量",
  "channel": "最近 1 小时的 {calls} 次调用中，有 {clamped} 次（{percent}%）上报的输入超过上限，已按上限计费。",
  "channel.fix": "请将该渠道的输入附加量提高 {tokens} tokens，这样其中 99% 的调用都不会超限。",
  "model": "最近 24 小时的 {calls} 次调用中，有 {count} 次上报的输入超过模型的上下文长度，最多 {tokens} tokens。",
  "model.fix": "该模型的上下文长度可能设置得过小。",
  "unread": "暂时无法核对渠道用量是否超限，原因见日志。"
})
