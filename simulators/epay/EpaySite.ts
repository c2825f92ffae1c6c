/**
 * What answers at the simulated EPay gateway's address: `submit.php`, the cashier, and `api.php` with its faults. Holds
 * the parts together; how they are driven by a test is said in `EpaySimulator`.
 */
import { type Fault, pause, SimulatorFaults } from "../http/SimulatorFaults.ts"
import { pageHeaders } from "../http/SimulatorHtml.ts"
import { SimulatorSender } from "../http/SimulatorSender.ts"
import { machineTime, type Now, redirect, type SimulatorReply, type SimulatorRequest } from "../http/SimulatorServer.ts"
import { EpayApi } from "./EpayApi.ts"
import type { MoneyStyle } from "./EpayMoney.ts"
import { EpayNotifier, type NotifyMode, withQuery } from "./EpayNotifier.ts"
import { type EpayOrder, EpayOrders, EpayRefused, type Payment } from "./EpayOrders.ts"
import { cashierPage, cashierPath, errorPage, tradeNoOf } from "./EpayPages.ts"
import type { EpayPairs } from "./EpaySignature.ts"

/** How long a browser waits for the notify before it is sent on. */
const REDIRECT_WAIT_MS_MAX = 10_000
/** Requests to `api.php` kept in the record; the oldest are forgotten. */
const REQUESTS_MAX = 10_000

export interface EpayFault extends Fault {
  /** Status 200, unless `status` says otherwise, and a page. */
  readonly html?: boolean
  /** An answer of that many bytes: JSON with a very long message. */
  readonly hugeBytes?: number
  /** What the answer says was paid. */
  readonly money?: string
}

export interface SiteOptions {
  readonly pid: string
  readonly key: string
  readonly types: ReadonlyArray<string>
  /** How notifies and queries write money. */
  readonly moneyStyle?: MoneyStyle
  readonly notifyMethod?: "GET" | "POST"
  readonly notifies?: NotifyMode
  /** Between the tries of an automatic notify, which are one more. */
  readonly retryDelaysMs?: ReadonlyArray<number>
  /** Whether queries write numbers as text; they do. */
  readonly numbersAsText?: boolean
  /** Milliseconds since 1970. */
  readonly now?: Now
}

/** A request to `api.php`; the key is not kept. */
export interface EpayRequest {
  readonly method: string
  readonly act: string | undefined
  readonly outTradeNo: string | undefined
}

const json = { "content-type": "application/json; charset=utf-8" }
const pageReply = (status: number, body: string): SimulatorReply => ({ status, headers: pageHeaders, body })

const pairsOf = (request: SimulatorRequest): EpayPairs => [
  ...new URLSearchParams(request.query),
  ...(request.method === "POST" ? new URLSearchParams(request.body) : [])
]

export class EpaySite {
  readonly faults: SimulatorFaults<EpayFault>
  readonly sender: SimulatorSender
  readonly orders: EpayOrders
  readonly notifier: EpayNotifier
  readonly requests: Array<EpayRequest> = []
  private readonly api: EpayApi
  private readonly types: ReadonlyArray<string>
  private readonly closing = new AbortController()

  constructor(options: SiteOptions) {
    const { key, moneyStyle = "20.00", notifies = "automatic", notifyMethod = "GET", now = machineTime, pid } = options
    this.types = options.types
    this.faults = new SimulatorFaults(this.closing.signal)
    this.sender = new SimulatorSender(this.faults, this.closing.signal, options.retryDelaysMs)
    this.orders = new EpayOrders(options, now, this.faults)
    this.notifier = new EpayNotifier({ pid, key, moneyStyle, method: notifyMethod, mode: notifies }, this.sender)
    this.api = new EpayApi(this.orders, { pid, key, moneyStyle, numbersAsText: options.numbersAsText ?? true })
  }

  async handle(request: SimulatorRequest): Promise<SimulatorReply | undefined> {
    if (request.path === "/api.php") return this.callApi(request)
    try {
      if (request.path === "/submit.php") return redirect(cashierPath(this.orders.submit(pairsOf(request))))
      return await this.showCashier(request)
    } catch (cause) {
      if (cause instanceof EpayRefused) return pageReply(400, errorPage(cause.message))
      throw cause
    }
  }

  /** Pays and tells. Resolves when the merchant was told once. */
  async pay(order: EpayOrder, payment: Payment): Promise<void> {
    await this.notifier.announce(this.orders.pay(order.outTradeNo, payment))
  }

  close(): Promise<void> {
    this.closing.abort()
    return this.sender.close()
  }

  private async showCashier(request: SimulatorRequest): Promise<SimulatorReply> {
    const order = this.orders.byTradeNo(tradeNoOf(request.path) ?? "")
    if (order === undefined) return pageReply(404, errorPage("There is no such page."))
    const returnUrl = () => withQuery(order.returnUrl, this.notifier.parametersOf(order))
    if (request.method !== "POST") return pageReply(200, cashierPage(order, this.types, returnUrl()))
    const type = this.types.find((one) => one === new URLSearchParams(request.body).get("type"))
    const told = this.pay(order, type === undefined ? {} : { type })
    await Promise.race([told, pause(REDIRECT_WAIT_MS_MAX, this.closing.signal)])
    return redirect(returnUrl())
  }

  private callApi(request: SimulatorRequest): Promise<SimulatorReply | undefined> {
    const parameters = Object.fromEntries(pairsOf(request))
    if (this.requests.length === REQUESTS_MAX) this.requests.shift()
    this.requests.push({ method: request.method, act: parameters.act, outTradeNo: parameters.out_trade_no })
    this.faults.changed()
    const fault = this.faults.take(request.method, request.path)
    const answered = (): SimulatorReply => ({
      status: 200,
      headers: json,
      body: this.api.answer(request.method, parameters, fault?.money)
    })
    return this.faults.around(fault, answered, replacedBy)
  }
}

function replacedBy({ html, hugeBytes, status }: EpayFault): SimulatorReply | undefined {
  if (html === true) return pageReply(status ?? 200, errorPage("The gateway is being looked after."))
  if (hugeBytes !== undefined) {
    const [start, end] = [`{"code":1,"msg":"`, `"}`]
    return {
      status: status ?? 200,
      headers: json,
      body: start + "x".repeat(Math.max(0, hugeBytes - start.length - end.length)) + end
    }
  }
  return status === undefined ? undefined : { status, headers: json, body: `{"code":-1,"msg":"error"}` }
}
