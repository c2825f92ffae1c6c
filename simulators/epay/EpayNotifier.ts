/**
 * How the simulated EPay gateway tells a merchant: the parameters of a notify, signed, as a query or a form; sent again
 * until the answer is exactly `success`, a bounded number of times.
 */
import type { Delivery, Message, Repeat, SimulatorSender } from "../http/SimulatorSender.ts"
import { type MoneyStyle, moneyText } from "./EpayMoney.ts"
import type { EpayOrder } from "./EpayOrders.ts"
import { type EpayPairs, type EpayParameters, epaySigned } from "./EpaySignature.ts"

/** Whether a payment is told by itself, or only when a test says so. */
export type NotifyMode = "automatic" | "manual"

export interface NotifyOptions extends Repeat {
  readonly method?: "GET" | "POST"
  /** Changes the signed parameters; pairs may hold a name twice. */
  readonly tamper?: (parameters: EpayParameters) => EpayParameters | EpayPairs
  /** Sign what `tamper` made, as one does who has the key. */
  readonly resign?: boolean
  /** Another address than the order's. */
  readonly to?: string
}

export interface NotifierOptions {
  readonly pid: string
  readonly key: string
  readonly moneyStyle: MoneyStyle
  readonly method: "GET" | "POST"
  readonly mode: NotifyMode
}

const isPairs = (parameters: EpayParameters | EpayPairs): parameters is EpayPairs => Array.isArray(parameters)

const encoded = (pairs: EpayPairs): string =>
  new URLSearchParams(pairs.map(([name, value]): [string, string] => [name, value])).toString()

/** An address with more of a query. */
export const withQuery = (url: string, pairs: EpayPairs): string =>
  `${url}${url.includes("?") ? "&" : "?"}${encoded(pairs)}`

const isAccepted = ({ body, status }: Delivery): boolean => status === 200 && body === "success"

export class EpayNotifier {
  mode: NotifyMode
  private readonly options: NotifierOptions
  private readonly sender: SimulatorSender

  constructor(options: NotifierOptions, sender: SimulatorSender) {
    this.mode = options.mode
    this.options = options
    this.sender = sender
  }

  /** What the merchant is told, by the notify and by the browser that returns. */
  parametersOf(order: EpayOrder): EpayPairs {
    const { key, moneyStyle, pid } = this.options
    const pairs: EpayPairs = [
      ["pid", pid],
      ["trade_no", order.tradeNo],
      ["out_trade_no", order.outTradeNo],
      ["type", order.type],
      ["name", order.name],
      ["money", moneyText(order.paidFen === 0 ? order.fen : order.paidFen, moneyStyle)],
      ["trade_status", order.tradeStatus ?? "WAIT_BUYER_PAY"]
    ]
    return epaySigned(order.param === "" ? pairs : [...pairs, ["param", order.param]], key)
  }

  /** Tells of a payment. Resolves with the first try. */
  async announce(order: EpayOrder): Promise<void> {
    if (this.mode === "manual") return
    await this.sender.persist(order.outTradeNo, () => this.message(order, {}), isAccepted)
  }

  /** Tells as often as asked, whatever is answered. */
  send(order: EpayOrder, options: NotifyOptions): Promise<ReadonlyArray<Delivery>> {
    return this.sender.send(order.outTradeNo, () => this.message(order, options), options)
  }

  private message(
    order: EpayOrder,
    { method = this.options.method, resign = false, tamper, to }: NotifyOptions
  ): Message {
    const honest = this.parametersOf(order)
    const changed = tamper?.(Object.fromEntries(honest)) ?? honest
    const pairs = isPairs(changed) ? changed : Object.entries(changed)
    const sent = resign ? epaySigned(pairs, this.options.key) : pairs
    const url = to ?? order.notifyUrl
    if (method === "GET") return { method, url: withQuery(url, sent), headers: {} }
    return { method, url, headers: { "content-type": "application/x-www-form-urlencoded" }, body: encoded(sent) }
  }
}
