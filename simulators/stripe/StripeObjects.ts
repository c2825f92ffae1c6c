/**
 * What the simulated Stripe keeps of a payment, and how it shows it: sessions, payment intents, charges, refunds and
 * disputes as the API and the webhooks write them. An object is written whole, in every version's words at once;
 * `inVersion` leaves out what a version does not have.
 */
import type { Stripe } from "stripe"
import type { Metadata, SessionTerms } from "./StripeTerms.ts"

/** An object as JSON. */
export interface StripeObject {
  readonly object: string
  readonly [name: string]: unknown
}

export interface SessionRecord {
  readonly id: string
  readonly url: string
  readonly terms: SessionTerms
  status: "open" | "complete" | "expired"
  payment: PaymentRecord | undefined
}

/** A payment intent and its one charge. */
export interface PaymentRecord {
  readonly intentId: string
  readonly chargeId: string
  readonly session: SessionRecord
  readonly createdSeconds: number
  readonly method: string
  status: "processing" | "succeeded" | "failed"
  readonly refunds: Array<RefundRecord>
  readonly disputes: Array<DisputeRecord>
}

export interface RefundRecord {
  readonly id: string
  readonly payment: PaymentRecord
  readonly createdSeconds: number
  readonly amount: number
  readonly reason: string | null
  readonly metadata: Metadata
  status: "succeeded" | "failed"
}

export interface DisputeRecord {
  readonly id: string
  readonly payment: PaymentRecord
  readonly createdSeconds: number
  readonly amount: number
  status: "needs_response" | "won" | "lost"
}

/** What has been given back so far. */
export const amountRefunded = ({ refunds }: PaymentRecord): number =>
  refunds.reduce((sum, refund) => refund.status === "succeeded" ? sum + refund.amount : sum, 0)

const listOf = <A extends StripeObject>(url: string, data: ReadonlyArray<A>) => ({
  object: "list",
  data,
  has_more: false,
  url
})

export const sessionObject = (session: SessionRecord) =>
  ({
    id: session.id,
    object: "checkout.session",
    adaptive_pricing: { enabled: false },
    allow_promotion_codes: false,
    amount_subtotal: session.terms.amountTotal,
    amount_total: session.terms.amountTotal,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    cancel_url: session.terms.cancelUrl,
    client_reference_id: session.terms.clientReferenceId,
    created: session.terms.createdSeconds,
    currency: session.terms.currency,
    customer: null,
    customer_email: session.terms.customerEmail,
    expires_at: session.terms.expiresAtSeconds,
    livemode: false,
    metadata: session.terms.metadata,
    mode: "payment",
    payment_intent: session.payment?.intentId ?? null,
    payment_method_types: [...session.terms.methods],
    payment_status: session.payment?.status === "succeeded" ? "paid" : "unpaid",
    status: session.status,
    success_url: session.terms.successUrl,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    ui_mode: "hosted_page",
    url: session.status === "open" ? session.url : null
  }) satisfies Partial<Stripe.Checkout.Session>

const intentStatus = { processing: "processing", succeeded: "succeeded", failed: "requires_payment_method" } as const

export const intentObject = (payment: PaymentRecord) => {
  const { amountTotal, currency, intentMetadata, methods } = payment.session.terms
  return {
    id: payment.intentId,
    object: "payment_intent",
    amount: amountTotal,
    amount_capturable: 0,
    amount_received: payment.status === "succeeded" ? amountTotal : 0,
    capture_method: "automatic_async",
    charges: listOf(`/v1/charges?payment_intent=${payment.intentId}`, [chargeObject(payment)]),
    confirmation_method: "automatic",
    created: payment.createdSeconds,
    currency,
    customer: null,
    description: null,
    latest_charge: payment.chargeId,
    livemode: false,
    metadata: intentMetadata,
    payment_method_types: [...methods],
    status: intentStatus[payment.status]
  } satisfies Partial<Stripe.PaymentIntent> & { readonly charges: unknown }
}

const chargeStatus = { processing: "pending", succeeded: "succeeded", failed: "failed" } as const

export const chargeObject = (payment: PaymentRecord) => {
  const { amountTotal, currency, intentMetadata } = payment.session.terms
  const refunded = amountRefunded(payment)
  return {
    id: payment.chargeId,
    object: "charge",
    amount: amountTotal,
    amount_captured: payment.status === "succeeded" ? amountTotal : 0,
    amount_refunded: refunded,
    captured: payment.status === "succeeded",
    created: payment.createdSeconds,
    currency,
    customer: null,
    disputed: payment.disputes.length > 0,
    failure_code: null,
    livemode: false,
    metadata: intentMetadata,
    paid: payment.status === "succeeded",
    payment_intent: payment.intentId,
    refunded: refunded === amountTotal,
    refunds: listOf(`/v1/charges/${payment.chargeId}/refunds`, payment.refunds.map(refundObject).toReversed()),
    status: chargeStatus[payment.status]
  } satisfies Partial<Omit<Stripe.Charge, "refunds">> & { readonly refunds: unknown }
}

export const refundObject = (refund: RefundRecord) =>
  ({
    id: refund.id,
    object: "refund",
    amount: refund.amount,
    charge: refund.payment.chargeId,
    created: refund.createdSeconds,
    currency: refund.payment.session.terms.currency,
    metadata: refund.metadata,
    payment_intent: refund.payment.intentId,
    reason: refund.reason,
    status: refund.status,
    ...(refund.status === "failed" ? { failure_reason: "declined" } : {})
  }) satisfies { readonly [name in keyof Stripe.Refund]?: unknown }

export const disputeObject = (dispute: DisputeRecord) =>
  ({
    id: dispute.id,
    object: "dispute",
    amount: dispute.amount,
    balance_transactions: [],
    charge: dispute.payment.chargeId,
    created: dispute.createdSeconds,
    currency: dispute.payment.session.terms.currency,
    is_charge_refundable: false,
    livemode: false,
    metadata: {},
    payment_intent: dispute.payment.intentId,
    reason: "fraudulent",
    status: dispute.status
  }) satisfies Partial<Stripe.Dispute>
