/**
 * A server with billing, a simulated Stripe and a simulated EPay gateway before it, over a database of its own: what tests of
 * money in stand on. Providers call it over real HTTP; a second server over the same database is another process.
 */
import { assert, type Vitest } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { acquireEpay, type EpaySimulator } from "../../simulators/epay/EpaySimulator.ts"
import { acquireStripe, type StripeSimulator } from "../../simulators/stripe/StripeSimulator.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { basicPlan } from "../../src/cli/DemoConfig.ts"
import { makeReservationId, type UserId } from "../../src/domain/Ids.ts"
import { Callbacks } from "../../src/events/Callbacks.ts"
import { Corrections } from "../../src/events/Corrections.ts"
import { EventResolutions } from "../../src/events/EventResolutions.ts"
import { ManualPayments } from "../../src/events/ManualPayments.ts"
import { OrderHistory } from "../../src/events/OrderHistory.ts"
import { paymentAudit } from "../../src/events/PaymentAudit.ts"
import { PaymentEvents } from "../../src/events/PaymentEvents.ts"
import { Reconciliation } from "../../src/events/Reconciliation.ts"
import { booksAudit } from "../../src/finance/BooksAudit.ts"
import { Statements } from "../../src/finance/Statements.ts"
import { AdminKeys } from "../../src/identity/AdminKeys.ts"
import { BuyerDetails } from "../../src/identity/BuyerDetails.ts"
import { Checkout } from "../../src/orders/Checkout.ts"
import type { Order } from "../../src/orders/Order.ts"
import { Orders } from "../../src/orders/Orders.ts"
import { OrderReceipts } from "../../src/orders/OrderReceipts.ts"
import { OrderSearch } from "../../src/orders/OrderSearch.ts"
import { Refunds } from "../../src/orders/Refunds.ts"
import { Settlement } from "../../src/orders/Settlement.ts"
import type { PaymentFact } from "../../src/payments/PaymentFact.ts"
import { redemptionAudit } from "../../src/redemption/RedemptionAudit.ts"
import { ada } from "./AuditTrail.ts"
import { testsOf } from "./Steps.ts"
import { balanceIn, makeUserIn, problemsIn } from "./TestAccounts.ts"
import { makeDatabase } from "./TestDatabase.ts"
import { send } from "./TestHttp.ts"
import { startServer } from "./TestServer.ts"

/** What a test may set apart. */
export interface WorldOptions {
  readonly url: string
  readonly stripe: StripeSimulator
  readonly epay: EpaySimulator
  readonly payment?: { readonly epay?: object; readonly stripe?: object }
  readonly billing?: object
  readonly finance?: object
  readonly seller?: object
  readonly smtp?: object
  /** Stripe's secret key; else one of the test mode. */
  readonly stripeKey?: string
  readonly plans?: ReadonlyArray<object>
}

/** What a configuration says to take money at the simulated providers. */
export const paymentAt = (stripe: StripeSimulator, epay: EpaySimulator, more: WorldOptions["payment"] = {}) => ({
  epay: { enabled: true, gateway: epay.url, partner_id: epay.pid, key: epay.key, ...more.epay },
  stripe: {
    enabled: true,
    secret_key: stripe.secretKey,
    webhook_secret: stripe.webhookSecret,
    api_base: stripe.url,
    ...more.stripe
  }
})

/** One server, as long as the scope. */
export const makeServer = Effect.fnUntraced(function*(options: WorldOptions) {
  const { origin, services: context, sql } = yield* startServer({
    database: { url: options.url },
    billing: options.billing ?? {},
    finance: options.finance ?? {},
    seller: options.seller ?? {},
    smtp: options.smtp ?? {},
    plans: options.plans ?? [basicPlan],
    payment: paymentAt(options.stripe, options.epay, options.payment)
  })
  return {
    origin,
    orders: Context.get(context, Orders),
    checkout: Context.get(context, Checkout),
    settlement: Context.get(context, Settlement),
    callbacks: Context.get(context, Callbacks),
    manual: Context.get(context, ManualPayments),
    paymentEvents: Context.get(context, PaymentEvents),
    resolutions: Context.get(context, EventResolutions),
    corrections: Context.get(context, Corrections),
    refunds: Context.get(context, Refunds),
    receipts: Context.get(context, OrderReceipts),
    buyers: Context.get(context, BuyerDetails),
    search: Context.get(context, OrderSearch),
    history: Context.get(context, OrderHistory),
    reconciliation: Context.get(context, Reconciliation),
    statements: Context.get(context, Statements),
    adminKeys: Context.get(context, AdminKeys),
    accounts: Context.get(context, Accounts),
    sql
  }
})

export type Server = Effect.Success<ReturnType<typeof makeServer>>

export interface EventRow {
  readonly fact: string
  readonly outcome: string
  readonly note: string
  readonly deliveries: number
}

type More = Partial<Omit<WorldOptions, "url" | "stripe" | "epay">>

const start = Effect.fnUntraced(function*(more: More) {
  const stripe = yield* acquireStripe(more.stripeKey === undefined ? {} : { secretKey: more.stripeKey })
  const epay = yield* acquireEpay()
  const url = yield* makeDatabase()
  const options = { url, stripe, epay, ...more }
  const server = yield* makeServer(options)
  const { checkout, orders, sql } = server
  stripe.setWebhookUrl(`${server.origin}/api/pay/stripe/webhook`)

  const user = () => makeUserIn(sql, 0n)
  const balance = (userId: UserId) => balanceIn(sql, userId)
  const stateOf = (order: Order) =>
    Effect.map(Effect.orDie(orders.show(order.id, undefined)), (view) => view.order.state)
  /** A new user's order of credit for 10.00 CNY, worth 1.40 USD. */
  const topup = Effect.flatMap(user(), (userId) => orders.topup(userId, 1_000n)).pipe(Effect.orDie)

  /** Starts a payment by Stripe; answers its session. */
  const openStripe = Effect.fnUntraced(function*(order: Order) {
    yield* checkout.startStripe(order.id, { userId: order.userId, address: "" })
    const { attempts } = yield* orders.show(order.id, undefined)
    const session = attempts.findLast((attempt) => attempt.provider === "stripe")?.session
    return session ?? (yield* Effect.die(new Error("no session")))
  }, Effect.orDie)

  /** Posts the form of a payment by EPay to the gateway, as a browser does; answers the merchant reference. */
  const openEpay = Effect.fnUntraced(function*(order: Order) {
    const form = yield* checkout.startEpay(order.id, order.userId, "alipay")
    if (form.type !== "form") return yield* Effect.die(new Error("no form"))
    const answer = yield* send(form.action, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: String(new URLSearchParams(Object.fromEntries(form.fields)))
    })
    assert.strictEqual(answer.status, 303, answer.text)
    return Object.fromEntries(form.fields)["out_trade_no"] ?? ""
  }, Effect.orDie)

  const idle = Effect.promise(() => Promise.all([stripe.idle(), epay.idle()])).pipe(Effect.asVoid)

  /** Gives back a part of what was paid, or all that is left of it, and waits until the provider has said so. */
  const refund = Effect.fnUntraced(function*(order: Order, amountMinor: bigint | undefined, note: string) {
    const key = `refund-${makeReservationId()}`
    yield* server.refunds.request(ada, { orderId: order.id, amountMinor, note, key })
    yield* idle
  }, Effect.orDie)

  const problems = problemsIn(sql, [paymentAudit, redemptionAudit, booksAudit])

  return {
    ...server,
    options,
    stripe,
    epay,
    user,
    openStripe,
    openEpay,
    topup,
    /** The same, with a payment that was started. */
    stripeTopup: Effect.flatMap(topup, (order) => Effect.map(openStripe(order), (session) => ({ order, session }))),
    epayTopup: Effect.flatMap(topup, (order) => Effect.map(openEpay(order), (reference) => ({ order, reference }))),
    stateOf,
    balance,
    /** The order of a `topup` is paid, and its user has the credit and nothing else. */
    credited: Effect.fnUntraced(function*(order: Order) {
      assert.strictEqual(yield* stateOf(order), "paid")
      assert.deepStrictEqual(yield* balance(order.userId), { usd: 1_400_000n, owed: 0n })
    }),
    /** Everything the providers have sent is answered. */
    idle,
    refund,
    events: Effect.orDie(sql<EventRow>`SELECT fact, outcome, note, deliveries FROM payment_events ORDER BY id`),
    clean: Effect.map(problems, (found) => assert.deepStrictEqual(found, [])),
    problems
  }
})

export class PaymentWorld
  extends Context.Service<PaymentWorld, Effect.Success<ReturnType<typeof start>>>()("realms/test/support/PaymentWorld")
{
  static readonly layerOf = (more: More = {}) => Layer.effect(PaymentWorld, Effect.orDie(start(more)))
}

/** Tests in this world, whose books are right in the end. */
export const inWorld = <R>(it: Vitest.MethodsNonLive<R | PaymentWorld>) =>
  testsOf<typeof PaymentWorld.Service, R | PaymentWorld>(it.effect, PaymentWorld, (world) => world.clean)

/** Another process over the same database. */
export class SecondServer
  extends Context.Service<SecondServer, Server>()("realms/test/support/PaymentWorld/SecondServer")
{
  static readonly layer = Layer.effect(
    SecondServer,
    Effect.flatMap(PaymentWorld, ({ options }) => makeServer(options))
  )
}

/** A payment as Stripe tells of it, for tests of the settlement alone. */
export const paidFact = (reference: string, more: object = {}): PaymentFact => ({
  _tag: "Paid",
  provider: "stripe",
  eventKey: `evt_${makeReservationId()}`,
  kind: "checkout.session.completed",
  payment: `pi_${reference}`,
  reference,
  atSeconds: 1_000,
  merchant: null,
  method: null,
  amountMinor: 1_000n,
  currency: "cny",
  ...more
})
