import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { UserId } from "../../src/domain/Ids.ts"
import { rateLimits } from "../../src/identity/RateLimiter.ts"
import { tagOf } from "../support/AuditTrail.ts"
import { inWorld, makeServer, PaymentWorld } from "../support/PaymentWorld.ts"
import { until } from "../support/Until.ts"

const createPath = "/v1/checkout/sessions"

layer(PaymentWorld.layerOf(), { excludeTestServices: true })("orders and their payment", (it) => {
  const test = inWorld(it)

  it.effect("an order is bounded in amount and number, and is nobody else's", () =>
    Effect.gen(function*() {
      const { checkout, orders, user } = yield* PaymentWorld
      const userId = yield* user()
      assert.strictEqual(yield* tagOf(orders.topup(userId, 999n)), "AmountOutOfRange")
      assert.strictEqual(yield* tagOf(orders.topup(userId, 1_000_001n)), "AmountOutOfRange")
      assert.strictEqual(yield* tagOf(orders.topup(userId, -1_000n)), "AmountOutOfRange")
      assert.strictEqual(yield* tagOf(orders.subscription(userId, "nothing")), "PlanNotFound")
      assert.strictEqual(yield* tagOf(orders.topup(UserId.make(999_999n), 1_000n)), "BuyerUnknown")
      const order = yield* orders.topup(userId, 1_001n)
      // floor(10.01 × 0.14 USD)
      assert.strictEqual(order.creditMicros, 1_401_400n)
      const stranger = yield* user()
      assert.strictEqual(yield* tagOf(orders.show(order.id, stranger)), "OrderNotFound")
      assert.strictEqual(yield* tagOf(orders.cancel(order.id, stranger)), "OrderNotFound")
      assert.strictEqual(
        yield* tagOf(checkout.startStripe(order.id, { userId: stranger, address: "" })),
        "OrderNotFound"
      )
      const more = yield* Effect.forEach(
        Array.from({ length: 40 }),
        (_, at) => Effect.result(orders.topup(userId, BigInt(1_002 + at))),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(more.filter((result) => result._tag === "Success").length, 19)
      assert.strictEqual((yield* orders.list(userId)).length, 20)
    }))

  it.effect("a start that is repeated, at once too, is one session; after it was lost on the way as well", () =>
    Effect.gen(function*() {
      const { checkout, orders, stripe, topup } = yield* PaymentWorld
      const order = yield* topup
      const before = stripe.sessionIds().length
      const starts = yield* Effect.all(
        Array.from({ length: 5 }, () => checkout.startStripe(order.id, undefined)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(starts.map((start) => JSON.stringify(start))).size, 1)
      assert.strictEqual(stripe.sessionIds().length, before + 1)
      const lost = yield* topup
      // The SDK tries again by itself: made, and every answer about it lost.
      for (let tries = 0; tries < 8; tries++) {
        stripe.next({ path: createPath, method: "POST", dropConnection: true, takesEffect: true })
      }
      assert.strictEqual(yield* tagOf(checkout.startStripe(lost.id, undefined)), "ProviderUnavailable")
      stripe.reset()
      const start = yield* checkout.startStripe(lost.id, undefined)
      assert.strictEqual(stripe.sessionIds().length, before + 2)
      const { attempts } = yield* orders.show(lost.id, undefined)
      assert.strictEqual(attempts.length, 1)
      assert.deepStrictEqual(start, { type: "redirect", url: attempts[0]?.sessionUrl ?? "" })
    }))

  it.effect("a buyer who starts the same payment again and again asks Stripe no more than a bounded number of times", () =>
    Effect.gen(function*() {
      const { checkout, stripe, topup } = yield* PaymentWorld
      const order = yield* topup
      const before = stripe.requests.length
      const { burst } = rateLimits.checkout.account
      const start = (address: string) =>
        Effect.result(checkout.startStripe(order.id, { userId: order.userId, address }))
      const starts = yield* Effect.all(Array.from({ length: 100 }, (_, at) => start(`203.0.113.${at}`)), {
        concurrency: 10
      })
      const refused = starts.flatMap((start) => start._tag === "Failure" ? [start.failure._tag] : [])
      assert.deepStrictEqual([...new Set(refused)], ["TooManyAttempts"])
      assert.isAtMost(stripe.requests.length - before, burst + 2)
      // Others pay all the while.
      const other = yield* topup
      assert.strictEqual(
        (yield* checkout.startStripe(other.id, { userId: other.userId, address: "" })).type,
        "redirect"
      )
    }))

  it.effect("a session is used again for the same terms only, and not once it is over", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const order = yield* world.topup
      const first = yield* world.openStripe(order)
      const other = { stripe: { currency: "jpy", minor_per_fen: "0.2" } }
      const server = yield* makeServer({ ...world.options, payment: other })
      yield* server.checkout.startStripe(order.id, undefined)
      const { attempts } = yield* world.orders.show(order.id, undefined)
      // Yen has no smaller unit: 10.00 CNY at 0.2 yen a fen.
      assert.deepStrictEqual(attempts.map((attempt) => [attempt.currency, attempt.amountMinor]), [
        ["cny", 1_000n],
        ["jpy", 200n]
      ])
      assert.strictEqual(world.stripe.session(attempts[1]?.session ?? "").amount_total, 200)
      world.stripe.expire(first)
      yield* world.idle
      const third = yield* world.openStripe(order)
      assert.notStrictEqual(third, first)
      world.stripe.pay(attempts[1]?.session ?? "")
      yield* world.idle
      assert.strictEqual(yield* world.stateOf(order), "paid")
      // The order is fulfilled: its other session cannot be paid any more.
      yield* Effect.promise(() => world.stripe.until(() => world.stripe.session(third).status === "expired"))
      assert.strictEqual(yield* tagOf(world.checkout.startStripe(order.id, undefined)), "OrderClosed")
      assert.strictEqual(yield* tagOf(world.checkout.startEpay(order.id, undefined, "alipay")), "OrderClosed")
      yield* world.clean
    }).pipe(Effect.scoped))

  it.effect("an amount in another currency is rounded up, with its rate on the attempt", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const usd = { stripe: { currency: "usd", minor_per_fen: "0.1407" } }
      const server = yield* makeServer({ ...world.options, payment: usd })
      const order = yield* server.orders.topup(yield* world.user(), 1_001n)
      yield* server.checkout.startStripe(order.id, undefined)
      const { attempts } = yield* server.orders.show(order.id, undefined)
      // 1001 × 0.1407 = 140.8407
      assert.deepStrictEqual([attempts[0]?.amountMinor, attempts[0]?.minorPerFen], [141n, "0.1407"])
    }).pipe(Effect.scoped))

  test("unpaid for too long, an order expires and its session is closed; paid late, it is honoured", function*(world) {
    const { order, session } = yield* world.stripeTopup
    const reference = yield* world.openEpay(order)
    yield* world.sql`UPDATE topup_orders SET expires_at = now() - interval '1 second' WHERE id = ${order.id}`
    assert.strictEqual(yield* tagOf(world.checkout.startStripe(order.id, undefined)), "OrderClosed")
    yield* world.reconciliation.tidy
    assert.strictEqual(yield* world.stateOf(order), "expired")
    yield* world.reconciliation.round
    assert.strictEqual(world.stripe.session(session).status, "expired")
    world.epay.setNotifyMode("manual")
    world.epay.pay(reference)
    // Nobody tells: it is asked about although the order has expired.
    const report = yield* world.reconciliation.all(() => undefined)
    world.epay.setNotifyMode("automatic")
    assert.isAtLeast(report.settled, 1)
    assert.strictEqual(yield* world.stateOf(order), "paid")
  })

  test(
    "an unsigned answer that names another amount is looked at, and the signed notify still counts",
    function*(world) {
      const { order, reference } = yield* world.epayTopup
      world.epay.setNotifyMode("manual")
      world.epay.pay(reference)
      world.epay.next({ money: "1.00" })
      yield* world.sql`UPDATE payment_attempts SET next_check_at = now() WHERE order_id = ${order.id}`
      yield* world.reconciliation.round
      assert.strictEqual((yield* world.events).at(-1)?.outcome, "needs_review")
      assert.strictEqual(yield* world.stateOf(order), "pending")
      yield* Effect.promise(() => world.epay.notify(reference))
      world.epay.setNotifyMode("automatic")
      yield* world.credited(order)
    }
  )

  it.effect("Stripe away while an order is cancelled: its session is closed by the next round", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const { order, session } = yield* world.stripeTopup
      for (let tries = 0; tries < 8; tries++) {
        world.stripe.next({ path: `${createPath}/${session}/expire`, status: 503 })
      }
      yield* world.orders.cancel(order.id, undefined)
      world.stripe.reset()
      assert.strictEqual(world.stripe.session(session).status, "open")
      yield* world.reconciliation.all(() => undefined)
      assert.strictEqual(world.stripe.session(session).status, "expired")
      assert.strictEqual(yield* world.stateOf(order), "cancelled")
    }))

  test("a second payment that nobody tells of is found by asking, by Stripe and by EPay, and shown", function*(world) {
    const { order, session } = yield* world.stripeTopup
    const alipay = yield* world.openEpay(order)
    const form = yield* world.checkout.startEpay(order.id, undefined, "wxpay")
    if (form.type !== "form") return assert.fail("no form")
    world.stripe.setWebhookMode("manual")
    world.stripe.pay(session)
    world.epay.pay(alipay)
    yield* world.idle
    assert.strictEqual(yield* world.stateOf(order), "paid")
    const outcomes = Effect.map(
      world.sql<{ outcome: string }>`SELECT e.outcome FROM payment_events e
          JOIN payment_attempts a ON a.id = e.attempt_id WHERE a.order_id = ${order.id} ORDER BY e.id`,
      (rows) => rows.map((row) => row.outcome)
    )
    // A round leaves out an attempt that somebody is writing: here, the closing of the sessions of the order just paid.
    yield* until(
      "the second payment is found",
      world.reconciliation.all(() => undefined).pipe(
        Effect.andThen(outcomes),
        Effect.map(({ length }) => length === 2)
      )
    )
    // Told after all, it is the same second payment.
    const told = world.stripe.events.findLast((event) => event.type === "checkout.session.completed")
    if (told === undefined) return assert.fail("no event")
    yield* Effect.promise(() => world.stripe.deliver(told))
    world.stripe.setWebhookMode("automatic")
    assert.deepStrictEqual(yield* outcomes, ["applied", "needs_review", "duplicate"])
    // What is on record is not asked about again; the EPay form that was never paid is, for its days.
    const [left] = yield* world.sql<{ payable: bigint }>`SELECT count(*) AS payable FROM payment_attempts
        WHERE order_id = ${order.id} AND payable`
    assert.strictEqual(left?.payable, 1n)
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_400_000n, owed: 0n })
  })

  it.effect("a key that was rolled still finds the session; another account's is told", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const order = yield* world.topup
      world.stripe.setWebhookMode("manual")
      world.stripe.pay(yield* world.openStripe(order))
      world.stripe.setWebhookMode("automatic")
      yield* world.sql`UPDATE payment_attempts SET merchant = 'the key of before' WHERE order_id = ${order.id}`
      yield* world.reconciliation.all(() => undefined)
      assert.strictEqual(yield* world.stateOf(order), "paid")
      const elsewhere = yield* world.topup
      yield* world.openEpay(elsewhere)
      yield* world.sql`UPDATE payment_attempts SET merchant = '7' WHERE order_id = ${elsewhere.id}`
      const report = yield* world.reconciliation.all(() => undefined)
      assert.isAtLeast(report.failed, 1)
      yield* world.sql`UPDATE payment_attempts SET merchant = ${world.epay.pid} WHERE order_id = ${elsewhere.id}`
    }))

  it.effect("rounds ask about what is due and back off; two processes do not ask about the same", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const order = yield* world.topup
      yield* world.openEpay(order)
      yield* world.reconciliation.all(() => undefined)
      const asked = () => world.epay.requests.filter((request) => request.act === "order").length
      const due = world.sql`UPDATE payment_attempts SET next_check_at = now() WHERE order_id = ${order.id}`
      yield* due
      const before = asked()
      yield* Effect.all([world.reconciliation.round, world.reconciliation.round], { concurrency: 2 })
      assert.strictEqual(asked(), before + 1)
      yield* world.reconciliation.round
      assert.strictEqual(asked(), before + 1, "it waits for its turn")
      const [row] = yield* world.sql<{ checks: number; wait: number }>`
        SELECT checks, round(extract(epoch FROM next_check_at - now()))::integer AS wait FROM payment_attempts
        WHERE order_id = ${order.id}`
      assert.isAtLeast(row?.checks ?? 0, 2)
      assert.isAbove(row?.wait ?? 0, 60)
    }))
})
