/**
 * The texts of the first page that a user sees.
 */
import { defineMessages } from "../../text/Messages.ts"

export const dashboardText = defineMessages({
  "title": "Dashboard",
  "balance": "Balance",
  "held": "{amount} held by open calls",
  "owed": "{amount} owed",
  "topup": "Top up",
  "today": "Spent today",
  "calls": "Calls today",
  "tokens": "Tokens today",
  "tokens.parts": "{input} in, {output} out",
  "plans": "Plans",
  "plans.none": "No active plan",
  "plans.none.text": "A plan pays for calls at a fixed price.",
  "plans.choose": "Choose a plan",
  "month": "Spend of the last 30 days",
  "details": "Details",
  "start": "Quick start",
  "start.base": "Base URL for any OpenAI SDK",
  "start.call": "A first call",
  "start.key": "Make an API key first; it takes the place of {name}.",
  "start.keys": "API keys",
  "copy": "Copy",
  "copied": "Copied",
  "empty": "Your balance is empty: top up or choose a plan before the first call."
}, {
  "title": "概览",
  "balance": "余额",
  "held": "进行中的调用冻结 {amount}",
  "owed": "欠费 {amount}",
  "topup": "充值",
  "today": "今日消费",
  "calls": "今日调用",
  "tokens": "今日 Tokens",
  "tokens.parts": "输入 {input}，输出 {output}",
  "plans": "套餐",
  "plans.none": "没有生效中的套餐",
  "plans.none.text": "套餐以固定价格支付您的调用。",
  "plans.choose": "选择套餐",
  "month": "最近 30 天消费",
  "details": "查看详情",
  "start": "快速开始",
  "start.base": "适用于所有 OpenAI SDK 的 Base URL",
  "start.call": "第一次调用",
  "start.key": "请先创建 API 密钥，并用它替换 {name}。",
  "start.keys": "API 密钥",
  "copy": "复制",
  "copied": "已复制",
  "empty": "余额不足：请在首次调用前充值或选择套餐。"
})
