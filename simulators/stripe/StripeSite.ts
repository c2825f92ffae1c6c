/**
 * What answers at the simulated Stripe's address: the API with its faults and the record of its requests, and the pay
 * pages. Holds the parts together; how they are driven by a test is said in `StripeSimulator`.
 */
import { type Fault, pause, SimulatorFaults } from "../http/SimulatorFaults.ts"
import { pageHeaders } from "../http/SimulatorHtml.ts"
import { type Delivery, SimulatorSender } from "../http/SimulatorSender.ts"
import {
  machineTime,
  type Now,
  redirect,
  type SimulatorHandler,
  type SimulatorReply,
  type SimulatorRequest
} from "../http/SimulatorServer.ts"
import { idempotencyKeyOf, StripeApi, versionOf } from "./StripeApi.ts"
import { StripeBooks } from "./StripeBooks.ts"
import { type EventShape, type StripeEvent, StripeEvents } from "./StripeEvents.ts"
import { parseForm, textAt } from "./StripeForm.ts"
import { pagePath, payPage, problemPage, sessionIdOf, successUrlOf } from "./StripePages.ts"
import { faultRefusal, StripeRefused } from "./StripeRefused.ts"
import { ACCOUNT_VERSION } from "./StripeVersions.ts"
import { type SendOptions, StripeWebhooks, type WebhookMode } from "./StripeWebhooks.ts"

/** How long a browser waits for the webhook before it is sent on, as Stripe's does. */
const REDIRECT_WAIT_MS_MAX = 10_000
/** Requests kept in the record; the oldest are forgotten. */
const REQUESTS_MAX = 10_000

export interface StripeFault extends Fault {
  /** The error's code, with `status`. */
  readonly code?: string
}

/** What the API saw of a request. */
export interface StripeRequest {
  readonly method: string
  readonly path: string
  readonly apiVersion: string | undefined
  readonly idempotencyKey: string | undefined
  /** By their encoded names: `line_items[0][quantity]`. */
  readonly parameters: { readonly [name: string]: string }
}

export interface SiteOptions {
  readonly secretKey: string
  readonly webhookSecret: string
  readonly webhookUrl?: string
  readonly webhooks?: WebhookMode
  readonly retryDelaysMs?: ReadonlyArray<number>
  readonly apiVersion?: string
  readonly now?: Now
}

const pageReply = (status: number, body: string): SimulatorReply => ({ status, headers: pageHeaders, body })

export class StripeSite {
  readonly faults: SimulatorFaults<StripeFault>
  readonly sender: SimulatorSender
  readonly webhooks: StripeWebhooks
  readonly events: StripeEvents
  readonly books: StripeBooks
  readonly requests: Array<StripeRequest> = []
  private readonly closing = new AbortController()
  private readonly options: SiteOptions
  private readonly apiVersion: string
  /** The last event was tried once. */
  private announced: Promise<void> = Promise.resolve()

  constructor(options: SiteOptions) {
    const { apiVersion = ACCOUNT_VERSION, now = machineTime, webhookSecret, webhookUrl, webhooks = "automatic" } =
      options
    this.options = options
    this.apiVersion = apiVersion
    this.faults = new SimulatorFaults(this.closing.signal)
    this.sender = new SimulatorSender(this.faults, this.closing.signal, options.retryDelaysMs)
    this.webhooks = new StripeWebhooks({ url: webhookUrl, mode: webhooks, secret: webhookSecret, now }, this.sender)
    this.events = new StripeEvents(apiVersion, now, this.faults)
    this.events.onEvent = (event) => {
      this.announced = this.webhooks.announce(event)
    }
    this.books = new StripeBooks(this.events, now)
  }

  handlerAt(url: string): SimulatorHandler {
    const { secretKey } = this.options
    const api = new StripeApi(this.books, this.events, {
      secretKey,
      apiVersion: this.apiVersion,
      pageOf: (sessionId) => url + pagePath(sessionId)
    })
    return (request) => request.path.startsWith("/v1/") ? this.callApi(api, request) : this.showPage(request)
  }

  async deliver(event: StripeEvent | string, options: SendOptions & EventShape): Promise<ReadonlyArray<Delivery>> {
    const found = typeof event === "string" ? this.events.all.find((one) => one.id === event) : event
    if (found === undefined) throw new Error(`There is no event '${String(event)}'.`)
    const isReshaped = options.apiVersion !== undefined || options.expand !== undefined || options.omit !== undefined
    const shaped = isReshaped ? this.events.reshaped(found, options, (id) => this.books.find(id)) : found
    return this.webhooks.send(shaped, options)
  }

  close(): Promise<void> {
    this.closing.abort()
    return this.sender.close()
  }

  private async callApi(api: StripeApi, request: SimulatorRequest): Promise<SimulatorReply | undefined> {
    const parameters = new URLSearchParams(request.method === "POST" ? request.body : request.query)
    if (this.requests.length === REQUESTS_MAX) this.requests.shift()
    this.requests.push({
      method: request.method,
      path: request.path,
      apiVersion: versionOf(request),
      idempotencyKey: idempotencyKeyOf(request),
      parameters: Object.fromEntries(parameters)
    })
    this.faults.changed()
    return this.faults.around(
      this.faults.take(request.method, request.path),
      () => api.answer(request),
      ({ code, status }) => status === undefined ? undefined : api.refused(request, faultRefusal(status, code))
    )
  }

  private async showPage(request: SimulatorRequest): Promise<SimulatorReply> {
    const sessionId = sessionIdOf(request.path) ?? ""
    if (!this.books.sessions.has(sessionId)) return pageReply(404, problemPage("There is no such page."))
    if (request.method !== "POST") return pageReply(200, payPage(this.books.session(sessionId)))
    try {
      const form = parseForm(request.body)
      this.act(sessionId, textAt(form, "action"), textAt(form, "method"))
    } catch (cause) {
      if (cause instanceof StripeRefused) return pageReply(409, problemPage(cause.message))
      throw cause
    }
    await Promise.race([this.announced, pause(REDIRECT_WAIT_MS_MAX, this.closing.signal)])
    return redirect(successUrlOf(this.books.session(sessionId)))
  }

  /** What a button of the page does. */
  private act(sessionId: string, action: string | undefined, method: string | undefined): void {
    const { methods } = this.books.session(sessionId).terms
    const chosen = methods.find((one) => one === method)
    if (action === "succeed" || action === "fail") this.books.settleDelayed(sessionId, action === "succeed")
    else {this.books.pay(sessionId, {
        delayed: action === "delayed",
        ...(chosen === undefined ? {} : { method: chosen })
      })}
  }
}
