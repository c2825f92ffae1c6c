import { PgConnection } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Redacted, References } from "effect"
import type { Order } from "../../src/orders/Order.ts"
import type { PaymentFact } from "../../src/payments/PaymentFact.ts"
import { makeProxy } from "../support/JournalProxy.ts"
import { makeServer, paidFact, PaymentWorld } from "../support/PaymentWorld.ts"
import { planSteps, topupSteps, withFault } from "../support/SettlementFault.ts"

const quiet = Layer.succeed(References.MinimumLogLevel, "None")

/** A fault strikes each try of a settlement. */
const ALWAYS = 1_000_000

/** An order with a payment by EPay that has come in and is not told yet. No session is closed behind its settlement. */
const paidOrder = Effect.fnUntraced(function*(kind: "topup" | "plan" = "topup") {
  const world = yield* PaymentWorld
  const order = kind === "topup" ? yield* world.topup : yield* world.orders.subscription(yield* world.user(), "basic")
  const reference = yield* world.openEpay(order)
  const more = { provider: "epay", merchant: world.epay.pid, amountMinor: order.amountFen }
  return { order, fact: paidFact(reference, more) }
})

const eventOf = Effect.fnUntraced(function*({ eventKey }: PaymentFact) {
  const { sql } = yield* PaymentWorld
  const rows = yield* sql<{ outcome: string; deliveries: number }>`
    SELECT outcome, deliveries FROM payment_events WHERE event_key = ${eventKey}`
  return rows.map((row) => [row.outcome, row.deliveries])
})

const isUntouched = Effect.fnUntraced(function*(order: Order, fact: PaymentFact) {
  const world = yield* PaymentWorld
  assert.deepStrictEqual(yield* eventOf(fact), [], "nothing of a failed try is left")
  assert.strictEqual(yield* world.stateOf(order), "pending")
  assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
})

const isSettledOnce = Effect.fnUntraced(function*(order: Order) {
  const world = yield* PaymentWorld
  assert.strictEqual(yield* world.stateOf(order), order.kind === "topup" ? "paid" : "active")
  assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
  const [row] = yield* world.sql<{ count: bigint }>`
    SELECT count(*) FROM user_subscriptions WHERE order_id = ${order.id}`
  assert.strictEqual(row?.count, order.kind === "topup" ? 0n : 1n)
  yield* world.clean
})

/** Another's transaction that holds an order until the scope ends. */
const lockedByAnother = Effect.fnUntraced(function*(orders: ReadonlyArray<Order>) {
  const { options } = yield* PaymentWorld
  const other = yield* PgConnection.make({ url: Redacted.make(options.url) })
  yield* other.query("BEGIN", [], false)
  for (const { id } of orders) yield* other.query(`SELECT FROM topup_orders WHERE id = ${id} FOR UPDATE`, [], false)
})

const everywhere = [
  ...topupSteps.map((step) => ({ kind: "topup" as const, step })),
  ...planSteps.map((step) => ({ kind: "plan" as const, step }))
]

const World = PaymentWorld.layerOf().pipe(Layer.provideMerge(quiet))

/** An order that was paid, and a server whose way to PostgreSQL can be cut. */
const behindProxy = Effect.gen(function*() {
  const { options } = yield* PaymentWorld
  const proxy = yield* makeProxy(options.url)
  return { ...(yield* paidOrder()), proxy, server: yield* makeServer({ ...options, url: proxy.url }) }
})

layer(World, { excludeTestServices: true })("settlement, when the database fails", (it) => {
  it.effect.each(everywhere)(
    "a $kind, killed once at $step: it is tried again and lands once",
    ({ kind, step }) =>
      Effect.gen(function*() {
        const { settlement, sql } = yield* PaymentWorld
        const { fact, order } = yield* paidOrder(kind)
        const { answer, reached } = yield* withFault(sql, { fault: "kill", step, times: 1 }, settlement.settle(fact))
        assert.isAtLeast(reached, 2, "it was struck, and came again")
        assert.deepStrictEqual([answer.outcome, answer.repeated], ["applied", false])
        assert.deepStrictEqual(yield* eventOf(fact), [["applied", 1]])
        yield* isSettledOnce(order)
      })
  )

  it.effect.each(everywhere)("a $kind, killed at $step on each try: nothing is left; the next delivery applies it", (
    { kind, step }
  ) =>
    Effect.gen(function*() {
      const { settlement, sql } = yield* PaymentWorld
      const { fact, order } = yield* paidOrder(kind)
      const failing = Effect.flip(settlement.settle(fact))
      const { answer, reached } = yield* withFault(sql, { fault: "kill", step, times: ALWAYS }, failing)
      assert.strictEqual(answer._tag, "DatabaseUnavailable")
      assert.strictEqual(reached, 6, "it was tried again, and not for ever")
      yield* isUntouched(order, fact)
      assert.strictEqual((yield* settlement.settle(fact)).outcome, "applied")
      yield* isSettledOnce(order)
    }))

  const conflicts = (["40P01", "40001"] as const).flatMap((fault) => topupSteps.map((step) => ({ fault, step })))
  it.effect.each(conflicts)(
    "$fault at $step: tried again, thrice if need be, and lands once",
    ({ fault, step }) =>
      Effect.gen(function*() {
        const { settlement, sql } = yield* PaymentWorld
        const { fact: paid, order } = yield* paidOrder()
        const { answer, reached } = yield* withFault(sql, { fault, step, times: 3 }, settlement.settle(paid))
        assert.isAtLeast(reached, 4)
        assert.strictEqual(answer.outcome, "applied")
        yield* isSettledOnce(order)
      })
  )

  it.effect("a cancel whose backend is killed: refused as what may be tried again, and nothing is cancelled", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const order = yield* world.topup
      const cancel = world.orders.cancel(order.id, order.userId)
      const fault = { fault: "kill", step: "UPDATE ON topup_orders", times: 1 } as const
      const { answer } = yield* withFault(world.sql, fault, Effect.flip(cancel))
      assert.strictEqual(answer._tag, "DatabaseUnavailable")
      assert.strictEqual(yield* world.stateOf(order), "pending")
      assert.strictEqual((yield* cancel).state, "cancelled")
    }))

  it.effect("a connection lost behind COMMIT: it had landed, is found to have, and is acknowledged", () =>
    Effect.gen(function*() {
      const { fact, order, proxy, server } = yield* behindProxy
      const lost = proxy.loseCommit("UPDATE topup_orders")
      const settled = yield* server.settlement.settle(fact)
      yield* Effect.promise(() => lost)
      assert.deepStrictEqual([settled.outcome, settled.repeated], ["applied", true])
      assert.deepStrictEqual(yield* eventOf(fact), [["applied", 2]])
      yield* isSettledOnce(order)
    }))

  it.effect("a network that is cut: not acknowledged; mended, the second delivery applies it", () =>
    Effect.gen(function*() {
      const { fact, order, proxy, server } = yield* behindProxy
      proxy.cut()
      assert.strictEqual((yield* Effect.flip(server.settlement.settle(fact)))._tag, "DatabaseUnavailable")
      yield* isUntouched(order, fact)
      proxy.mend()
      assert.strictEqual((yield* server.settlement.settle(fact)).outcome, "applied")
      yield* isSettledOnce(order)
    }))

  it.effect("an order that another holds locked: 503 to Stripe, `fail` to EPay; told again, it is applied", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      world.stripe.setWebhookMode("manual")
      world.epay.setNotifyMode("manual")
      const byStripe = yield* world.topup
      world.stripe.pay(yield* world.openStripe(byStripe))
      const byEpay = yield* world.topup
      const reference = yield* world.openEpay(byEpay)
      world.epay.pay(reference)
      const event = world.stripe.events.findLast(({ type }) => type === "checkout.session.completed")
      if (event === undefined) return assert.fail("no event")
      const tell = Effect.promise(async () => {
        const told = await Promise.all([world.stripe.deliver(event), world.epay.notify(reference)])
        return told.flat().map(({ body, status }) => [status, body])
      })
      const refused = yield* Effect.scoped(Effect.andThen(lockedByAnother([byStripe, byEpay]), tell))
      assert.deepStrictEqual(refused, [[503, `{"received":false}`], [503, "fail"]])
      for (const order of [byStripe, byEpay]) assert.strictEqual(yield* world.stateOf(order), "pending")
      const [count] = yield* world.sql<
        { count: bigint }
      >`SELECT count(*) FROM payment_events WHERE outcome = 'received'`
      assert.strictEqual(count?.count, 0n)
      assert.deepStrictEqual(yield* tell, [[200, `{"received":true}`], [200, "success"]])
      for (const order of [byStripe, byEpay]) yield* isSettledOnce(order)
    }))
})
