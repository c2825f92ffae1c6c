/**
 * The API of the simulated Stripe, `/v1/*`: who may call, which paths there are, and their answers in the version the
 * request names.
 */
import { randomUUID } from "node:crypto"
import type { SimulatorReply, SimulatorRequest } from "../http/SimulatorServer.ts"
import type { StripeBooks } from "./StripeBooks.ts"
import type { StripeEvents } from "./StripeEvents.ts"
import { type Form, integerAt, parseForm, recordAt, textAt, textsAt } from "./StripeForm.ts"
import { StripeIdempotency } from "./StripeIdempotency.ts"
import { refundObject, sessionObject, type StripeObject } from "./StripeObjects.ts"
import {
  errorBody,
  invalid,
  noSuchUrl,
  notFound,
  type StripeRefusal,
  StripeRefused,
  unauthorized
} from "./StripeRefused.ts"
import { checkForm, type Fields } from "./StripeShape.ts"
import { termsOf } from "./StripeTerms.ts"
import { expanded, inVersion } from "./StripeVersions.ts"

export interface StripeApiOptions {
  readonly secretKey: string
  readonly apiVersion: string
  /** The address of a session's page. */
  readonly pageOf: (sessionId: string) => string
}

const refundListShape: Fields = {
  fields: { payment_intent: "text", charge: "text", limit: "integer", starting_after: "text", expand: { list: "text" } }
}

/** Refunds in one page when the request does not say. */
const PAGE = 10

const expandOnly: Fields = { fields: { expand: { list: "text" } } }

const refundShape: Fields = {
  fields: {
    payment_intent: "text",
    charge: "text",
    amount: "integer",
    reason: "text",
    metadata: "metadata",
    expand: { list: "text" },
    currency: "whatever",
    customer: "whatever",
    instructions_email: "whatever",
    origin: "whatever",
    refund_application_fee: "whatever",
    reverse_transfer: "whatever"
  }
}
const refundReasons = ["duplicate", "fraudulent", "requested_by_customer"]

const kinds: { readonly [collection: string]: string } = {
  "checkout/sessions": "checkout.session",
  payment_intents: "payment_intent",
  charges: "charge",
  refunds: "refund",
  disputes: "dispute"
}

const balance: StripeObject = {
  object: "balance",
  available: [{ amount: 0, currency: "cny", source_types: { card: 0 } }],
  livemode: false,
  pending: [{ amount: 0, currency: "cny", source_types: { card: 0 } }]
}

const header = (request: SimulatorRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** The API version a request names. */
export const versionOf = (request: SimulatorRequest): string | undefined => header(request, "stripe-version")
export const idempotencyKeyOf = (request: SimulatorRequest): string | undefined => header(request, "idempotency-key")

export class StripeApi {
  private readonly idempotency = new StripeIdempotency()
  private readonly books: StripeBooks
  private readonly events: StripeEvents
  private readonly options: StripeApiOptions

  constructor(books: StripeBooks, events: StripeEvents, options: StripeApiOptions) {
    this.books = books
    this.events = events
    this.options = options
  }

  answer(request: SimulatorRequest): SimulatorReply {
    const requestId = `req_${randomUUID().replaceAll("-", "").slice(0, 14)}`
    try {
      this.authorize(request)
      const key = request.method === "POST" ? idempotencyKeyOf(request) : undefined
      if (key === undefined) return this.reply(request, requestId, 200, this.perform(request, requestId))
      const replayed = this.idempotency.replay(key, request)
      if (replayed !== undefined) return replayed
      const reply = this.reply(request, requestId, 200, this.perform(request, requestId))
      this.idempotency.keep(key, request, reply)
      return reply
    } catch (cause) {
      if (cause instanceof StripeRefused) return this.refused(request, cause.refusal, requestId)
      throw cause
    }
  }

  /** The answer to a request that is refused. */
  refused(request: SimulatorRequest, refusal: StripeRefusal, requestId = "req_refused"): SimulatorReply {
    return this.reply(request, requestId, refusal.status, errorBody(refusal))
  }

  private reply(request: SimulatorRequest, requestId: string, status: number, body: string): SimulatorReply {
    const key = idempotencyKeyOf(request)
    return {
      status,
      headers: {
        "content-type": "application/json",
        "request-id": requestId,
        "stripe-version": this.version(request),
        ...(key === undefined ? {} : { "idempotency-key": key })
      },
      body
    }
  }

  private version(request: SimulatorRequest): string {
    return versionOf(request) ?? this.options.apiVersion
  }

  private authorize(request: SimulatorRequest): void {
    const [scheme, key] = (request.headers.authorization ?? "").split(" ")
    const given = scheme === "Bearer" && key !== "" ? key : undefined
    if (given !== this.options.secretKey) throw new StripeRefused(unauthorized(given))
  }

  private perform(request: SimulatorRequest, id: string): string {
    const form = parseForm(request.method === "POST" ? request.body : request.query)
    const version = this.version(request)
    const object = request.method === "POST"
      ? this.events.during(
        { id, idempotencyKey: idempotencyKeyOf(request) },
        () => this.post(request.path, form, version)
      )
      : request.method === "GET"
      ? this.get(request.path, form)
      : undefined
    if (object === undefined) throw new StripeRefused(noSuchUrl(request.method, request.path))
    const whole = expanded(object, textsAt(form, "expand"), (found) => this.books.find(found))
    return JSON.stringify(inVersion(whole, version), undefined, 2)
  }

  private get(path: string, form: Form): StripeObject | undefined {
    if (path === "/v1/refunds") return this.listRefunds(form)
    checkForm(expandOnly, form)
    if (path === "/v1/balance") return balance
    const [, collection = "", id = ""] = /^\/v1\/(checkout\/sessions|[a-z_]+)\/([^/]+)$/.exec(path) ?? []
    const kind = Object.hasOwn(kinds, collection) ? kinds[collection] : undefined
    if (kind === undefined) return undefined
    const object = this.books.find(id)
    if (object?.object !== kind) throw new StripeRefused(notFound(kind, id))
    return object
  }

  /** Newest first, in pages. */
  private listRefunds(form: Form): StripeObject {
    checkForm(refundListShape, form)
    const { refunds } = this.books.payment({
      paymentIntent: textAt(form, "payment_intent"),
      charge: textAt(form, "charge")
    })
    const all = refunds.map(refundObject).toReversed()
    const after = textAt(form, "starting_after")
    const from = after === undefined ? 0 : all.findIndex(({ id }) => id === after) + 1
    const to = from + (integerAt(form, "limit") ?? PAGE)
    return { object: "list", data: all.slice(from, to), has_more: to < all.length, url: "/v1/refunds" }
  }

  private post(path: string, form: Form, version: string): StripeObject | undefined {
    if (path === "/v1/checkout/sessions") {
      return sessionObject(this.books.open(termsOf(form, version, this.books.nowSeconds), this.options.pageOf))
    }
    if (path === "/v1/refunds") return this.refund(form)
    const [, sessionId] = /^\/v1\/checkout\/sessions\/([^/]+)\/expire$/.exec(path) ?? []
    if (sessionId === undefined) return undefined
    checkForm(expandOnly, form)
    return sessionObject(this.books.expire(sessionId))
  }

  private refund(form: Form): StripeObject {
    checkForm(refundShape, form)
    const reason = textAt(form, "reason")
    if (reason !== undefined && !refundReasons.includes(reason)) {
      throw new StripeRefused(
        invalid(`Invalid reason: must be one of ${refundReasons.join(", ")}`, undefined, "reason")
      )
    }
    const refund = this.books.refund({
      paymentIntent: textAt(form, "payment_intent"),
      charge: textAt(form, "charge"),
      amount: integerAt(form, "amount"),
      reason,
      metadata: recordAt(form, "metadata")
    })
    return refundObject(refund)
  }
}
