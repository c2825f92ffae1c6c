/**
 * The events of the simulated Stripe: everything that happened, in order, each with a picture of its object as it was at
 * that moment. An event can be written again later, as another API version would have written it.
 */
import { randomUUID } from "node:crypto"
import type { SimulatorGates } from "../http/SimulatorGates.ts"
import type { Now } from "../http/SimulatorServer.ts"
import type { StripeObject } from "./StripeObjects.ts"
import { expanded, inVersion, omitting } from "./StripeVersions.ts"

/** Events kept; the oldest are forgotten. */
const EVENTS_MAX = 100_000

export type StripeEventType =
  | "checkout.session.completed"
  | "checkout.session.async_payment_succeeded"
  | "checkout.session.async_payment_failed"
  | "checkout.session.expired"
  | "charge.refunded"
  | "refund.updated"
  | "refund.failed"
  | "charge.dispute.created"
  | "charge.dispute.closed"

/** An event as it is sent; a test may make one up. */
export interface StripeEvent {
  readonly id: string
  readonly object: "event"
  readonly api_version: string | null
  readonly created: number
  readonly data: { readonly object: StripeObject; readonly previous_attributes?: { readonly [name: string]: unknown } }
  readonly livemode: boolean
  readonly pending_webhooks: number
  readonly request: { readonly id: string | null; readonly idempotency_key: string | null }
  readonly type: string
}

/** How an event is written when not as it first was. */
export interface EventShape {
  readonly apiVersion?: string
  /** References of the object to be written as objects: `["payment_intent"]`. */
  readonly expand?: ReadonlyArray<string>
  /** Properties of the object to be left out. */
  readonly omit?: ReadonlyArray<string>
}

export class StripeEvents {
  readonly all: Array<StripeEvent> = []
  /** Called with every new event. */
  onEvent: (event: StripeEvent) => void = () => undefined
  private readonly apiVersion: string
  private readonly now: Now
  private readonly gates: SimulatorGates
  /** The objects as they were, in every version's words. */
  private readonly pictures = new WeakMap<StripeEvent, StripeObject>()
  private request: StripeEvent["request"] = { id: null, idempotency_key: null }

  constructor(apiVersion: string, now: Now, gates: SimulatorGates) {
    this.apiVersion = apiVersion
    this.now = now
    this.gates = gates
  }

  emit(type: StripeEventType, object: StripeObject, previous?: { readonly [name: string]: unknown }): void {
    const event: StripeEvent = {
      id: `evt_1${randomUUID().replaceAll("-", "").slice(0, 23)}`,
      object: "event",
      api_version: this.apiVersion,
      created: Math.floor(this.now() / 1000),
      data: {
        object: inVersion(object, this.apiVersion),
        ...(previous === undefined ? {} : { previous_attributes: previous })
      },
      livemode: false,
      pending_webhooks: 1,
      request: this.request,
      type
    }
    this.pictures.set(event, object)
    if (this.all.length === EVENTS_MAX) this.all.shift()
    this.all.push(event)
    this.onEvent(event)
    this.gates.changed()
  }

  /** Events that `work` makes are said to come from this API request. */
  during<A>(request: { readonly id: string; readonly idempotencyKey: string | undefined }, work: () => A): A {
    const before = this.request
    this.request = { id: request.id, idempotency_key: request.idempotencyKey ?? null }
    try {
      return work()
    } finally {
      this.request = before
    }
  }

  /** The event in another shape. */
  reshaped(event: StripeEvent, shape: EventShape, find: (id: string) => StripeObject | undefined): StripeEvent {
    const { apiVersion = event.api_version ?? this.apiVersion, expand = [], omit = [] } = shape
    const picture = this.pictures.get(event) ?? event.data.object
    const object = omitting(inVersion(expanded(picture, expand, find), apiVersion), omit)
    return { ...event, api_version: apiVersion, data: { ...event.data, object } }
  }
}
