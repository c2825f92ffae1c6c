/**
 * A Stripe over a real socket and offline, for the demo and for tests: good enough for the official SDK, with a page to
 * pay at and signed webhooks. A test can do what customers and banks do, and make it misbehave. A normal start cannot
 * reach it.
 */
import { randomUUID } from "node:crypto"
import { controlOf, type SimulatorControl } from "../http/SimulatorFaults.ts"
import type { Delivery } from "../http/SimulatorSender.ts"
import { acquireSimulator, type ListenOptions, type Now, startServer } from "../http/SimulatorServer.ts"
import type { RefundOrder } from "./StripeBooks.ts"
import type { EventShape, StripeEvent } from "./StripeEvents.ts"
import { chargeObject, disputeObject, intentObject, refundObject, sessionObject } from "./StripeObjects.ts"
import { type StripeFault, type StripeRequest, StripeSite } from "./StripeSite.ts"
import type { SendOptions, WebhookMode } from "./StripeWebhooks.ts"

export interface StripeOptions extends ListenOptions {
  /** Requests must carry it as a bearer token. */
  readonly secretKey?: string
  readonly webhookSecret?: string
  /** Where events are sent; can be said later. */
  readonly webhookUrl?: string
  readonly webhooks?: WebhookMode
  /** Between the tries of an automatic webhook, which are one more. */
  readonly retryDelaysMs?: ReadonlyArray<number>
  /** Of events, and of requests that name no version. */
  readonly apiVersion?: string
  /** Milliseconds since 1970. */
  readonly now?: Now
}

type SessionObject = ReturnType<typeof sessionObject>
type RefundObject = ReturnType<typeof refundObject>
type DisputeObject = ReturnType<typeof disputeObject>

export interface StripeSimulator extends SimulatorControl<StripeFault> {
  /** `http://host:port` */
  readonly url: string
  /** Where the SDK is pointed at, for its constructor. */
  readonly address: { readonly host: string; readonly port: number; readonly protocol: "http" }
  readonly secretKey: string
  readonly webhookSecret: string
  readonly close: () => Promise<void>

  /** Everything that happened, in order. */
  readonly events: ReadonlyArray<StripeEvent>
  /** Every try to deliver an event. */
  readonly deliveries: ReadonlyArray<Delivery>
  /** The requests to the API. */
  readonly requests: ReadonlyArray<StripeRequest>
  /** A session as it is now; throws `StripeRefused` when there is none. */
  readonly session: (sessionId: string) => SessionObject
  readonly sessionIds: () => ReadonlyArray<string>
  readonly charge: (paymentIntent: string) => ReturnType<typeof chargeObject>
  readonly paymentIntent: (paymentIntent: string) => ReturnType<typeof intentObject>

  /** The customer pays. Throws `StripeRefused`, as all of these do, when Stripe would not do it. */
  readonly pay: (sessionId: string, options?: { readonly delayed?: boolean; readonly method?: string }) => {
    readonly paymentIntent: string
    readonly charge: string
  }
  readonly succeedDelayed: (sessionId: string) => void
  readonly failDelayed: (sessionId: string) => void
  /** The session's time is over. */
  readonly expire: (sessionId: string) => void
  /** Gives back all that is left, or an amount. */
  readonly refund: (order: RefundOrder) => RefundObject
  readonly failRefund: (refundId: string) => RefundObject
  /** Of the whole payment, or an amount. */
  readonly dispute: (order: { readonly paymentIntent: string; readonly amount?: number }) => DisputeObject
  readonly closeDispute: (disputeId: string, outcome: "won" | "lost") => DisputeObject

  readonly setWebhookUrl: (url: string | undefined) => void
  readonly setWebhookMode: (mode: WebhookMode) => void
  /** Sends an event, again or for the first time, signed each time; in another shape if one is given. */
  readonly deliver: (
    event: StripeEvent | string,
    options?: SendOptions & EventShape
  ) => Promise<ReadonlyArray<Delivery>>
}

type Control = Omit<StripeSimulator, "url" | "address" | "secretKey" | "webhookSecret" | "close">

const moneyControl = ({ books }: StripeSite) =>
  ({
    session: (id) => sessionObject(books.session(id)),
    sessionIds: () => [...books.sessions.keys()],
    charge: (paymentIntent) => chargeObject(books.payment({ paymentIntent })),
    paymentIntent: (paymentIntent) => intentObject(books.payment({ paymentIntent })),
    pay: (id, options = {}) => {
      const { chargeId, intentId } = books.pay(id, options)
      return { paymentIntent: intentId, charge: chargeId }
    },
    succeedDelayed: (id) => void books.settleDelayed(id, true),
    failDelayed: (id) => void books.settleDelayed(id, false),
    expire: (id) => void books.expire(id),
    refund: (order) => refundObject(books.refund(order)),
    failRefund: (id) => refundObject(books.failRefund(id)),
    dispute: (order) => disputeObject(books.dispute(order)),
    closeDispute: (id, outcome) => disputeObject(books.closeDispute(id, outcome))
  }) satisfies Partial<Control>

/** Starts a Stripe; it listens when the promise resolves. */
export async function startStripe(options: StripeOptions = {}): Promise<StripeSimulator> {
  const secretKey = options.secretKey ?? `sk_test_${randomUUID().replaceAll("-", "")}`
  const webhookSecret = options.webhookSecret ?? `whsec_${randomUUID().replaceAll("-", "")}`
  const site = new StripeSite({ ...options, secretKey, webhookSecret })
  const server = await startServer(options, (url) => site.handlerAt(url))
  const { events, sender, webhooks } = site
  return {
    ...moneyControl(site),
    ...controlOf(site),
    url: server.url,
    address: { host: server.host, port: server.port, protocol: "http" },
    secretKey,
    webhookSecret,
    events: events.all,
    deliveries: sender.deliveries,
    requests: site.requests,
    setWebhookUrl: (url) => webhooks.setUrl(url),
    setWebhookMode: (mode) => webhooks.setMode(mode),
    deliver: (event, options = {}) => site.deliver(event, options),
    close: async () => {
      await Promise.all([site.close(), server.close()])
    }
  }
}

/** A Stripe for the length of a scope, on its clock. Fails with `SimulatorNotStarted` when its port is taken. */
export const acquireStripe = (options: StripeOptions = {}) =>
  acquireSimulator((now) => startStripe({ now, ...options }))
