/**
 * An EPay V1 gateway over a real socket and offline, for the demo and for tests: a cashier, signed notifies that are
 * repeated until they are heard, and queries. A test can pay, tell lies about it, and make it misbehave. A normal start
 * cannot reach it.
 */
import { randomUUID } from "node:crypto"
import { controlOf, type SimulatorControl } from "../http/SimulatorFaults.ts"
import type { Delivery } from "../http/SimulatorSender.ts"
import { acquireSimulator, type ListenOptions, startServer } from "../http/SimulatorServer.ts"
import type { NotifyMode, NotifyOptions } from "./EpayNotifier.ts"
import type { EpayOrder } from "./EpayOrders.ts"
import { type EpayFault, type EpayRequest, EpaySite, type SiteOptions } from "./EpaySite.ts"

export interface EpayOptions extends ListenOptions, Partial<SiteOptions> {}

export interface EpaySimulator extends SimulatorControl<EpayFault> {
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
}

/** Starts a gateway; it listens when the promise resolves. */
export async function startEpay(options: EpayOptions = {}): Promise<EpaySimulator> {
  const { key = randomUUID().replaceAll("-", ""), pid = "1001", types = ["alipay", "wxpay", "qqpay"] } = options
  const site = new EpaySite({ ...options, pid, key, types })
  const server = await startServer(options, () => (request) => site.handle(request))
  const { notifier, orders, sender } = site
  return {
    ...controlOf(site),
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
    close: async () => {
      await Promise.all([site.close(), server.close()])
    }
  }
}

/** A gateway for the length of a scope, on its clock. Fails with `SimulatorNotStarted` when its port is taken. */
export const acquireEpay = (options: EpayOptions = {}) => acquireSimulator((now) => startEpay({ now, ...options }))
