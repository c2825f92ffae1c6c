/**
 * Why a payment event has its outcome, in the reader's language and currency.
 */
import { DateTime, Option } from "effect"
import type { EventItem } from "../../../../events/PaymentEvents.ts"
import { type Reason, reasonWords } from "../../../../orders/Reason.ts"
import { defineMessages } from "../../text/Messages.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import { minorText } from "./EventParts.tsx"

export const reasonText = defineMessages({
  ...reasonWords,
  other_amount: "paid {paid}, asked for {asked}"
}, {
  told: "{text}",
  not_ours: "不是本站的付款",
  not_ours_because: "不是本站的付款：{text}",
  nothing_waits: "没有等待此事件的支付",
  no_payment: "已付款，但未说明支付流水号",
  about_no_payment: "未涉及任何付款",
  used_for_other: "已支付过一个订单的付款又用于另一个订单",
  completed_with: "订单已用这笔付款完成",
  completed_other: "另一个订单已用此流水号的付款完成",
  was_settled: "这笔付款已结算",
  was_credited: "这笔付款已入账",
  was_refunded: "这笔付款已退款",
  unknown_order: "付款对应的订单不存在：{reference}",
  other_provider: "通过 {paid} 支付，订单要求 {asked}",
  other_merchant: "支付到商户 {paid}，订单要求 {asked}",
  other_amount: "实付 {paid}，应付 {asked}",
  second_payment: "订单已是“{state}”状态，这是又一笔付款",
  payment_unknown: "尚不知道对应的付款",
  payment_open: "对应的付款尚未结算",
  payment_dismissed: "对应的付款已标记为无需处理",
  payment_refunded: "对应的付款已退款",
  refunded_disputed: "已退款的付款发生争议",
  other_currency: "币种为 {told}，付款币种为 {paid}",
  dispute_unknown: "争议处于未知状态（{status}）",
  dispute_open: "争议需要在支付平台答复（{reason}）",
  dispute_open_due: "争议需要在支付平台答复（{reason}，请在 {due_at} 前答复）",
  inquiry: "付款人银行的查询（{status}，{reason}），资金未变动",
  inquiry_due: "付款人银行的查询（{status}，{reason}，请在 {due_at} 前答复），资金未变动",
  fraud_warning: "欺诈预警（{type}）：及时退款可避免争议",
  test_mode: "在正式密钥下收到测试模式的事件，没有资金",
  refunds_unknown: "Stripe 未列出这笔付款的退款（{text}），请到 Stripe 核对",
  owner_unknown: "Stripe 未说明这笔付款的归属（{text}）",
  other_refunds: "这笔付款的其他退款仍然有效",
  refund_failed: "退款未成功，这笔付款重新进入待处理",
  said_before: "另一个事件说过同样的内容",
  paid_unknown: "实付金额未知",
  part_disputed: "套餐价款的一部分存在争议，套餐继续有效",
  part_refunded: "套餐价款的一部分已退款，套餐继续有效",
  early: "先于对应的付款到达",
  early_currency: "先于对应的付款到达，且币种不同",
  early_dispute: "先于对应的付款到达：需要查看的争议（{status}）",
  payment_was_refunded: "对应的付款已退款",
  payment_was_dismissed: "对应的付款已标记为无需处理"
})

/** Providers' own words for people: `product_not_received` as `product not received`. */
const plain = (text: string): string => text.replaceAll("_", " ")

const amountIn = (visit: Visit, values: Reason["values"], name: "asked" | "paid"): string => {
  const minor = values[`${name}_minor`]
  return minor !== undefined && /^-?\d+$/.test(minor)
    ? minorText(visit, BigInt(minor), values[`${name}_currency`] ?? null)
    : values[name] ?? ""
}

const moment = (visit: Visit, text = ""): string => {
  const at = Option.getOrUndefined(DateTime.make(text))
  return at === undefined ? text : visit.formats.time(DateTime.toDateUtc(at))
}

/** Why an event has its outcome; empty where it goes without saying. */
export const reasonFor = (visit: Visit, { note, reason }: Pick<EventItem, "note" | "reason">): string => {
  if (reason === undefined) return note
  const { values } = reason
  return sayOf(visit, reasonText)(reason.code, {
    ...values,
    paid: amountIn(visit, values, "paid"),
    asked: amountIn(visit, values, "asked"),
    due_at: moment(visit, values["due_at"]),
    reason: plain(values["reason"] ?? ""),
    status: plain(values["status"] ?? "")
  })
}
