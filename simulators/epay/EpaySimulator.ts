/**
 * An EPay V1 gateway over a real socket and offline, for the demo and for tests: a cashier, signed notifies that are
 * repeated until they are heard, and queries. A test can pay, tell lies about it, and make it misbehave. A normal start
 * cannot reach it.
 */
import { randomUUID } from "node:crypto"
import type { Delivery } from "../http/SimulatorSender.ts"
import { acquireSimulator, type ListenOptions, type Now, startServer } from "../http/SimulatorServer.ts"
import type { MoneyStyle } from "./EpayMoney.ts"
import type { NotifyMode, NotifyOptions } from "./EpayNotifier.ts"
import type { EpayOrder } from "./EpayOrders.ts"
import { type EpayFault, type EpayRequest, EpaySite } from "./EpaySite.ts"

export interface EpayOptions extends ListenOptions {
  readonly pid?: string
  readonly key?: string
  readonly types?: ReadonlyArray<string>
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

export interface EpaySimulator {
  /** `http://host:port`, the gateway's address. */
  readonly url: string
  readonly pid: string
  readonly key: string
  readonly close: () => Promise<void>

  /** By the merchant's number. They change. */
  readonly orders: ReadonlyMap<string, Readonly<EpayOrder>>
  /** Every try to notify. */
  readonly deliveries: ReadonlyArray<Delivery>
  /** The requests to `api.php`. */
  readonly requests: ReadonlyArray<EpayRequest>

  /**
   * The customer pays an order that was submitted, or something else becomes of it; the merchant is told. Throws
   * `EpayRefused` when there is no such order or it was paid already.
   */
  readonly pay: (
    outTradeNo: string,
    payment?: { readonly trade_no?: string; readonly money?: string; readonly status?: string; readonly type?: string }
  ) => void
  readonly setNotifyMode: (mode: NotifyMode) => void
  /** Notifies, again or for the first time, truthfully or not. */
  readonly notify: (outTradeNo: string, options?: NotifyOptions) => Promise<ReadonlyArray<Delivery>>

  /** The next request to `api.php`, or the next that the fault is for, meets it. */
  readonly next: (fault: EpayFault) => void
  /** Forgets the faults that have not happened yet. */
  readonly reset: () => void
  readonly open: (gate: string) => void
  readonly shut: (gate: string) => void
  /** How many requests wait at the gate. */
  readonly waiting: (gate: string) => number
  /** Resolves once the predicate holds; looked at whenever something changes. */
  readonly until: (predicate: () => boolean) => Promise<void>
  /** Resolves when no notify is under way and no retry due. */
  readonly idle: () => Promise<void>
}

/** Starts a gateway; it listens when the promise resolves. */
export async function startEpay(options: EpayOptions = {}): Promise<EpaySimulator> {
  const { key = randomUUID().replaceAll("-", ""), pid = "1001", types = ["alipay", "wxpay", "qqpay"] } = options
  const site = new EpaySite({ ...options, pid, key, types })
  const server = await startServer(options, () => (request) => site.handle(request))
  const { faults, notifier, orders, sender } = site
  return {
    url: server.url,
    pid,
    key,
    orders: orders.all,
    deliveries: sender.deliveries,
    requests: site.requests,
    pay: (outTradeNo, { status, trade_no, ...payment } = {}) => {
      const order = orders.pay(outTradeNo, {
        ...payment,
        ...(status === undefined ? {} : { tradeStatus: status }),
        ...(trade_no === undefined ? {} : { tradeNo: trade_no })
      })
      void notifier.announce(order)
    },
    setNotifyMode: (mode) => {
      notifier.mode = mode
    },
    notify: async (outTradeNo, notifyOptions = {}) => notifier.send(orders.order(outTradeNo), notifyOptions),
    next: (fault) => faults.next(fault),
    reset: () => faults.reset(),
    open: (gate) => faults.open(gate),
    shut: (gate) => faults.shut(gate),
    waiting: (gate) => faults.waiting(gate),
    until: (predicate) => faults.until(predicate),
    idle: () => sender.idle(),
    close: async () => {
      await Promise.all([site.close(), server.close()])
    }
  }
}

/** A gateway for the length of a scope, on its clock. Fails with `SimulatorNotStarted` when its port is taken. */
export const acquireEpay = (options: EpayOptions = {}) => acquireSimulator((now) => startEpay({ now, ...options }))
