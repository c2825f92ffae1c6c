/**
 * The texts of the settings as a whole; each setting's own are in `SettingLabels.ts`.
 */
import { defineMessages } from "../../text/Messages.ts"

export const sections = ["site", "registration", "finance", "confirm", "billing", "epay", "stripe"] as const
export type Section = typeof sections[number]

export const isSection = (text: string): text is Section => sections.some((section) => section === text)

export const settingsText = defineMessages({
  "title": "Settings",
  "lead":
    "What is saved here wins over config.yaml, at once and on every server. Open orders and calls keep the terms they were made with.",
  "section.site": "Site",
  "section.registration": "Registration",
  "section.finance": "Bookkeeping",
  "section.confirm": "Second person",
  "section.billing": "Billing",
  "section.epay": "EPay (Alipay, WeChat Pay)",
  "section.stripe": "Stripe",
  "save": "Save",
  "reset": "Reset to default",
  "reset.label": "Reset to default: {name}",
  "default": "Default: {value}",
  "source.file": "From config.yaml",
  "source.override": "Set here",
  "source.by": "Set by {who} at {at}",
  "empty": "empty",
  "secret.set": "Set",
  "secret.unset": "Not set",
  "secret.keep": "Leave empty to keep it",
  "secret.remove": "Remove",
  "secret.remove.label": "Remove {name}",
  "yes": "Yes",
  "no": "No",
  "done.saved": "Saved.",
  "done.same": "Nothing was different, so nothing was changed.",
  "changed":
    "Somebody has changed the settings since you opened this page. Nothing was saved: compare with what is in effect now, shown below each field, and save again.",
  "now": "In effect: {value}",
  "notify": "Notify URL",
  "webhook": "Webhook URL",
  "webhook.hint":
    "Add it in Stripe under Developers → Webhooks, with these events: checkout.session.completed, checkout.session.async_payment_succeeded, checkout.session.async_payment_failed, checkout.session.expired, charge.refunded, refund.updated, refund.failed, charge.dispute.created, charge.dispute.closed.",
  "notify.hint": "Sent along with each payment; some gateways want it entered in their console as well.",
  "copy": "Copy",
  "copied": "Copied",
  "test": "Test the connection",
  "test.hint": "Asks the provider a question that changes nothing, with what is saved.",
  "test.ok": "The connection works: the provider has answered for this account.",
  "test.unset": "Nothing could be asked: the credentials are not set.",
  "test.refused": "The provider refused the question: {why}.",
  "test.unavailable": "The provider gave no usable answer: {why}."
}, {
  "title": "设置",
  "lead": "此处保存的设置优先于 config.yaml，并在所有服务器上立即生效。未完成的订单和调用仍按创建时的条款结算。",
  "section.site": "站点",
  "section.registration": "注册",
  "section.finance": "账务",
  "section.confirm": "双人复核",
  "section.billing": "计费",
  "section.epay": "易支付（支付宝、微信支付）",
  "section.stripe": "Stripe",
  "save": "保存",
  "reset": "恢复默认",
  "reset.label": "恢复默认：{name}",
  "default": "默认值：{value}",
  "source.file": "来自 config.yaml",
  "source.override": "在此设置",
  "source.by": "由 {who} 于 {at} 设置",
  "empty": "空",
  "secret.set": "已设置",
  "secret.unset": "未设置",
  "secret.keep": "留空则保持不变",
  "secret.remove": "移除",
  "secret.remove.label": "移除 {name}",
  "yes": "是",
  "no": "否",
  "done.saved": "已保存，立即生效。",
  "done.same": "没有变化，未做任何修改。",
  "changed": "您打开页面之后，其他管理员修改了设置。本次未保存任何内容：请对照各字段下方的当前值，确认后再次保存。",
  "now": "当前生效：{value}",
  "notify": "异步通知地址",
  "webhook": "Webhook 地址",
  "webhook.hint":
    "请在 Stripe 后台的“开发者 → Webhook”中添加，并选择以下事件：checkout.session.completed、checkout.session.async_payment_succeeded、checkout.session.async_payment_failed、checkout.session.expired、charge.refunded、refund.updated、refund.failed、charge.dispute.created、charge.dispute.closed。",
  "notify.hint": "每笔支付都会随请求发送；部分网关还需在其后台填写。",
  "copy": "复制",
  "copied": "已复制",
  "test": "测试连接",
  "test.hint": "使用已保存的配置向支付渠道发起一次不产生任何变更的查询。",
  "test.ok": "连接正常：支付渠道已确认此账户。",
  "test.unset": "无法测试：尚未设置凭据。",
  "test.refused": "支付渠道拒绝了查询：{why}。",
  "test.unavailable": "支付渠道没有给出可用的答复：{why}。"
})
