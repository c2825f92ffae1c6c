/**
 * The simulated EPay gateway's `api.php`: what became of an order, and refunds. The answers are JSON, unsigned, and write
 * numbers as text unless told otherwise.
 */
import { fenOf, type MoneyStyle, moneyText } from "./EpayMoney.ts"
import { type EpayOrder, type EpayOrders, EpayRefused } from "./EpayOrders.ts"
import type { EpayParameters } from "./EpaySignature.ts"

export interface EpayApiOptions {
  readonly pid: string
  readonly key: string
  readonly moneyStyle: MoneyStyle
  readonly numbersAsText: boolean
}

type Answer = { readonly [name: string]: string | number }

const failed = (msg: string, code = -1): Answer => ({ code, msg })

/** 0 not paid, 1 paid, 2 given back. */
const statusOf = ({ paidFen, refundedFen }: EpayOrder): number => paidFen === 0 ? 0 : refundedFen === paidFen ? 2 : 1

export class EpayApi {
  private readonly orders: EpayOrders
  private readonly options: EpayApiOptions

  constructor(orders: EpayOrders, options: EpayApiOptions) {
    this.orders = orders
    this.options = options
  }

  /** The JSON that answers. `money`: what it says instead of the order's. */
  answer(method: string, parameters: EpayParameters, money?: string): string {
    const answer = this.perform(method, parameters)
    const said = money === undefined || answer.money === undefined ? answer : { ...answer, money }
    if (!this.options.numbersAsText) return JSON.stringify(said)
    return JSON.stringify(Object.fromEntries(Object.entries(said).map(([name, value]) => [name, String(value)])))
  }

  private perform(method: string, parameters: EpayParameters): Answer {
    if (parameters.pid !== this.options.pid) return failed("商户ID不存在", -3)
    if (parameters.key !== this.options.key) return failed("商户密钥错误", -3)
    if (parameters.act === "order") return this.order(parameters)
    return parameters.act === "refund" && method === "POST" ? this.refund(parameters) : failed("No Act!", -5)
  }

  private find({ out_trade_no = "", trade_no = "" }: EpayParameters): EpayOrder | undefined {
    return this.orders.byTradeNo(trade_no) ?? this.orders.all.get(out_trade_no)
  }

  private order(parameters: EpayParameters): Answer {
    const order = this.find(parameters)
    if (order === undefined) return failed("订单号不存在")
    return {
      code: 1,
      msg: "查询订单号成功！",
      trade_no: order.tradeNo,
      out_trade_no: order.outTradeNo,
      type: order.type,
      pid: Number(this.options.pid),
      name: order.name,
      money: moneyText(order.paidFen === 0 ? order.fen : order.paidFen, this.options.moneyStyle),
      status: statusOf(order),
      param: order.param
    }
  }

  private refund(parameters: EpayParameters): Answer {
    const order = this.find(parameters)
    const fen = fenOf(parameters.money ?? "")
    if (order === undefined) return failed("订单号不存在")
    if (fen === undefined) return failed("退款金额错误")
    try {
      this.orders.refund(order, fen)
    } catch (cause) {
      if (cause instanceof EpayRefused) return failed(cause.message)
      throw cause
    }
    return { code: 1, msg: "退款成功！" }
  }
}
