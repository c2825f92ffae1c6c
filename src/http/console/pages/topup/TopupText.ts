/**
 * The texts of the page where credit is bought.
 */
import { defineMessages } from "../../text/Messages.ts"

export const topupText = defineMessages({
  "title": "Top up",
  "lead": "Credit pays for calls by what they use. It does not expire.",
  "balance": "Your balance",
  "owed": "{amount} is owed for calls or refunds and is taken from the next credit first.",
  "presets": "Choose an amount",
  "gives": "gives {credit}",
  "other": "Another amount",
  "amount": "Amount in CNY",
  "amount.hint": "From {min} to {max}. You choose how to pay on the next page.",
  "amount.none": "Enter an amount such as 50 or 50.00.",
  "amount.range": "An amount from {min} to {max} can be bought at once.",
  "preview": "You get {credit} of credit.",
  "rate": "¥1 gives {credit}",
  "continue": "Continue",
  "tooMany": "Too many orders wait for payment. Pay or cancel one of them first.",
  "off": "No way of paying is set up yet. Please ask the operator.",
  "useless": "Calls are not paid from a balance here, so there is nothing to top up.",
  "recent": "Recent orders",
  "recent.all": "All orders",
  "recent.none": "No orders yet",
  "recent.none.text": "Your orders will be listed here."
}, {
  "title": "充值",
  "lead": "额度按调用的实际用量扣费，永不过期。",
  "balance": "当前余额",
  "owed": "有 {amount} 因调用或退款产生的欠费，将从下一笔到账额度中优先扣除。",
  "presets": "选择金额",
  "gives": "获得 {credit}",
  "other": "其他金额",
  "amount": "金额（人民币）",
  "amount.hint": "{min} 至 {max}。下一步选择支付方式。",
  "amount.none": "请输入金额，例如 50 或 50.00。",
  "amount.range": "单次可购买 {min} 至 {max}。",
  "preview": "您将获得 {credit} 额度。",
  "rate": "¥1 可得 {credit}",
  "continue": "继续",
  "tooMany": "待支付的订单过多，请先支付或取消其中一笔。",
  "off": "尚未开通任何支付方式，请联系管理员。",
  "useless": "本站的调用不从余额扣费，无需充值。",
  "recent": "最近订单",
  "recent.all": "全部订单",
  "recent.none": "暂无订单",
  "recent.none.text": "您的订单会显示在这里。"
})
