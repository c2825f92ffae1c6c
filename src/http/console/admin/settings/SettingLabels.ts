/**
 * What each setting is called, what it is for, and what is wrong with it when it is refused.
 */
import { fieldOf, type SettingKey } from "../../../../config/SettingDocument.ts"
import { defineMessages } from "../../text/Messages.ts"
import { sayOf, type Visit } from "../../Visit.ts"

const settingText = defineMessages({
  "site.name": "Name of the site",
  "site.name.hint": "In the title and at the top of every page.",
  "site.notice": "Notice",
  "site.notice.hint": "Shown above every page; empty for none.",
  "public_url": "Public address",
  "public_url.hint":
    "Where people and payment providers reach this server, such as https://api.example.com. Empty: it follows host and port.",
  "registration": "New accounts",
  "registration.hint": "Whether anybody may register.",
  "registration.open": "Open",
  "registration.closed": "Closed",
  "zone": "Time zone of the books",
  "zone.hint":
    "Days of statements begin and end at midnight there, such as in Asia/Shanghai. Days are closed, and never change again, from when this is saved.",
  "confirm_usd": "Second person above (USD)",
  "confirm_usd.hint":
    "Credits, accepted payments, adjustments, waivers, redemption codes and plans given above this wait for a second person. Empty: they do not.",
  "confirm_cny": "Second person above (CNY)",
  "confirm_cny.hint": "The same for payments recorded by hand and refunds. Raising or removing a limit waits too.",
  "enabled": "Charge for calls",
  "enabled.hint": "Off: calls are recorded with their cost and charged nothing.",
  "payg": "Pay as you go",
  "payg.hint": "Off: only subscriptions pay for calls.",
  "min": "Minimum top-up (CNY)",
  "max": "Maximum top-up (CNY)",
  "rate": "Credit for one CNY (USD)",
  "rate.hint": "What a top-up of ¥1 adds to the balance.",
  "multiplier": "Multiplier",
  "multiplier.hint": "On every price: 1 charges what models are priced at.",
  "output": "Output held for a stream (tokens)",
  "output.hint": "Held for a stream without a limit of its own, then extended as it goes.",
  "lease": "Reservation lease (seconds)",
  "lease.hint": "A hold that nobody renews for so long is ended.",
  "commit": "Wait for settlement (ms)",
  "commit.hint": "How long a finished answer waits for the database.",
  "extend": "Wait for an extension (ms)",
  "extend.hint": "How long a stream waits for more funds to be held before it ends.",
  "expired": "Expired holds",
  "expired.hint": "What becomes of a hold whose call was lost.",
  "expired.refund": "Give them back",
  "expired.charge": "Charge them",
  "disconnect": "On client disconnect",
  "disconnect.hint": "Cancel ends the upstream call and settles an estimate; drain reads on for exact usage.",
  "disconnect.cancel": "Cancel",
  "disconnect.drain": "Drain",
  "drain": "Read on after cancel (seconds)",
  "drain.hint":
    "With cancel: how long streams with output that is not shown, or with a costly input, are read on for exact usage.",
  "drain_max": "Drain, at most (seconds)",
  "drain_max.hint": "With drain: how long a stream is read on after its client left.",
  "holds": "Open holds of a user, at most",
  "holds.hint": "Further calls are refused until one of them ends.",
  "epay": "EPay is on",
  "stripe": "Stripe is on",
  "gateway": "Gateway",
  "gateway.hint": "Its address up to submit.php, such as https://pay.example.com.",
  "partner": "Merchant id (pid)",
  "key": "Merchant key",
  "types": "Payment types",
  "types.hint": "Separated by commas, such as alipay, wxpay.",
  "bill_columns": "Columns of the gateway's bill",
  "bill_columns.hint":
    "What its file calls them: trade_no=…, money=…, and where it has them refund=…, fee=…, time=…, state=column:value of paid trades.",
  "secret_key": "Secret key",
  "webhook_secret": "Webhook signing secret",
  "webhook_secret.hint": "Without it, the webhook is off and payments settle by asking Stripe.",
  "currency": "Currency",
  "currency.hint": "Three letters, such as cny or usd. Amounts are quoted in CNY and converted at the rate below.",
  "minor": "Minor units for one fen",
  "minor.hint": "1 for cny. For usd at 7.20 CNY: 0.138889 cents.",
  "api_base": "API address",
  "api_base.hint": "Empty: Stripe itself.",
  "problem.flag": "Choose yes or no.",
  "problem.integer": "Enter a whole number in the allowed range.",
  "problem.decimal":
    "Enter a decimal number of zero or more, such as 10 or 0.50, with no more decimals than the unit has.",
  "problem.limit": "Enter a decimal number of zero or more, such as 500 or 99.50, or nothing.",
  "problem.alone": "Raising or removing a limit needs a second person: save it without other changes.",
  "problem.rate": "Enter a decimal number above zero, with at most six decimals.",
  "problem.choice": "Choose one of the list.",
  "problem.zone": "Enter the name of a time zone, such as Asia/Shanghai or UTC.",
  "problem.text": "This text is too short, too long or has characters that cannot be used.",
  "problem.url": "Enter an http:// or https:// address.",
  "problem.list": "Enter at least one item, separated by commas.",
  "problem.secret": "This cannot be used.",
  "problem.needed": "This is needed before the provider can be switched on.",
  "problem.loopback": "Set a public address first: the provider's callbacks cannot reach a loopback address.",
  "problem.min": "Enter an amount above zero.",
  "problem.max": "Enter at least the smallest top-up.",
  "problem.address": "This server does not connect to such an address.",
  "problem.gateway":
    "Enter an https:// address that this server may connect to. http:// is only for a loopback address.",
  "problem.rule": "This does not go with the other settings."
}, {
  "site.name": "站点名称",
  "site.name.hint": "显示在每个页面的标题和顶部。",
  "site.notice": "公告",
  "site.notice.hint": "显示在每个页面上方；留空则不显示。",
  "public_url": "公网地址",
  "public_url.hint": "用户和支付渠道访问本服务的地址，例如 https://api.example.com。留空则由监听地址和端口决定。",
  "registration": "新用户注册",
  "registration.hint": "是否允许任何人注册。",
  "registration.open": "开放",
  "registration.closed": "关闭",
  "zone": "账务时区",
  "zone.hint": "报表以该时区的零点划分日期，例如 Asia/Shanghai。保存后开始逐日结账，已结日期不再变动。",
  "confirm_usd": "复核限额（美元）",
  "confirm_usd.hint": "超过此金额的入账、确认收款、余额调整、欠款减免、兑换码和赠送套餐须由另一人复核；留空则不需要。",
  "confirm_cny": "复核限额（元）",
  "confirm_cny.hint": "适用于手工登记的付款和退款。提高或取消限额同样需要复核。",
  "enabled": "对调用计费",
  "enabled.hint": "关闭后仍记录调用成本，但不扣费。",
  "payg": "按量付费",
  "payg.hint": "关闭后只能由套餐支付调用。",
  "min": "最低充值金额（元）",
  "max": "最高充值金额（元）",
  "rate": "每 1 元兑换额度（美元）",
  "rate.hint": "充值 ¥1 增加的余额。",
  "multiplier": "倍率",
  "multiplier.hint": "作用于所有价格；1 表示按模型定价收费。",
  "output": "流式输出预留（tokens）",
  "output.hint": "未指定上限的流式调用先预留这么多，随输出逐步追加。",
  "lease": "预留租期（秒）",
  "lease.hint": "超过此时间未续期的预留会被结束。",
  "commit": "等待结算（毫秒）",
  "commit.hint": "答复完成后最多等待数据库多久。",
  "extend": "等待追加预留（毫秒）",
  "extend.hint": "流式输出等待追加预留的最长时间，超时则结束。",
  "expired": "过期的预留",
  "expired.hint": "调用丢失后如何处理其预留。",
  "expired.refund": "退还",
  "expired.charge": "扣费",
  "disconnect": "客户端断开时",
  "disconnect.hint": "“取消”会终止上游调用并按估算结算；“读完”会继续读取以获得准确用量。",
  "disconnect.cancel": "取消",
  "disconnect.drain": "读完",
  "drain": "取消后继续读取（秒）",
  "drain.hint": "选择“取消”时，含不可见输出或输入成本较高的流式调用继续读取多久，以获得准确用量。",
  "drain_max": "读完的最长时间（秒）",
  "drain_max.hint": "选择“读完”时，客户端断开后最多继续读取多久。",
  "holds": "单个用户的未结预留上限",
  "holds.hint": "达到上限后拒绝新的调用，直到有预留结束。",
  "epay": "启用易支付",
  "stripe": "启用 Stripe",
  "gateway": "网关地址",
  "gateway.hint": "submit.php 之前的部分，例如 https://pay.example.com。",
  "partner": "商户 ID（pid）",
  "key": "商户密钥",
  "types": "支付方式",
  "types.hint": "用逗号分隔，例如 alipay, wxpay。",
  "bill_columns": "网关账单的列名",
  "bill_columns.hint":
    "账单文件中的列名：trade_no=…, money=…，如有可加 refund=…, fee=…, time=…, state=列名:已支付的取值。",
  "secret_key": "Secret key",
  "webhook_secret": "Webhook 签名密钥",
  "webhook_secret.hint": "未设置时 Webhook 关闭，改由主动查询 Stripe 完成入账。",
  "currency": "币种",
  "currency.hint": "三位字母，例如 cny 或 usd。价格以人民币标示，按下方比率换算。",
  "minor": "每分人民币对应的最小货币单位",
  "minor.hint": "cny 填 1；usd 按 7.20 元计为 0.138889（美分）。",
  "api_base": "API 地址",
  "api_base.hint": "留空则使用 Stripe 官方地址。",
  "problem.flag": "请选择是或否。",
  "problem.integer": "请填写允许范围内的整数。",
  "problem.decimal": "请填写不小于零的小数，例如 10 或 0.50，小数位数不超过该单位的精度。",
  "problem.limit": "请填写不小于零的小数，例如 500 或 99.50，或留空。",
  "problem.alone": "提高或取消限额需要另一人复核，请单独保存，不要同时修改其他设置。",
  "problem.rate": "请填写大于零的小数，最多六位小数。",
  "problem.choice": "请从列表中选择。",
  "problem.zone": "请填写时区名称，例如 Asia/Shanghai 或 UTC。",
  "problem.text": "文本过短、过长或含有不允许的字符。",
  "problem.url": "请填写 http:// 或 https:// 地址。",
  "problem.list": "请至少填写一项，用逗号分隔。",
  "problem.secret": "无法使用此值。",
  "problem.needed": "启用该支付渠道之前必须填写此项。",
  "problem.loopback": "请先设置公网地址：支付渠道的回调无法访问本机地址。",
  "problem.min": "请填写大于零的金额。",
  "problem.max": "不能小于最低充值金额。",
  "problem.address": "本服务不会连接此类地址。",
  "problem.gateway": "请填写本服务可以连接的 https:// 地址；http:// 仅可用于本机地址。",
  "problem.rule": "与其他设置不一致。"
})

export interface SettingLabel {
  readonly label: string
  readonly hint?: string
  /** Of a choice, by option. */
  readonly options?: Readonly<Record<string, string>>
}

/** Written out, so that each text is found as used. */
export const settingLabels = (visit: Visit): Readonly<Record<SettingKey, SettingLabel>> => {
  const say = sayOf(visit, settingText)
  return {
    "site.name": { label: say("site.name"), hint: say("site.name.hint") },
    "site.notice": { label: say("site.notice"), hint: say("site.notice.hint") },
    "server.public_url": { label: say("public_url"), hint: say("public_url.hint") },
    "registration.mode": {
      label: say("registration"),
      hint: say("registration.hint"),
      options: { open: say("registration.open"), closed: say("registration.closed") }
    },
    "finance.time_zone": { label: say("zone"), hint: say("zone.hint") },
    "finance.confirm_above_usd": { label: say("confirm_usd"), hint: say("confirm_usd.hint") },
    "finance.confirm_above_cny": { label: say("confirm_cny"), hint: say("confirm_cny.hint") },
    "billing.enabled": { label: say("enabled"), hint: say("enabled.hint") },
    "billing.pay_as_you_go": { label: say("payg"), hint: say("payg.hint") },
    "billing.min_topup_cny": { label: say("min") },
    "billing.max_topup_cny": { label: say("max") },
    "billing.credit_usd_per_cny": { label: say("rate"), hint: say("rate.hint") },
    "billing.multiplier": { label: say("multiplier"), hint: say("multiplier.hint") },
    "billing.default_max_output_tokens": { label: say("output"), hint: say("output.hint") },
    "billing.reservation_lease_seconds": { label: say("lease"), hint: say("lease.hint") },
    "billing.commit_wait_ms": { label: say("commit"), hint: say("commit.hint") },
    "billing.extend_wait_ms": { label: say("extend"), hint: say("extend.hint") },
    "billing.expired_reservation": {
      label: say("expired"),
      hint: say("expired.hint"),
      options: { refund: say("expired.refund"), charge: say("expired.charge") }
    },
    "billing.on_disconnect": {
      label: say("disconnect"),
      hint: say("disconnect.hint"),
      options: { cancel: say("disconnect.cancel"), drain: say("disconnect.drain") }
    },
    "billing.drain_seconds": { label: say("drain"), hint: say("drain.hint") },
    "billing.drain_max_seconds": { label: say("drain_max"), hint: say("drain_max.hint") },
    "billing.max_open_holds_per_user": { label: say("holds"), hint: say("holds.hint") },
    "payment.epay.enabled": { label: say("epay") },
    "payment.epay.gateway": { label: say("gateway"), hint: say("gateway.hint") },
    "payment.epay.partner_id": { label: say("partner") },
    "payment.epay.key": { label: say("key") },
    "payment.epay.types": { label: say("types"), hint: say("types.hint") },
    "payment.epay.bill_columns": { label: say("bill_columns"), hint: say("bill_columns.hint") },
    "payment.stripe.enabled": { label: say("stripe") },
    "payment.stripe.secret_key": { label: say("secret_key") },
    "payment.stripe.webhook_secret": { label: say("webhook_secret"), hint: say("webhook_secret.hint") },
    "payment.stripe.currency": { label: say("currency"), hint: say("currency.hint") },
    "payment.stripe.minor_per_fen": { label: say("minor"), hint: say("minor.hint") },
    "payment.stripe.api_base": { label: say("api_base"), hint: say("api_base.hint") }
  }
}

/** What is wrong with a setting, in the visitor's language. */
export const problemText = (visit: Visit, key: SettingKey, why: "shape" | "rule" | "incomplete"): string => {
  const say = sayOf(visit, settingText)
  if (why === "incomplete") return say("problem.needed")
  if (why === "rule") {
    if (key === "payment.epay.enabled" || key === "payment.stripe.enabled") return say("problem.loopback")
    if (key === "payment.epay.gateway") return say("problem.gateway")
    if (fieldOf(key).kind === "limit") return say("problem.alone")
    if (fieldOf(key).kind === "url") return say("problem.address")
    if (key === "billing.min_topup_cny") return say("problem.min")
    return key === "billing.max_topup_cny" ? say("problem.max") : say("problem.rule")
  }
  return {
    flag: say("problem.flag"),
    integer: say("problem.integer"),
    decimal: say("problem.decimal"),
    limit: say("problem.limit"),
    rate: say("problem.rate"),
    choice: say("problem.choice"),
    zone: say("problem.zone"),
    text: say("problem.text"),
    url: say("problem.url"),
    list: say("problem.list"),
    secret: say("problem.secret")
  }[fieldOf(key).kind]
}
