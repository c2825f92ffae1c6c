/**
 * The orders of the simulated EPay gateway: what a merchant submits, judged as gateways judge it, and what becomes of it.
 */
import { DateTime } from "effect"
import { Buffer } from "node:buffer"
import { randomInt } from "node:crypto"
import type { SimulatorGates } from "../http/SimulatorGates.ts"
import type { Now } from "../http/SimulatorServer.ts"
import { fenOf } from "./EpayMoney.ts"
import { type EpayPairs, epayVerify } from "./EpaySignature.ts"

/** Gateways cut titles there, after they verified the signature. */
const NAME_BYTES_MAX = 127
const OUT_TRADE_NO_CHARACTERS_MAX = 64
/** Orders kept. */
const ORDERS_MAX = 100_000

const required = ["pid", "out_trade_no", "notify_url", "return_url", "name", "money", "sign", "sign_type"]

export interface EpayOrder {
  readonly outTradeNo: string
  /** The gateway's number; the customer's bank may give the payment another. */
  tradeNo: string
  /** Empty while the customer may choose. */
  type: string
  readonly name: string
  readonly param: string
  readonly notifyUrl: string
  readonly returnUrl: string
  /** What was asked for. */
  readonly fen: number
  /** What was paid; 0 before. */
  paidFen: number
  refundedFen: number
  /** The last that was said about it; undefined before anything happened. */
  tradeStatus: string | undefined
}

/** Thrown by what a gateway would not do. */
export class EpayRefused extends Error {
  constructor(message: string) {
    super(message)
    this.name = "EpayRefused"
  }
}

const refuse = (message: string): never => {
  throw new EpayRefused(message)
}

/** Cuts at whole characters. */
const cutName = (name: string): string => {
  let end = Math.min(name.length, NAME_BYTES_MAX)
  while (Buffer.byteLength(name.slice(0, end)) > NAME_BYTES_MAX) end--
  return name.slice(0, end).toWellFormed().replace(/\uFFFD$/, "")
}

const isAddress = (text: string): boolean => /^https?:\/\//.test(text) && URL.canParse(text)

export interface Payment {
  readonly tradeNo?: string
  /** As the bank writes it, in yuan; the order's otherwise. */
  readonly money?: string
  /** `TRADE_SUCCESS`, unless said otherwise; only that is a payment. */
  readonly tradeStatus?: string
  readonly type?: string
}

export class EpayOrders {
  readonly all = new Map<string, EpayOrder>()
  private readonly merchant: { readonly pid: string; readonly key: string; readonly types: ReadonlyArray<string> }
  private readonly now: Now
  private readonly gates: SimulatorGates

  constructor(merchant: EpayOrders["merchant"], now: Now, gates: SimulatorGates) {
    this.merchant = merchant
    this.now = now
    this.gates = gates
  }

  /** Takes a merchant's form. Throws `EpayRefused`, with the reason for the error page. */
  submit(pairs: EpayPairs): EpayOrder {
    const { money = "", name = "", notify_url = "", out_trade_no = "", param = "", return_url = "", type = "" } = this
      .checked(pairs)
    const fen = fenOf(money) ?? refuse(`money is not an amount of yuan: ${money}`)
    if (!/^[\w.|-]+$/.test(out_trade_no) || out_trade_no.length > OUT_TRADE_NO_CHARACTERS_MAX) {
      refuse(`out_trade_no is malformed: ${out_trade_no}`)
    }
    if (!isAddress(notify_url) || notify_url.includes("?")) refuse(`notify_url is malformed: ${notify_url}`)
    if (!isAddress(return_url)) refuse(`return_url is malformed: ${return_url}`)
    if (type !== "" && !this.merchant.types.includes(type)) refuse(`type is not offered: ${type}`)
    const before = this.all.get(out_trade_no)
    if (before !== undefined && before.paidFen > 0) refuse(`out_trade_no was paid already: ${out_trade_no}`)
    if (before === undefined && this.all.size === ORDERS_MAX) refuse("There are too many orders.")
    const order: EpayOrder = {
      outTradeNo: out_trade_no,
      tradeNo: before?.tradeNo ?? this.tradeNo(),
      type,
      name: cutName(name),
      param,
      notifyUrl: notify_url,
      returnUrl: return_url,
      fen,
      paidFen: 0,
      refundedFen: 0,
      tradeStatus: undefined
    }
    this.all.set(out_trade_no, order)
    this.gates.changed()
    return order
  }

  /** An order by the merchant's number. */
  order(outTradeNo: string): EpayOrder {
    return this.all.get(outTradeNo) ?? refuse(`There is no order '${outTradeNo}'.`)
  }

  /** An order by the gateway's number. */
  byTradeNo(tradeNo: string): EpayOrder | undefined {
    return [...this.all.values()].find((order) => order.tradeNo === tradeNo)
  }

  /** The customer pays, or something else happened to the order. */
  pay(outTradeNo: string, { money, tradeNo, tradeStatus = "TRADE_SUCCESS", type }: Payment): EpayOrder {
    const order = this.order(outTradeNo)
    if (order.paidFen > 0) refuse(`The order '${outTradeNo}' was paid already.`)
    const fen = money === undefined ? order.fen : fenOf(money) ?? refuse(`money is not an amount of yuan: ${money}`)
    if (tradeNo !== undefined) order.tradeNo = tradeNo
    if (order.type === "") order.type = type ?? this.merchant.types[0] ?? "alipay"
    order.tradeStatus = tradeStatus
    order.paidFen = tradeStatus === "TRADE_SUCCESS" ? fen : 0
    this.gates.changed()
    return order
  }

  refund(order: EpayOrder, fen: number): void {
    if (fen > order.paidFen - order.refundedFen) refuse("The refund is more than what is left.")
    order.refundedFen += fen
    this.gates.changed()
  }

  private checked(pairs: EpayPairs): { readonly [name: string]: string } {
    const names = pairs.map(([name]) => name)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) refuse(`A parameter is there twice: ${twice}`)
    const values = Object.fromEntries(pairs)
    const lacking = required.find((name) => (values[name] ?? "") === "")
    if (lacking !== undefined) refuse(`A parameter is missing: ${lacking}`)
    if (values.pid !== this.merchant.pid) refuse(`There is no merchant '${values.pid}'.`)
    if (values.sign_type !== "MD5") refuse(`sign_type is not known: ${values.sign_type}`)
    if (!epayVerify(pairs, this.merchant.key)) refuse("The signature is wrong.")
    return values
  }

  /** The time to the second, and six digits. */
  private tradeNo(): string {
    const time = DateTime.formatIso(DateTime.makeUnsafe(this.now())).replace(/\D/g, "").slice(0, 14)
    return time + String(randomInt(1_000_000)).padStart(6, "0")
  }
}
