/**
 * A month of business: a thousand orders at both providers, paid, paid wrongly, late, twice or not at all, with lost callbacks, refunds
 * from here and from there, disputes, inquiries, calls and late commits. Root works through the review queue over the API, until it is
 * empty; then the statements are what the providers' own books say, to the fen, and so are the providers' bills.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Redacted, References } from "effect"
import { UserId } from "../../src/domain/Ids.ts"
import type { Order } from "../../src/orders/Order.ts"
import { commitOf } from "../support/AccountsProcess.ts"
import { dispute } from "../support/ClawbackFacts.ts"
import { PaymentWorld } from "../support/PaymentWorld.ts"
import { seeded } from "../support/Seeded.ts"
import { ignoreLoss, reserveOf } from "../support/TestAccounts.ts"
import { send } from "../support/TestHttp.ts"

const ORDERS = 1_000
const USERS = 100

const World = PaymentWorld.layerOf().pipe(Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None")))

interface Placed {
  readonly order: Order
  readonly provider: "stripe" | "epay"
  /** Stripe's payment intent, the gateway's number of the merchant. */
  readonly payment: string
}

interface Item {
  readonly id: string
  readonly fact: string
  readonly outcome: string
  readonly order_id: string | null
  readonly reason: { readonly code: string } | null
}

const yuan = (fen: number): string => (fen / 100).toFixed(2)

/** Root's programs. */
const api = Effect.gen(function*() {
  const { adminKeys, origin, sql } = yield* PaymentWorld
  const [row] = yield* sql<
    { id: UserId }
  >`INSERT INTO users (email, role) VALUES ('root@example.com', 'root') RETURNING id`
  const { key } = yield* adminKeys.create(
    { name: `user:${row?.id}`, userId: row?.id ?? UserId.make(0n), address: "" },
    {
      name: "month",
      expiresAt: null
    },
    null
  )
  const headers = { authorization: `Bearer ${Redacted.value(key)}` }
  const ask = (method: string, path: string, body?: unknown, type = "application/json") =>
    send(`${origin}/api/admin${path}`, {
      method,
      headers: { ...headers, "content-type": type },
      ...(body === undefined ? {} : { body })
    })
  return {
    get: (path: string) => Effect.map(ask("GET", path), ({ text }) => JSON.parse(text)),
    post: (path: string, body: object) => ask("POST", path, body),
    upload: (path: string, text: string) =>
      Effect.map(ask("POST", path, text, "text/csv"), (answer) => JSON.parse(answer.text))
  }
})

const business = Effect.gen(function*() {
  const world = yield* PaymentWorld
  const { epay, orders, stripe } = world
  const below = seeded(2026)
  const users = yield* Effect.forEach(Array.from({ length: USERS }), () => world.user())
  const paid: Array<Placed> = []

  const payStripe = Effect.fnUntraced(function*(order: Order, options: { readonly delayed?: boolean } = {}) {
    const session = yield* world.openStripe(order)
    paid.push({ order, provider: "stripe", payment: stripe.pay(session, options).paymentIntent })
    return session
  })
  const payEpay = (order: Order, reference: string, money?: string) => {
    epay.pay(reference, money === undefined ? {} : { money })
    paid.push({ order, provider: "epay", payment: reference })
  }

  for (let index = 0; index < ORDERS; index++) {
    // A plan is ordered by a new user: a user whose order of it waits would get that order again.
    const isPlan = index % 5 === 0
    const userId = (isPlan ? undefined : users[index % USERS]) ?? (yield* world.user())
    const order = yield* isPlan
      ? orders.subscription(userId, "basic")
      : orders.topup(userId, BigInt(1_000 + below(5_000)))
    const isStripe = index % 2 === 0
    const fate = below(100)
    if (fate < 8) continue
    if (fate < 18) {
      // The callback is lost.
      stripe.setWebhookMode("manual")
      epay.setNotifyMode("manual")
      if (isStripe) yield* payStripe(order)
      else payEpay(order, yield* world.openEpay(order))
      stripe.setWebhookMode("automatic")
      epay.setNotifyMode("automatic")
    } else if (fate < 24) payEpay(order, yield* world.openEpay(order), yuan(Number(order.amountFen) - 6))
    else if (fate < 29) {
      // A late payment is honoured.
      const reference = yield* world.openEpay(order)
      yield* orders.cancel(order.id, undefined)
      payEpay(order, reference)
    } else if (fate < 33) {
      // Paid at both.
      const reference = yield* world.openEpay(order)
      yield* payStripe(order)
      payEpay(order, reference)
    } else if (fate < 37) {
      const session = yield* payStripe(order, { delayed: true })
      if (fate < 35) stripe.succeedDelayed(session)
      else {
        stripe.failDelayed(session)
        paid.pop()
      }
    } else if (isStripe) yield* payStripe(order)
    else payEpay(order, yield* world.openEpay(order))
    if (index % 50 === 49) yield* world.idle
  }
  yield* world.idle
  yield* world.reconciliation.all(() => undefined)
  yield* world.idle
  return { below, paid, users }
})

/** What comes after: money that goes back, here and there, and calls. */
const aftermath = Effect.fnUntraced(function*(
  { below, paid, users }: Effect.Success<typeof business>,
  { post }: Effect.Success<typeof api>
) {
  const world = yield* PaymentWorld
  const { stripe } = world
  const atStripe = paid.filter(({ provider }) => provider === "stripe")
  const disputes: Array<
    { readonly id: string; readonly amount: number; readonly won: boolean; readonly payment: string }
  > = []
  const failed: Array<string> = []
  for (const [index, { order, payment }] of atStripe.entries()) {
    const amount = stripe.charge(payment).amount
    if (index % 9 === 1) stripe.refund({ paymentIntent: payment, amount: 1 + below(amount) })
    if (index % 9 === 2) failed.push(stripe.refund({ paymentIntent: payment, amount: 1 + below(amount) }).id)
    if (index % 9 === 4) {
      const made = stripe.dispute({ paymentIntent: payment, ...(below(2) === 0 ? {} : { amount: 1 + below(amount) }) })
      yield* world.idle
      const outcome = below(3)
      if (outcome > 0) stripe.closeDispute(made.id, outcome === 1 ? "won" : "lost")
      disputes.push({ id: made.id, amount: made.amount, won: outcome === 1, payment })
    }
    if (index % 40 === 6) {
      yield* world.settlement.settle(dispute(payment, "warning_needs_response", "created", { amountMinor: 100n }))
    }
    if (index % 12 === 7) {
      yield* post(`/orders/${order.id}/refunds`, {
        note: "asked for",
        idempotency_key: `month-order-${order.id}`,
        amount_minor: "100"
      })
    }
    if (index % 25 === 0) yield* world.idle
  }
  yield* world.idle
  for (const id of failed) stripe.failRefund(id)
  for (const [index, { order }] of paid.filter(({ provider }) => provider === "epay").entries()) {
    if (index % 20 === 3) {
      yield* post(`/orders/${order.id}/refunds`, { note: "asked for", idempotency_key: `month-order-${order.id}` })
    }
  }
  for (const [index, userId] of users.entries()) {
    const command = reserveOf(20_000n)
    const reserved = yield* Effect.result(world.accounts.reserve(userId, command, ignoreLoss))
    if (reserved._tag === "Failure") continue
    if (index % 7 === 0) {
      yield* world.sql`UPDATE open_holds SET lease_expires_at = now() - interval '1 minute' WHERE id = ${command.id}`
      yield* world.accounts.sweep
    }
    yield* world.accounts.commit(userId, commitOf(command.id, 1_000 + below(9_000)))
  }
  yield* world.idle
  return disputes
})

/** Works through what waits, one by one, until nothing does. Answers how many were resolved, by how. */
const workThrough = Effect.fnUntraced(function*({ get, post }: Effect.Success<typeof api>) {
  const world = yield* PaymentWorld
  const done = new Map<string, number>()
  const count = (how: string) => done.set(how, (done.get(how) ?? 0) + 1)
  for (let round = 0; round < 60; round++) {
    const { items } = (yield* get("/payments?open=true&limit=50")) as { readonly items: ReadonlyArray<Item> }
    if (items.length === 0) return done
    for (const { fact, id } of items) {
      const { buyer, is_open, suggested_micros } = yield* get(`/payments/${id}`)
      if (!is_open) continue
      const how = fact === "Paid" ? ["accept", "credit", "refund", "dismiss"][Number(id) % 4] ?? "dismiss" : "dismiss"
      const bodies: Readonly<Record<string, object>> = {
        accept: { note: "close enough", in_proportion: true },
        credit: { note: "as a credit", user: buyer?.id ?? "0", amount_micros: suggested_micros ?? "1" },
        refund: { note: "sent back", idempotency_key: `month-event-${id}` },
        dismiss: { note: "looked at" }
      }
      const answer = yield* post(`/payments/${id}/${how}`, bodies[how] ?? {})
      if (answer.status === 200) count(how)
      else if ((yield* post(`/payments/${id}/dismiss`, bodies["dismiss"] ?? {})).status === 200) count("dismiss")
    }
    yield* world.idle
  }
  return assert.fail("the queue does not become empty")
})

/** Of the start and of the month: two thousand payments and calls, on a machine that has other things to do. */
const TEST_TIMEOUT_MS = 600_000

layer(World, { excludeTestServices: true, timeout: TEST_TIMEOUT_MS })("a month of business", (it) => {
  it.effect("ends with an empty queue and books that are the providers' own, to the fen", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const { epay, stripe } = world
      const root = yield* api
      const month = yield* business
      const disputes = yield* aftermath(month, root)
      const resolved = yield* workThrough(root)
      assert.isAbove(resolved.get("accept") ?? 0, 0)
      assert.isAbove(resolved.get("credit") ?? 0, 0)
      assert.isAbove(resolved.get("refund") ?? 0, 0)
      assert.isAbove(resolved.get("dismiss") ?? 0, 0)
      assert.strictEqual(yield* world.paymentEvents.openCount, 0)

      // The providers' own books.
      const charges = stripe.sessionIds().flatMap((id) => {
        const { payment_intent } = stripe.session(id)
        const charge = payment_intent === null ? undefined : stripe.charge(payment_intent)
        return charge === undefined || !charge.paid ? [] : [charge]
      })
      const trades = [...epay.orders.values()].filter(({ paidFen }) => paidFen > 0)
      const sum = (amounts: ReadonlyArray<number>) => BigInt(amounts.reduce((all, one) => all + one, 0))
      const taken = disputes.filter(({ won }) => !won)

      const { books, now } = yield* world.statements.statement({ from: "2026-01-01", to: "2027-12-31" })
      const cashOf = (provider: string) => books.cash.find((account) => account.provider === provider)
      const stripeCash = cashOf("stripe")
      const epayCash = cashOf("epay")
      assert.deepStrictEqual({
        payments: (stripeCash?.lines.payments ?? 0n) + (stripeCash?.lines.corrections ?? 0n),
        refunds: (stripeCash?.lines.refunds ?? 0n) + (stripeCash?.lines.refunds_returned ?? 0n),
        disputes: (stripeCash?.lines.disputes ?? 0n) + (stripeCash?.lines.disputes_returned ?? 0n)
      }, {
        payments: sum(charges.map(({ amount }) => amount)),
        refunds: -sum(charges.map(({ amount_refunded }) => amount_refunded)),
        disputes: -sum(taken.map(({ amount }) => amount))
      })
      assert.deepStrictEqual({
        payments: (epayCash?.lines.payments ?? 0n) + (epayCash?.lines.corrections ?? 0n),
        refunds: (epayCash?.lines.refunds ?? 0n) + (epayCash?.lines.refunds_returned ?? 0n)
      }, {
        payments: sum(trades.map(({ paidFen }) => paidFen)),
        refunds: -sum(trades.map(({ refundedFen }) => refundedFen))
      })
      assert.strictEqual(books.balances.closing, (now?.usdMicros ?? 0n) + (now?.heldMicros ?? 0n))
      assert.strictEqual(books.debts.closing, now?.owedMicros)
      for (const { unallocated } of books.cash) assert.strictEqual(unallocated.in_review, 0n)

      // The same as files, record by record.
      const record = (id: string, payment: string | null, category: string, cents: number) =>
        `${id},${payment},${category},cny,${yuan(cents)},0.00,${yuan(cents)},${yuan(cents)},cny`
      const refunds = charges.flatMap(({ refunds: { data }, payment_intent }) =>
        data.map(({ amount, id, status }) => ({ amount, id, status, payment: payment_intent }))
      )
      const bill = [
        "source_id,payment_intent_id,reporting_category,currency,gross,fee,net,customer_facing_amount,customer_facing_currency",
        ...charges.map(({ amount, id, payment_intent }) => record(id, payment_intent, "charge", amount)),
        ...refunds.map(({ amount, id, payment }) => record(id, payment, "refund", -amount)),
        ...refunds.filter(({ status }) => status === "failed").map(({ amount, id, payment }) =>
          record(id, payment, "refund_failure", amount)
        ),
        ...disputes.map(({ amount, id, payment }) => record(id, payment, "dispute", -amount)),
        ...disputes.filter(({ won }) => won).map(({ amount, id, payment }) =>
          record(id, payment, "dispute_reversal", amount)
        )
      ]
      const stripeBill = yield* root.upload("/bills/check?provider=stripe", bill.join("\n"))
      assert.deepStrictEqual(stripeBill.differences, [])
      assert.strictEqual(stripeBill.matched, bill.length - 1)
      yield* world.sql`INSERT INTO app_settings (key, value)
        VALUES ('payment.epay.bill_columns', '"trade_no=trade_no, money=money, refund=refund"')`
      const gatewayBill = [
        "trade_no,money,refund",
        ...trades.map(({ paidFen, refundedFen, tradeNo }) => `${tradeNo},${yuan(paidFen)},${yuan(refundedFen)}`)
      ]
      const epayBill = yield* root.upload("/bills/check?provider=epay", gatewayBill.join("\n"))
      assert.deepStrictEqual(epayBill.differences, [])
      yield* world.clean
    }), TEST_TIMEOUT_MS)
})
