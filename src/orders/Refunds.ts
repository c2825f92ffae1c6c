/**
 * Money that root gives back through the provider it came by. A refund is on record before the provider hears of it; what the
 * buyer is debited for it goes the way of a refund that the provider tells of, and is debited once, told or not. An answer that
 * was lost leaves the refund `unknown`: Stripe is asked again under the same key, EPay by nobody but people.
 */
import { lockPayment } from "./Payments.ts"
import { attemptsOf, lockAttempts } from "./AttemptStore.ts"
import { Settlement, settling } from "./Settlement.ts"
import { Clock, Context, Effect, Fiber, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { EpayClient } from "../payments/EpayClient.ts"
import type { PaymentFact } from "../payments/PaymentFact.ts"
import { StripeClient } from "../payments/StripeClient.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { checkNote, isIdempotencyKey } from "../platform/Notes.ts"
import { Settings } from "../settings/Settings.ts"

import type { Order } from "./Order.ts"
import {
  OrderNotFound,
  RefundNotFound,
  RefundNotPossible,
  RefundReused,
  ResolutionRefused,
  type SettlementUnavailable
} from "./OrderError.ts"
import { settingsNow, unavailable } from "./Orders.ts"
import { findOrder, lockOrder } from "./OrderStore.ts"
import { isPaidAttempt, type PaidAttempt, paidAttempt, refundableMinor } from "./Refundable.ts"
import {
  doneMinor,
  findRefund,
  findRefundByKey,
  insertRefund,
  lockRefund,
  type RefundRequest,
  refundsOf,
  setRefundState
} from "./RefundStore.ts"

export type { RefundRequest, RefundState } from "./RefundStore.ts"

export interface NewRefund {
  readonly orderId: bigint
  /** In the minor unit of the payment's currency; undefined: all that is left. */
  readonly amountMinor: bigint | undefined
  readonly note: string
  /** Of this request alone: sent again, it is the same refund. */
  readonly key: string
}

export class Refunds extends Context.Service<Refunds, {
  /** Answers the refund with what became of it: `done`, `failed` or `unknown`. */
  request(
    actor: Actor,
    refund: NewRefund
  ): Effect.Effect<
    RefundRequest,
    OrderNotFound | RefundNotPossible | RefundReused | ResolutionRefused | SettlementUnavailable
  >
  /** Asks Stripe again what became of a refund without an answer, by asking for the same. */
  retry(
    actor: Actor,
    id: bigint
  ): Effect.Effect<RefundRequest, RefundNotFound | RefundNotPossible | SettlementUnavailable>
  /** What somebody found out at the provider about a refund without an answer. */
  conclude(
    actor: Actor,
    id: bigint,
    found: { readonly isDone: boolean; readonly note: string }
  ): Effect.Effect<RefundRequest, RefundNotFound | RefundNotPossible | ResolutionRefused | SettlementUnavailable>
}>()("realms/orders/Refunds") {
  static readonly layer = Layer.effect(Refunds, Effect.suspend(() => make))
}

/** Stripe keeps a key for a day at least. */
const RETRY_HOURS_MAX = 23
const HOUR_MS = 3_600_000

/** The provider has answered within this, or its answer is lost. */
const UNDER_WAY_MS_MAX = 2 * 60_000

/** What became of a refund, and at whose word. */
interface Result {
  readonly state: "done" | "failed" | "unknown"
  readonly providerRefund?: string
  readonly problem?: string
  /** Of who looked it up; absent where the provider says it. */
  readonly note?: string
}

const isWaiting = ({ state }: RefundRequest): boolean => state === "requested" || state === "unknown"

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const settings = yield* Settings
  const stripe = yield* StripeClient
  const epay = yield* EpayClient
  const settlement = yield* Settlement
  const scope = yield* Effect.scope

  const requestWithin = Effect.fnUntraced(function*(actor: Actor, asked: NewRefund, known: Order) {
    const { key, note, orderId } = asked
    yield* lockOrder(sql, known.kind, orderId)
    const before = yield* findRefundByKey(sql, key)
    if (before !== undefined) {
      const isSame = before.orderId === orderId && before.note === note &&
        (asked.amountMinor === undefined || before.amountMinor === asked.amountMinor)
      return isSame ? { refund: before, isNew: false } : yield* new RefundReused()
    }
    const attempts = yield* lockAttempts(sql, orderId)
    const order = (yield* findOrder(sql, orderId)) ?? known
    const attempt = yield* paidAttempt(order, attempts)
    const { payment } = yield* settingsNow(settings)
    const isOtherMerchant = attempt.provider === "epay" &&
      (payment.epay.partnerId !== attempt.merchant || Redacted.value(payment.epay.key) === "")
    if (isOtherMerchant) return yield* new RefundNotPossible({ why: "merchant" })
    if ((yield* refundsOf(sql, orderId)).some(isWaiting)) return yield* new RefundNotPossible({ why: "open" })
    const left = yield* refundableMinor(sql, attempt)
    if (left === 0n) return yield* new RefundNotPossible({ why: "state" })
    const amountMinor = asked.amountMinor ?? left
    if (amountMinor <= 0n || amountMinor > left) return yield* new ResolutionRefused({ reason: "amount" })
    const refund = yield* insertRefund(sql, {
      key,
      attemptId: attempt.id,
      orderId,
      amountMinor,
      note,
      requestedBy: actor.name
    })
    yield* recordChange(sql, actor, {
      action: "order.refund_requested",
      target: `order:${orderId}`,
      before: null,
      after: { refund: refund.id, amount_minor: amountMinor, currency: attempt.currency, note }
    })
    return { refund, isNew: true }
  })

  /** Asks the provider. */
  const send = Effect.fnUntraced(
    function*(refund: RefundRequest, attempt: PaidAttempt) {
      const config = (yield* settingsNow(settings)).payment
      if (attempt.provider === "epay") {
        yield* epay.refund(config.epay, { trade: attempt.payment, amountFen: refund.amountMinor })
        return { state: "done" } satisfies Result
      }
      const made = yield* stripe.refund(config.stripe, {
        payment: attempt.payment,
        amountMinor: refund.amountMinor,
        key: `realms-refund-${attempt.reference}-${refund.id}`
      })
      return made.hasFailed
        ? { state: "failed", providerRefund: made.refund, problem: "the refund failed at once" } satisfies Result
        : { state: "done", providerRefund: made.refund } satisfies Result
    },
    Effect.catchTags({
      ProviderRefused: ({ why }) => Effect.succeed<Result>({ state: "failed", problem: why }),
      ProviderOff: (error) => Effect.succeed<Result>({ state: "failed", problem: error.message }),
      ProviderUnavailable: ({ why }) => Effect.succeed<Result>({ state: "unknown", problem: why })
    })
  )

  /** All that root gave back of the payment. It carries no time: what failed of it, whenever, is to be taken off. */
  const factOf = Effect.fnUntraced(function*(refund: RefundRequest, attempt: PaidAttempt) {
    return {
      _tag: "Refunded",
      provider: attempt.provider,
      eventKey: `root:refund:${refund.id}`,
      kind: "refund.done",
      payment: attempt.payment,
      reference: attempt.reference,
      atSeconds: 0,
      amountMinor: yield* doneMinor(sql, attempt.id),
      currency: attempt.currency
    } satisfies PaymentFact
  })

  const concludeWithin = Effect.fnUntraced(function*(
    actor: Actor,
    { id, orderId }: RefundRequest,
    attempt: PaidAttempt,
    result: Result
  ) {
    yield* lockPayment(sql, attempt.payment)
    yield* lockOrder(sql, attempt.orderKind, orderId)
    const refund = yield* lockRefund(sql, id)
    if (refund === undefined) return yield* new RefundNotFound({ id })
    // A refund that went through did, whatever another answer said.
    const isNews = isWaiting(refund) || (refund.state === "failed" && result.state === "done")
    if (!isNews || refund.state === result.state) return undefined
    yield* setRefundState(sql, id, result)
    yield* recordChange(sql, actor, {
      action: `order.refund_${result.state}`,
      target: `order:${orderId}`,
      before: { refund: id, state: refund.state },
      after: {
        refund: id,
        state: result.state,
        amount_minor: refund.amountMinor,
        currency: attempt.currency,
        ...(result.providerRefund === undefined ? {} : { provider_refund: result.providerRefund }),
        ...(result.problem === undefined ? {} : { problem: result.problem }),
        ...(result.note === undefined ? {} : { note: result.note })
      }
    })
    if (result.state !== "done") return undefined
    const fact = yield* factOf(refund, attempt)
    return { fact, settled: yield* settlement.settleWithin(fact) }
  })

  const concludeBy = Effect.fnUntraced(function*(
    actor: Actor,
    refund: RefundRequest,
    attempt: PaidAttempt,
    result: Result
  ) {
    const done = yield* settling(sql, concludeWithin(actor, refund, attempt, result))
    if (done !== undefined) yield* settlement.concluded(done.fact, done.settled)
    return (yield* unavailable(findRefund(sql, refund.id))) ?? refund
  })

  /** Goes on when nobody waits any more: money that is under way is not let go of. */
  const carryOut = Effect.fnUntraced(function*(actor: Actor, refund: RefundRequest, attempt: PaidAttempt) {
    const sent = Effect.flatMap(send(refund, attempt), (result) => concludeBy(actor, refund, attempt, result)).pipe(
      Effect.catchTag("RefundNotFound", Effect.die)
    )
    return yield* Fiber.join(yield* Effect.forkIn(sent, scope))
  })

  const attemptOf = Effect.fnUntraced(function*(refund: RefundRequest) {
    const attempts = yield* unavailable(attemptsOf(sql, refund.orderId))
    const attempt = attempts.find(({ id }) => id === refund.attemptId)
    return attempt !== undefined && isPaidAttempt(attempt) ? attempt : yield* new RefundNotPossible({ why: "state" })
  })

  const waiting = Effect.fnUntraced(function*(id: bigint) {
    const refund = yield* unavailable(findRefund(sql, id))
    if (refund === undefined) return yield* new RefundNotFound({ id })
    if (!isWaiting(refund)) return yield* new RefundNotPossible({ why: "closed" })
    const ageMs = (yield* Clock.currentTimeMillis) - refund.createdAt.getTime()
    return { refund, ageMs, attempt: yield* attemptOf(refund) }
  })

  const request = Effect.fn("Refunds.request")(function*(actor: Actor, asked: NewRefund) {
    const note = checkNote(asked.note)
    if (note === undefined) return yield* new ResolutionRefused({ reason: "note" })
    if (!isIdempotencyKey(asked.key)) return yield* new ResolutionRefused({ reason: "key" })
    const known = yield* unavailable(findOrder(sql, asked.orderId))
    if (known === undefined) return yield* new OrderNotFound({ id: asked.orderId })
    const { isNew, refund } = yield* settling(sql, requestWithin(actor, { ...asked, note }, known))
    return isNew ? yield* carryOut(actor, refund, yield* attemptOf(refund)) : refund
  })

  const retry = Effect.fn("Refunds.retry")(function*(actor: Actor, id: bigint) {
    const { ageMs, attempt, refund } = yield* waiting(id)
    if (attempt.provider !== "stripe" || ageMs > RETRY_HOURS_MAX * HOUR_MS) {
      return yield* new RefundNotPossible({ why: "late" })
    }
    return yield* carryOut(actor, refund, attempt)
  })

  const conclude = Effect.fn("Refunds.conclude")(function*(
    actor: Actor,
    id: bigint,
    found: { readonly isDone: boolean; readonly note: string }
  ) {
    const note = checkNote(found.note)
    if (note === undefined) return yield* new ResolutionRefused({ reason: "note" })
    const { ageMs, attempt, refund } = yield* waiting(id)
    if (refund.state === "requested" && ageMs < UNDER_WAY_MS_MAX) return yield* new RefundNotPossible({ why: "open" })
    return yield* concludeBy(actor, refund, attempt, { state: found.isDone ? "done" : "failed", note })
  })

  return Refunds.of({ request, retry, conclude })
})
