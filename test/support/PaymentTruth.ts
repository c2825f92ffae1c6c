/**
 * What users and providers did, kept apart from any database: who paid what for which order, what was refunded and disputed,
 * and what was told of it. It computes what the books have to say in the plainest way, from the acts and not from the
 * messages, so that it can disagree with a settlement that is wrong.
 */
import type { Attempt, Order } from "../../src/orders/Order.ts"
import type { DisputeTold, PaymentFact, PaymentSource, RefundTold } from "../../src/payments/PaymentFact.ts"

export interface TruePayment {
  readonly id: string
  readonly of: TrueOrder
  readonly provider: PaymentSource
  readonly paid: Extract<PaymentFact, { _tag: "Paid" }>
  /** Exactly what was asked for. */
  readonly isRight: boolean
  /** Its reference is not ours: at Stripe it may be another shop's. */
  readonly isForeign: boolean
  readonly refunds: Array<{ readonly id: string; readonly amountMinor: bigint; failed: boolean }>
  readonly disputes: Array<{ readonly id: string; readonly amountMinor: bigint; state: "open" | "won" | "lost" }>
}

export interface TrueOrder {
  readonly order: Order
  /** What it is while nobody has paid it. */
  unpaid: "pending" | "cancelled" | "expired"
  /** The payment that has fulfilled it. */
  winner: TruePayment | undefined
}

const least = (a: bigint, b: bigint): bigint => a < b ? a : b

const sum = (amounts: ReadonlyArray<bigint>): bigint => amounts.reduce((total, amount) => total + amount, 0n)

/** The kinds of payments that may come in for an attempt. */
export type Mistake = "none" | "amount" | "currency" | "merchant" | "reference"

export class PaymentTruth {
  readonly orders: Array<TrueOrder> = []
  readonly payments: Array<TruePayment> = []
  readonly attempts = new Map<string, { readonly attempt: Attempt; readonly of: TrueOrder }>()
  /** Said by a provider, not yet delivered. */
  readonly outbox: Array<PaymentFact> = []
  readonly delivered: Array<PaymentFact> = []
  /** How often each event was delivered. */
  readonly deliveries = new Map<string, number>()
  private seconds = 1_000
  private ids = 0
  private readonly run: string

  constructor(run: string) {
    this.run = run
  }

  private id(kind: string): string {
    return `${kind}_${this.run}_${++this.ids}`
  }

  private identity(provider: PaymentSource, payment: string | null, reference: string | null) {
    const atSeconds = ++this.seconds
    return { provider, eventKey: this.id("evt"), kind: "test", payment, reference, atSeconds }
  }

  pay(attempt: Attempt, of: TrueOrder, mistake: Mistake): void {
    const paid = {
      _tag: "Paid" as const,
      ...this.identity(
        attempt.provider,
        this.id("pay"),
        mistake === "reference" ? "topup_0_unknown" : attempt.reference
      ),
      merchant: mistake === "merchant" ? "another" : attempt.provider === "epay" ? attempt.merchant : null,
      method: null,
      amountMinor: attempt.amountMinor - (mistake === "amount" ? 1n : 0n),
      currency: mistake === "currency" ? "jpy" : attempt.currency
    }
    this.payments.push({
      id: paid.payment ?? "",
      of,
      provider: attempt.provider,
      paid,
      isRight: mistake === "none",
      isForeign: mistake === "reference" && attempt.provider === "stripe",
      refunds: [],
      disputes: []
    })
    this.outbox.push(paid)
  }

  /** Another event about the same payment, as a webhook and an answer to a question are. */
  payAgain(payment: TruePayment): void {
    this.outbox.push({ ...payment.paid, eventKey: this.id("evt") })
  }

  tell(attempt: Attempt, tag: "Processing" | "Ended"): void {
    this.outbox.push({ _tag: tag, ...this.identity(attempt.provider, null, attempt.reference) })
  }

  /** `share` is in thousandths of what is left of the payment. */
  refund(payment: TruePayment, share: number): void {
    const left = payment.paid.amountMinor - this.refunded(payment)
    const amountMinor = share > 700 ? left : (left * BigInt(share)) / 1_000n
    if (amountMinor <= 0n) return
    const id = this.id("re")
    payment.refunds.push({ id, amountMinor, failed: false })
    this.tellRefund(payment, { refund: id, state: "succeeded", amountMinor })
  }

  /** A refund in a currency that the payment was not made in, which may count for nothing. */
  refundMisread(payment: TruePayment): void {
    const { amountMinor } = payment.paid
    this.tellRefund(payment, { refund: this.id("re"), state: "succeeded", amountMinor, currency: "jpy" })
  }

  failRefund(payment: TruePayment, pick: number): void {
    const refund = payment.refunds[pick % Math.max(1, payment.refunds.length)]
    if (refund === undefined || refund.failed) return
    refund.failed = true
    const { amountMinor, id } = refund
    this.tellRefund(payment, { refund: id, state: "failed", amountMinor })
  }

  private tellRefund(
    payment: TruePayment,
    told: Pick<RefundTold, "amountMinor" | "refund" | "state"> & { readonly currency?: string }
  ): void {
    this.outbox.push({ ...this.about(payment, "refund.updated"), _tag: "Refund", own: null, ...told })
  }

  dispute(payment: TruePayment, share: number): void {
    const { paid } = payment
    const amountMinor = share > 500 ? paid.amountMinor : 1n + (paid.amountMinor * BigInt(share)) / 1_000n
    const dispute = this.id("dp")
    payment.disputes.push({ id: dispute, amountMinor, state: "open" })
    this.tellDispute(payment, "charge.dispute.created", { dispute, amountMinor, status: "needs_response" })
  }

  closeDispute(payment: TruePayment, won: boolean): void {
    const dispute = payment.disputes.find(({ state }) => state === "open")
    if (dispute === undefined) return
    dispute.state = won ? "won" : "lost"
    const { amountMinor, id, state } = dispute
    this.tellDispute(payment, "charge.dispute.closed", { dispute: id, amountMinor, status: state })
  }

  private tellDispute(
    payment: TruePayment,
    kind: string,
    told: Pick<DisputeTold, "amountMinor" | "dispute" | "status">
  ): void {
    this.outbox.push({
      ...this.about(payment, kind),
      _tag: "Dispute",
      takenMinor: null,
      reason: "fraudulent",
      dueBySeconds: null,
      ...told
    })
  }

  /** Who is asked whose payment it is says the reference, where an event does not carry it. */
  private about(payment: TruePayment, kind: string) {
    const { currency, reference } = payment.paid
    return { ...this.identity(payment.provider, payment.id, reference), kind, currency }
  }

  private refunded(payment: TruePayment): bigint {
    return sum(payment.refunds.filter(({ failed }) => !failed).map(({ amountMinor }) => amountMinor))
  }

  backMinor(payment: TruePayment): bigint {
    const disputed = sum(payment.disputes.filter(({ state }) => state !== "won").map(({ amountMinor }) => amountMinor))
    return least(payment.paid.amountMinor, this.refunded(payment) + disputed)
  }

  /** What a right payment of an order is worth: micros of credit, or a plan's price in fen. */
  worth({ order }: TrueOrder): bigint {
    return order.kind === "topup" ? order.creditMicros : order.amountFen
  }

  debitMicros(payment: TruePayment): bigint {
    const { order } = payment.of
    return order.kind === "topup" ? (order.creditMicros * this.backMinor(payment)) / payment.paid.amountMinor : 0n
  }

  stateOf({ order, unpaid, winner }: TrueOrder): string {
    if (winner === undefined) return unpaid
    if (winner.disputes.some(({ state }) => state === "open")) return "disputed"
    if (this.backMinor(winner) >= winner.paid.amountMinor) return "refunded"
    return order.kind === "topup" ? "paid" : "active"
  }

  /** What is left of a plan that a payment has bought. */
  planOf(winner: TruePayment): string {
    if (this.backMinor(winner) < winner.paid.amountMinor) return "active"
    return winner.disputes.some(({ state }) => state === "open") ? "suspended" : "ended"
  }

  paymentOf(fact: PaymentFact): TruePayment | undefined {
    return this.payments.find(({ id }) => id === fact.payment)
  }
}
