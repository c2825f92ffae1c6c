/**
 * The texts of the page where plans are bought.
 */
import { defineMessages } from "../../text/Messages.ts"

export const subscriptionText = defineMessages({
  "title": "Plans",
  "lead": "A plan pays for calls until a window is full; after that, calls are paid from the balance.",
  "leadOnly": "A plan pays for calls until a window is full, and again when the window has room.",
  "current": "Your plans",
  "buy": "Buy {name}",
  "again": "Extend {name}",
  "offers": "Plans to choose from",
  "none": "No plans are for sale",
  "none.text": "Calls are paid from your balance.",
  "off": "No way of paying is set up yet. Please ask the operator.",
  "gone": "This plan is no longer for sale.",
  "tooMany": "Too many orders wait for payment. Pay or cancel one of them first.",
  "multiplier": "Calls count {multiplier} times their price",
  "queue": "A second one of the same plan starts when the first ends."
}, {
  "title": "套餐",
  "lead": "套餐在各时段额度用满之前支付您的调用，用满后从余额扣费。",
  "leadOnly": "套餐在各时段额度用满之前支付您的调用，窗口释放后继续可用。",
  "current": "我的套餐",
  "buy": "购买 {name}",
  "again": "续费 {name}",
  "offers": "可选套餐",
  "none": "暂无在售套餐",
  "none.text": "调用将从您的余额扣费。",
  "off": "尚未开通任何支付方式，请联系管理员。",
  "gone": "该套餐已下架。",
  "tooMany": "待支付的订单过多，请先支付或取消其中一笔。",
  "multiplier": "调用按价格的 {multiplier} 倍计入",
  "queue": "再次购买同一套餐，将在前一份结束后开始生效。"
})
