/**
 * What happened to the money at the simulated Stripe: sessions, payments, refunds and disputes, and the only ways they
 * change. Every change makes its events; what Stripe would not do throws `StripeRefused`.
 */
import { randomUUID } from "node:crypto"
import type { Now } from "../http/SimulatorServer.ts"
import type { StripeEvents } from "./StripeEvents.ts"
import {
  amountRefunded,
  chargeObject,
  disputeObject,
  type DisputeRecord,
  intentObject,
  type PaymentRecord,
  refundObject,
  type RefundRecord,
  sessionObject,
  type SessionRecord,
  type StripeObject
} from "./StripeObjects.ts"
import { invalid, notFound, type StripeRefusal, StripeRefused } from "./StripeRefused.ts"
import type { Metadata, SessionTerms } from "./StripeTerms.ts"

export interface RefundOrder {
  /** One of the two. */
  readonly paymentIntent?: string | undefined
  readonly charge?: string | undefined
  /** All that is left, when not said. */
  readonly amount?: number | undefined
  readonly reason?: string | undefined
  readonly metadata?: Metadata | undefined
}

const random = (characters: number): string => `${randomUUID()}${randomUUID()}`.replaceAll("-", "").slice(0, characters)

const refuse = (refusal: StripeRefusal): never => {
  throw new StripeRefused(refusal)
}

export class StripeBooks {
  readonly sessions = new Map<string, SessionRecord>()
  private readonly payments = new Map<string, PaymentRecord>()
  private readonly refunds = new Map<string, RefundRecord>()
  private readonly disputes = new Map<string, DisputeRecord>()
  private readonly events: StripeEvents
  private readonly now: Now

  constructor(events: StripeEvents, now: Now) {
    this.events = events
    this.now = now
  }

  get nowSeconds(): number {
    return Math.floor(this.now() / 1000)
  }

  /** The object with that id, whatever it is. */
  find(id: string): StripeObject | undefined {
    const payment = this.payments.get(id)
    if (payment !== undefined) return payment.chargeId === id ? chargeObject(payment) : intentObject(payment)
    const session = this.sessions.get(id)
    if (session !== undefined) return sessionObject(this.session(id))
    const refund = this.refunds.get(id)
    if (refund !== undefined) return refundObject(refund)
    const dispute = this.disputes.get(id)
    return dispute === undefined ? undefined : disputeObject(dispute)
  }

  open(terms: SessionTerms, pageOf: (id: string) => string): SessionRecord {
    const id = `cs_test_a1${random(56)}`
    const session: SessionRecord = {
      id,
      url: pageOf(id),
      terms,
      status: "open",
      payment: undefined
    }
    this.sessions.set(id, session)
    return session
  }

  /** A session as it is now: one whose time is over expires when it is looked at. */
  session(id: string): SessionRecord {
    const session = this.sessions.get(id) ?? refuse(notFound("checkout.session", id, "session"))
    if (session.status === "open" && this.nowSeconds >= session.terms.expiresAtSeconds) this.close(session)
    return session
  }

  expire(id: string): SessionRecord {
    const session = this.openSession(id, "expired")
    this.close(session)
    return session
  }

  /** The customer pays. By a delayed method the session is complete and the money still to come. */
  pay(
    id: string,
    { delayed = false, method }: { readonly delayed?: boolean; readonly method?: string }
  ): PaymentRecord {
    const session = this.openSession(id, "paid")
    const payment: PaymentRecord = {
      intentId: `pi_3${random(23)}`,
      chargeId: `ch_3${random(23)}`,
      session,
      createdSeconds: this.nowSeconds,
      method: method ?? session.terms.methods[0] ?? "card",
      status: delayed ? "processing" : "succeeded",
      refunds: [],
      disputes: []
    }
    session.status = "complete"
    session.payment = payment
    this.payments.set(payment.intentId, payment).set(payment.chargeId, payment)
    this.events.emit("checkout.session.completed", sessionObject(session))
    return payment
  }

  /** The money of a delayed payment arrives, or does not. */
  settleDelayed(id: string, arrived: boolean): PaymentRecord {
    const session = this.session(id)
    const { payment } = session
    if (payment?.status !== "processing") {
      throw new StripeRefused(invalid(`The Checkout Session '${id}' has no payment under way.`))
    }
    payment.status = arrived ? "succeeded" : "failed"
    this.events.emit(
      arrived ? "checkout.session.async_payment_succeeded" : "checkout.session.async_payment_failed",
      sessionObject(session)
    )
    return payment
  }

  /** A payment by its intent or its charge. */
  payment({ charge, paymentIntent }: RefundOrder): PaymentRecord {
    const id = paymentIntent ?? charge
    if (id === undefined) {
      return refuse(
        invalid(
          "One of the following params should be provided for this request: payment_intent or charge.",
          "parameter_missing"
        )
      )
    }
    const payment = this.payments.get(id)
    const isKind = id === (paymentIntent === undefined ? payment?.chargeId : payment?.intentId)
    if (payment !== undefined && isKind) return payment
    return refuse(
      paymentIntent === undefined ? notFound("charge", id, "charge") : notFound("payment_intent", id, "payment_intent")
    )
  }

  refund(order: RefundOrder): RefundRecord {
    const payment = this.payment(order)
    const before = amountRefunded(payment)
    const left = payment.session.terms.amountTotal - before
    const amount = order.amount ?? left
    if (payment.status !== "succeeded") {
      refuse(invalid(`This PaymentIntent (${payment.intentId}) does not have a successful charge to refund.`))
    }
    if (left === 0) refuse(invalid(`Charge ${payment.chargeId} has already been refunded.`, "charge_already_refunded"))
    if (payment.disputes.some((dispute) => dispute.status !== "won")) {
      refuse(invalid(`Charge ${payment.chargeId} has been charged back; cannot issue a refund.`, "charge_disputed"))
    }
    if (!Number.isSafeInteger(amount) || amount < 1) {
      refuse(invalid("Invalid positive integer", "parameter_invalid_integer", "amount"))
    }
    if (amount > left) {
      refuse(
        invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`, undefined, "amount")
      )
    }
    const refund: RefundRecord = {
      id: `re_3${random(23)}`,
      payment,
      createdSeconds: this.nowSeconds,
      amount,
      reason: order.reason ?? null,
      metadata: order.metadata ?? {},
      status: "succeeded"
    }
    payment.refunds.push(refund)
    this.refunds.set(refund.id, refund)
    this.events.emit("charge.refunded", chargeObject(payment), { amount_refunded: before })
    this.events.emit("refund.updated", refundObject(refund))
    return refund
  }

  /** The customer's bank sends a refund back. */
  failRefund(id: string): RefundRecord {
    const refund = this.refunds.get(id) ?? refuse(notFound("refund", id))
    if (refund.status === "failed") refuse(invalid(`The refund '${id}' has failed already.`))
    refund.status = "failed"
    this.events.emit("refund.failed", refundObject(refund))
    this.events.emit("refund.updated", refundObject(refund), { status: "succeeded" })
    return refund
  }

  /** The customer disputes the payment: all of it, when no amount is said. */
  dispute(order: { readonly paymentIntent: string; readonly amount?: number }): DisputeRecord {
    const payment = this.payment(order)
    const { amountTotal } = payment.session.terms
    const amount = order.amount ?? amountTotal
    if (payment.status !== "succeeded" || amount < 1 || amount > amountTotal) {
      refuse(invalid(`The payment '${payment.intentId}' cannot be disputed for ${amount}.`))
    }
    const dispute: DisputeRecord = {
      id: `du_1${random(23)}`,
      payment,
      createdSeconds: this.nowSeconds,
      amount,
      status: "needs_response"
    }
    payment.disputes.push(dispute)
    this.disputes.set(dispute.id, dispute)
    this.events.emit("charge.dispute.created", disputeObject(dispute))
    return dispute
  }

  closeDispute(id: string, outcome: "won" | "lost"): DisputeRecord {
    const dispute = this.disputes.get(id) ?? refuse(notFound("dispute", id, "dispute"))
    if (dispute.status !== "needs_response") refuse(invalid(`The dispute '${id}' is already closed.`))
    dispute.status = outcome
    this.events.emit("charge.dispute.closed", disputeObject(dispute), { status: "needs_response" })
    return dispute
  }

  private close(session: SessionRecord): void {
    session.status = "expired"
    this.events.emit("checkout.session.expired", sessionObject(session))
  }

  private openSession(id: string, verb: string): SessionRecord {
    const session = this.session(id)
    return session.status === "open" ? session : refuse(
      invalid(
        `Only Checkout Sessions with a status in ["open"] can be ${verb}. ` +
          `This Checkout Session has a status of \`${session.status}\`.`
      )
    )
  }
}
