/**
 * The webhooks of the simulated Stripe: signed as Stripe signs them, at each delivery; sent by themselves and again
 * when refused, or only when a test says so.
 */
import { createHmac } from "node:crypto"
import type { Delivery, Message, Repeat, SimulatorSender } from "../http/SimulatorSender.ts"
import type { Now } from "../http/SimulatorServer.ts"
import type { StripeEvent } from "./StripeEvents.ts"

/** `Stripe-Signature`: HMAC-SHA256 over the time, a dot and the body. */
export const stripeSignature = (secret: string, body: string, atSeconds: number): string =>
  `t=${atSeconds},v1=${createHmac("sha256", secret).update(`${atSeconds}.${body}`).digest("hex")}`

/** Whether events are sent as they happen, or only recorded. */
export type WebhookMode = "automatic" | "manual"

export interface SendOptions extends Repeat {
  /** Another address than the webhook's. */
  readonly to?: string
  /** Another secret than the webhook's. */
  readonly secret?: string
  /** Another time than now, in seconds since 1970. */
  readonly atSeconds?: number
}

const isOk = ({ status }: Delivery): boolean => status >= 200 && status < 300

export class StripeWebhooks {
  private url: string | undefined
  private mode: WebhookMode
  private readonly secret: string
  private readonly now: Now
  private readonly sender: SimulatorSender

  constructor(
    options: {
      readonly url: string | undefined
      readonly mode: WebhookMode
      readonly secret: string
      readonly now: Now
    },
    sender: SimulatorSender
  ) {
    this.url = options.url
    this.mode = options.mode
    this.secret = options.secret
    this.now = options.now
    this.sender = sender
  }

  setUrl(url: string | undefined): void {
    this.url = url
  }

  setMode(mode: WebhookMode): void {
    this.mode = mode
  }

  /** Sends a new event if there is somewhere to send it to. Resolves with the first try. */
  async announce(event: StripeEvent): Promise<void> {
    const { url } = this
    if (this.mode === "manual" || url === undefined) return
    await this.sender.persist(event.id, () => this.message(event, { to: url }), isOk)
  }

  /** Sends an event as often as asked, signed each time. */
  send(event: StripeEvent, options: SendOptions): Promise<ReadonlyArray<Delivery>> {
    return this.sender.send(event.id, () => this.message(event, options), options)
  }

  private message(event: StripeEvent, { atSeconds, secret = this.secret, to = this.url }: SendOptions): Message {
    if (to === undefined) throw new Error("There is no webhook address.")
    const body = JSON.stringify(event, undefined, 2)
    return {
      method: "POST",
      url: to,
      headers: {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "stripe-signature": stripeSignature(secret, body, atSeconds ?? Math.floor(this.now() / 1000))
      },
      body
    }
  }
}
