/**
 * What the tests of EPay share: the merchant and the three signatures that the protocol publishes, and an error's whole
 * text, to be searched for secrets.
 */
import { Redacted } from "effect"
import { inspect } from "node:util"
import type { EpayConfig } from "../../src/config/Config.ts"
import type { EpayParams } from "../../src/payments/EpaySignature.ts"

export const KEY = "89unJUB8HZ54Hj7x4nUj56HN4nUzUJ8i"

export const PID = "1001"

export const epayConfig = (changed: Partial<EpayConfig> = {}): EpayConfig => ({
  enabled: true,
  gateway: "https://pay.example.com",
  partnerId: PID,
  key: Redacted.make(KEY),
  types: ["alipay", "wxpay"],
  billColumns: ["trade_no=trade_no", "money=money"],
  ...changed
})

const address = "https://realms.example.com"

const submitted = (name: string, type: string): EpayParams => [
  ["pid", PID],
  ["type", type],
  ["out_trade_no", "topup_1001"],
  ["notify_url", `${address}/api/pay/epay/notify`],
  ["return_url", `${address}/pay/topup/1001`],
  ["name", name],
  ["money", "20.00"],
  ["device", "pc"]
]

const told: EpayParams = [
  ["pid", PID],
  ["trade_no", "20160806151343349021"],
  ["out_trade_no", "topup_1001"],
  ["type", "alipay"],
  ["name", "Realms Top-up topup_1001"],
  ["money", "20.00"],
  ["trade_status", "TRADE_SUCCESS"]
]

/** Signed with `KEY`: two forms that start a payment, and a notify. */
export const vectors = {
  english: { params: submitted("Realms Top-up topup_1001", "alipay"), sign: "2d1bfc44d4c4f3ae838ff9280802526e" },
  chinese: { params: submitted("余额充值", "wxpay"), sign: "b386a81766b4a5490bfbd853fad44dd7" },
  notify: { params: told, sign: "4ded3d635f19d1e96ee36843194d9839" }
}

/** Everything that a log could show of a value. */
export const shown = (value: unknown): string =>
  `${String(value)} ${JSON.stringify(value)} ${inspect(value, { depth: 10, showHidden: true })}`
