/**
 * The start of a payment: an attempt bound to one provider, amount, currency, merchant and unguessable reference, written down
 * before the provider hears of it, so that whatever comes back finds it.
 */
import { Clock, Context, DateTime, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { randomBytes } from "node:crypto"
import type { OrderId, UserId } from "../domain/Ids.ts"
import { divideUp, formatCny, MICROS_SCALE, parseDecimal } from "../domain/Money.ts"
import type { TooManyAttempts } from "../identity/IdentityError.ts"
import { RateLimiter } from "../identity/RateLimiter.ts"
import { hostOf } from "../payments/EpayGateway.ts"
import { type EpayForm, epayForm } from "../payments/EpayStart.ts"
import { ProviderOff, ProviderRefused, type ProviderUnavailable } from "../payments/PaymentError.ts"
import { stripeAccountOf, StripeClient } from "../payments/StripeClient.ts"
import { PublicAddress } from "../platform/PublicAddress.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings } from "../settings/Settings.ts"
import { insertAttempt, lockAttempts, moveAttemptById, type NewAttempt } from "./AttemptStore.ts"
import type { Attempt, Order } from "./Order.ts"
import { OrderClosed, OrderNotFound, OrderProcessing, TooManyOpen } from "./OrderError.ts"
import { findOrder, lockOrder } from "./OrderStore.ts"
import { CheckoutSessions } from "./CheckoutSessions.ts"
import { Settlement } from "./Settlement.ts"

/** Who starts a payment. */
export interface Payer {
  readonly userId: UserId
  /** The IP address as text; empty where it is not known. */
  readonly address: string
}

/** Where the payer goes: a page to open, or a form to post. */
export type PaymentStart =
  | { readonly type: "redirect"; readonly url: string }
  | ({ readonly type: "form" } & EpayForm)

export type StartError =
  | OrderNotFound
  | OrderClosed
  | OrderProcessing
  | TooManyOpen
  | ProviderOff
  | ProviderRefused
  | ProviderUnavailable
  | DatabaseUnavailable

export class Checkout extends Context.Service<Checkout, {
  /** Starts a payment by EPay with one of its methods; the same method again gives the same attempt. */
  startEpay(orderId: OrderId, viewer: UserId | undefined, method: string): Effect.Effect<PaymentStart, StartError>
  /**
   * Starts a payment by Stripe. An open session is used again for the same account, currency, amount and rate. Stripe is asked each time,
   * and answers an account only so often: a payer may start so often as `rateLimits.checkout` says. Undefined: the command line.
   */
  startStripe(orderId: OrderId, payer: Payer | undefined): Effect.Effect<PaymentStart, StartError | TooManyAttempts>
}>()("realms/orders/Checkout") {
  static readonly layer = Layer.effect(Checkout)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings
    const address = yield* PublicAddress
    const stripe = yield* StripeClient
    const sessions = yield* CheckoutSessions
    const settlement = yield* Settlement
    const limits = yield* RateLimiter

    const pageOf = (order: Order): string => `${address.url()}/pay/${order.kind}/${order.id}`

    /** The attempt to go on with: one of the order's that `fits`, else a new one. The order is seen to be payable. */
    const attemptFor = Effect.fnUntraced(function*(
      orderId: OrderId,
      viewer: UserId | undefined,
      wanted: (order: Order) => Omit<NewAttempt, "order" | "reference">,
      fits: (attempt: Attempt) => boolean
    ) {
      const known = yield* findOrder(sql, orderId)
      if (known === undefined || (viewer !== undefined && known.userId !== viewer)) {
        return yield* new OrderNotFound({ id: orderId })
      }
      return yield* inTransaction(
        sql,
        Effect.gen(function*() {
          const order = (yield* lockOrder(sql, known.kind, orderId)) ?? known
          const nowMs = yield* Clock.currentTimeMillis
          if (order.state !== "pending") return yield* new OrderClosed({ id: orderId, state: order.state })
          if (order.expiresAt.getTime() <= nowMs) return yield* new OrderClosed({ id: orderId, state: "expired" })
          const attempts = yield* lockAttempts(sql, orderId)
          if (attempts.some((attempt) => attempt.state === "processing")) {
            return yield* new OrderProcessing({ id: orderId })
          }
          const asked = wanted(order)
          const open = attempts.find((attempt) =>
            attempt.state === "open" && attempt.provider === asked.provider && attempt.method === asked.method &&
            attempt.amountMinor === asked.amountMinor && attempt.currency === asked.currency &&
            attempt.gateway === asked.gateway && attempt.merchant === asked.merchant &&
            attempt.minorPerFen === asked.minorPerFen && fits(attempt)
          )
          if (open !== undefined) return { order, attempt: open }
          if (attempts.length >= ATTEMPTS_MAX) {
            return yield* new TooManyOpen({ what: "payment attempts of this order" })
          }
          return { order, attempt: yield* insertAttempt(sql, { ...asked, order, reference: makeReference(order) }) }
        })
      )
    }, orUnavailable)

    const startEpay = Effect.fn("Checkout.startEpay")(
      function*(orderId: OrderId, viewer: UserId | undefined, method: string) {
        const config = (yield* settings.fresh).payment.epay
        if (!config.enabled) return yield* new ProviderOff({ provider: "epay" })
        if (!config.types.includes(method)) {
          return yield* new ProviderRefused({ provider: "epay", why: `pay by one of ${config.types.join(", ")}` })
        }
        const { attempt, order } = yield* attemptFor(orderId, viewer, (asked) => ({
          provider: "epay",
          method,
          amountMinor: asked.amountFen,
          currency: "cny",
          gateway: hostOf(config),
          merchant: config.partnerId,
          minorPerFen: "1",
          sessionExpiresAt: null
        }), () => true)
        const form = yield* epayForm(config, {
          reference: attempt.reference,
          method,
          amountFen: order.amountFen,
          name: nameOf(order),
          notifyUrl: `${address.url()}/api/pay/epay/notify`,
          returnUrl: pageOf(order)
        })
        return { type: "form", ...form } satisfies PaymentStart
      }
    )

    const open = Effect.fnUntraced(function*(order: Order, attempt: Attempt, expiresAt: Date) {
      const created = yield* stripe.create((yield* settings.fresh).payment.stripe, {
        reference: attempt.reference,
        amountMinor: attempt.amountMinor,
        currency: attempt.currency,
        name: nameOf(order),
        successUrl: pageOf(order),
        cancelUrl: pageOf(order),
        expiresAtSeconds: Math.floor(expiresAt.getTime() / 1_000)
      }).pipe(
        // What Stripe refuses for good it refuses again: the next start makes another attempt.
        Effect.tapErrorTag(
          "ProviderRefused",
          () => Effect.ignore(moveAttemptById(sql, attempt.id, { _tag: "Refused" }))
        )
      )
      const session = { id: created.session, url: created.url }
      yield* orUnavailable(moveAttemptById(sql, attempt.id, { _tag: "Opened" }, { session }))
      const now = yield* orUnavailable(findOrder(sql, order.id))
      if (now !== undefined && now.state !== "pending") {
        yield* sessions.closeOf(order.id)
        return yield* new OrderClosed({ id: order.id, state: now.state })
      }
      return { type: "redirect", url: created.url } satisfies PaymentStart
    })

    /** A session that was opened before: handed out again only when Stripe says that it is still open. */
    const reopen = Effect.fnUntraced(function*(order: Order, session: string) {
      const now = yield* stripe.retrieve((yield* settings.fresh).payment.stripe, session)
      if (now.state === "open" && now.url !== undefined) {
        return { type: "redirect", url: now.url } satisfies PaymentStart
      }
      if (now.fact !== undefined) yield* settlement.settle(now.fact)
      if (now.state === "processing") return yield* new OrderProcessing({ id: order.id })
      if (now.state === "paid") return yield* new OrderClosed({ id: order.id, state: "paid" })
      return undefined
    })

    const askStripe = Effect.fnUntraced(function*(orderId: OrderId, viewer: UserId | undefined) {
      const config = (yield* settings.fresh).payment.stripe
      if (!config.enabled || Redacted.value(config.secretKey) === "") {
        return yield* new ProviderOff({ provider: "stripe" })
      }
      const nowMs = yield* Clock.currentTimeMillis
      const expiryOf = (order: Order) =>
        DateTime.toDate(
          DateTime.makeUnsafe(Math.max(order.expiresAt.getTime(), nowMs + SESSION_SECONDS_MIN * 1_000))
        )
      const wanted = (order: Order) => ({
        provider: "stripe" as const,
        method: null,
        amountMinor: minorOf(order.amountFen, config.minorPerFen),
        currency: config.currency,
        gateway: "",
        merchant: stripeAccountOf(config),
        minorPerFen: config.minorPerFen,
        sessionExpiresAt: expiryOf(order)
      })
      const lasts = (attempt: Attempt) =>
        attempt.sessionExpiresAt !== null &&
        // One whose session was never heard of is asked for again, which Stripe takes only while it lasts long enough.
        attempt.sessionExpiresAt.getTime() >
          nowMs + (attempt.session === null ? SESSION_SECONDS_MIN - 120 : SESSION_SECONDS_LEFT_MIN) * 1_000
      const begin = attemptFor(orderId, viewer, wanted, lasts)
      const first = yield* begin
      if (first.attempt.session !== null) {
        const again = yield* reopen(first.order, first.attempt.session)
        if (again !== undefined) return again
      }
      const { attempt, order } = first.attempt.session === null ? first : yield* begin
      return yield* open(order, attempt, attempt.sessionExpiresAt ?? expiryOf(order))
    })

    const startStripe = Effect.fn("Checkout.startStripe")(function*(orderId: OrderId, payer: Payer | undefined) {
      const asked = askStripe(orderId, payer?.userId)
      if (payer === undefined) return yield* asked
      const { address, userId } = payer
      return yield* limits.limit(
        { kind: "checkout", address, account: `user:${userId}` },
        { countsSuccess: true, counted: askedFor },
        asked
      )
    })

    return Checkout.of({ startEpay, startStripe })
  })).pipe(Layer.provide(RateLimiter.layer))
}

/** What Stripe may have been asked for in vain. */
const askedFor = ["OrderClosed", "OrderProcessing", "ProviderRefused", "ProviderUnavailable"] as const

/** Attempts of one order, at most. */
export const ATTEMPTS_MAX = 20

/** Stripe's shortest session lasts 30 minutes by its own clock; a little more is asked for. */
const SESSION_SECONDS_MIN = 30 * 60 + 120

/** A session that ends within this is not handed out again. */
const SESSION_SECONDS_LEFT_MIN = 60

const NONCE_BYTES = 16

/** A merchant reference: unguessable, and different on every installation with the same account. */
export const makeReference = (order: Order): string =>
  `${order.kind === "topup" ? "topup" : "sub"}_${order.id}_${randomBytes(NONCE_BYTES).toString("hex")}`

/** What the payer reads. */
const nameOf = (order: Order): string =>
  order.terms === null ? `Realms Top-up ${formatCny(order.amountFen)} CNY` : `Realms ${order.terms.name}`

/** An amount in a currency's minor unit: rounded up. `minorPerFen` is decimal text. */
export const minorOf = (amountFen: bigint, minorPerFen: string): bigint =>
  divideUp(amountFen * (parseDecimal(minorPerFen, MICROS_SCALE) ?? 0n), 1_000_000n)
