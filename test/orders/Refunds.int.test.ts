/**
 * Money that root gives back through Stripe and EPay: debited once, however it is told, and never asked for twice.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { OrderId, RefundId } from "../../src/domain/Ids.ts"
import type { Order } from "../../src/orders/Order.ts"
import { isUnanswered, type NewRefund } from "../../src/orders/Refunds.ts"
import { ada } from "../support/AuditTrail.ts"
import { tagOf } from "../support/ClawbackFacts.ts"
import { inWorld, PaymentWorld, SecondServer } from "../support/PaymentWorld.ts"
import { adjustIn } from "../support/TestAccounts.ts"
import { send } from "../support/TestHttp.ts"

const Worlds = SecondServer.layer.pipe(
  Layer.provideMerge(PaymentWorld.layerOf()),
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
)

const whyOf = <A, E extends { readonly _tag: string; readonly why?: string; readonly reason?: string }, R>(
  effect: Effect.Effect<A, E, R>
) => Effect.map(Effect.flip(effect), (error) => `${error._tag} ${error.why ?? error.reason ?? ""}`)

const asking = (order: Order, more: Partial<NewRefund> = {}): NewRefund => ({
  orderId: order.id,
  amountMinor: undefined,
  note: "asked by the buyer",
  key: `refund-of-${order.id}`,
  ...more
})

const byStripe = Effect.fnUntraced(function*(order: Order) {
  const world = yield* PaymentWorld
  const session = yield* world.openStripe(order)
  const { paymentIntent } = world.stripe.pay(session)
  yield* world.idle
  assert.include(["paid", "active"], yield* world.stateOf(order))
  return { world, order, session, paymentIntent }
})

const byEpay = Effect.fnUntraced(function*(order: Order) {
  const world = yield* PaymentWorld
  const reference = yield* world.openEpay(order)
  world.epay.pay(reference)
  yield* world.idle
  assert.include(["paid", "active"], yield* world.stateOf(order))
  return { world, order, reference }
})

const topupOf = Effect.flatMap(PaymentWorld, (world) => world.topup)

const balanceOf = (order: Order) =>
  Effect.flatMap(PaymentWorld, (world) => Effect.map(world.balance(order.userId), ({ usd }) => usd))

layer(Worlds, { excludeTestServices: true, timeout: 60_000 })("refunds that root asks for", (it) => {
  const test = inWorld(it)

  it.effect("go back through Stripe in parts, and are debited once though the webhook tells of them too", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* byStripe(yield* topupOf)
      const part = yield* world.refunds.request(ada, asking(order, { amountMinor: 400n }))
      assert.strictEqual(part.state, "succeeded")
      assert.match(part.providerRefund ?? "", /^re_/)
      yield* world.idle
      assert.strictEqual(world.stripe.charge(paymentIntent).amount_refunded, 400)
      assert.strictEqual(yield* balanceOf(order), 840_000n)
      // The same form twice is one refund; the key of another one is refused.
      assert.deepStrictEqual(yield* world.refunds.request(ada, asking(order, { amountMinor: 400n })), part)
      const other = asking(order, { amountMinor: 100n })
      assert.strictEqual(yield* tagOf(world.refunds.request(ada, other)), "RefundReused")
      const more = asking(order, { amountMinor: 601n, key: "another-key" })
      assert.strictEqual(yield* whyOf(world.refunds.request(ada, more)), "ResolutionRefused amount")
      const rest = yield* world.refunds.request(ada, asking(order, { key: "the-rest-of-it" }))
      assert.deepStrictEqual([rest.state, rest.amountMinor], ["succeeded", 600n])
      yield* world.idle
      assert.strictEqual(yield* world.stateOf(order), "refunded")
      assert.strictEqual(yield* balanceOf(order), 0n)
      assert.strictEqual(
        yield* whyOf(world.refunds.request(ada, asking(order, { key: "nothing-is-left" }))),
        "RefundNotPossible state"
      )
      const shown = yield* world.history.show(order.id)
      assert.deepStrictEqual(
        shown.changes.map(({ action }) => action).toSorted(),
        [
          "order.refund_succeeded",
          "order.refund_succeeded",
          "order.refund_requested",
          "order.refund_requested"
        ].toSorted()
      )
      assert.strictEqual(shown.refundable?.leftMinor, 0n)
      yield* world.clean
    }))

  it.effect("go back through EPay, which tells of nothing, and end a subscription", () =>
    Effect.gen(function*() {
      const { order, reference, world } = yield* byEpay(yield* topupOf)
      const part = yield* world.refunds.request(ada, asking(order, { amountMinor: 250n }))
      assert.strictEqual(part.state, "succeeded")
      assert.strictEqual(world.epay.orders.get(reference)?.refundedFen, 250)
      assert.strictEqual(yield* balanceOf(order), 1_050_000n)
      const plan = yield* world.orders.subscription(yield* world.user(), "basic")
      yield* byEpay(plan)
      // A part that root gave back needs nobody to look; the whole ends it.
      yield* world.refunds.request(ada, asking(plan, { amountMinor: 100n }))
      assert.strictEqual(yield* world.stateOf(plan), "active")
      const shown = yield* world.history.show(plan.id)
      assert.deepStrictEqual(shown.events.filter(({ isOpen }) => isOpen), [])
      yield* world.refunds.request(ada, asking(plan, { key: "the-whole-plan" }))
      assert.strictEqual(yield* world.stateOf(plan), "refunded")
      yield* world.clean
    }))

  it.effect("that a provider refuses are failed, and nothing is debited", () =>
    Effect.gen(function*() {
      const { order, reference, world } = yield* byEpay(yield* topupOf)
      // Somebody has given most of it back by the gateway's own pages.
      const { key, pid, url } = world.epay
      yield* send(`${url}/api.php?act=refund`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded" },
        body: String(new URLSearchParams({ pid, key, out_trade_no: reference, money: "9.00" }))
      })
      const failed = yield* world.refunds.request(ada, asking(order))
      assert.strictEqual(failed.state, "failed")
      assert.include(failed.problem, "more than what is left")
      assert.strictEqual(yield* balanceOf(order), order.creditMicros)
      // It may be asked for again.
      const less = asking(order, { key: "once-more-please", amountMinor: 100n })
      assert.strictEqual((yield* world.refunds.request(ada, less)).state, "succeeded")
      assert.strictEqual(yield* balanceOf(order), 1_260_000n)
      yield* world.clean
    }))

  it.effect("without an answer from EPay are unknown until somebody looks, and block others", () =>
    Effect.gen(function*() {
      const { order, world } = yield* byEpay(yield* topupOf)
      world.epay.next({ dropConnection: true, takesEffect: true })
      const lost = yield* world.refunds.request(ada, asking(order, { amountMinor: 500n }))
      assert.deepStrictEqual([lost.state, isUnanswered(lost)], ["pending", true])
      assert.strictEqual(yield* balanceOf(order), 700_000n, "it counts until somebody knows better")
      const next = asking(order, { key: "one-after-that" })
      assert.strictEqual(yield* whyOf(world.refunds.request(ada, next)), "RefundNotPossible open")
      assert.strictEqual(yield* whyOf(world.refunds.retry(ada, lost.id)), "RefundNotPossible late")
      const unsaid = world.refunds.conclude(ada, lost.id, { isDone: true, note: " " })
      assert.strictEqual(yield* whyOf(unsaid), "ResolutionRefused note")
      const found = { isDone: true, note: "the gateway lists it" }
      const both = yield* Effect.all(
        [tagOf(world.refunds.conclude(ada, lost.id, found)), tagOf(world.refunds.conclude(ada, lost.id, found))],
        { concurrency: "unbounded" }
      )
      assert.include(both, "done")
      assert.strictEqual(yield* balanceOf(order), 700_000n)
      assert.strictEqual(yield* whyOf(world.refunds.conclude(ada, lost.id, found)), "RefundNotPossible closed")
      assert.strictEqual(
        yield* tagOf(world.refunds.conclude(ada, RefundId.make(999_999_999n), found)),
        "RefundNotFound"
      )
      yield* world.clean
    }))

  it.effect("without an answer from Stripe are asked again under the same key: one refund there, one debit here", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* byStripe(yield* topupOf)
      // As a server leaves it that dies between its record and Stripe's answer, after Stripe has done it.
      const { attempts } = yield* world.orders.show(order.id, undefined)
      const insert = (key: string, amount: number, problem: string, hours: number) =>
        world.sql<{ id: RefundId }>`
          INSERT INTO payment_refunds (provider, payment_reference, payment_id, amount_minor, currency, state, request_key,
              requested_by, note, problem, created_at)
            SELECT p.provider, p.payment_id, p.id, ${amount}::bigint, p.currency, 'pending', ${key}, 'user:1', 'n', ${problem},
                now() - make_interval(hours => ${hours}::integer)
              FROM payments p WHERE p.attempt_id = ${attempts[0]?.id} RETURNING id`
      const [row] = yield* insert("crashed-between", 300, "", 0)
      const id = row?.id ?? RefundId.make(0n)
      const young = world.refunds.conclude(ada, id, { isDone: false, note: "too soon" })
      assert.strictEqual(yield* whyOf(young), "RefundNotPossible open")
      // An account that does not know the payment, and a key that may not ask, say nothing of what was asked before.
      for (const fault of [{ status: 404, code: "resource_missing" }, { status: 403 }]) {
        world.stripe.next({ method: "POST", path: "/v1/refunds", ...fault })
        assert.isTrue(isUnanswered(yield* world.refunds.retry(ada, id)))
      }
      const other = yield* SecondServer
      // The second of two is told that there is nothing to ask.
      const retried = yield* Effect.forEach(
        [world.refunds, other.refunds],
        (refunds) =>
          Effect.match(refunds.retry(ada, id), {
            onSuccess: () => "asked",
            onFailure: (error) => "why" in error ? String(error.why) : error._tag
          }),
        { concurrency: "unbounded" }
      )
      assert.include(retried, "asked")
      assert.deepStrictEqual(retried.filter((answer) => answer !== "asked" && answer !== "closed"), [])
      yield* world.idle
      assert.strictEqual(world.stripe.charge(paymentIntent).amount_refunded, 300)
      assert.strictEqual(yield* balanceOf(order), 980_000n)
      const { refunds } = yield* world.history.show(order.id)
      assert.deepStrictEqual(refunds.map(({ state }) => state), ["succeeded"])
      assert.strictEqual(yield* whyOf(world.refunds.retry(ada, id)), "RefundNotPossible closed")
      const [left] = yield* insert("very-old", 1, "no answer", 24)
      assert.strictEqual(
        yield* whyOf(world.refunds.retry(ada, left?.id ?? RefundId.make(0n))),
        "RefundNotPossible late"
      )
      yield* world.refunds.conclude(ada, left?.id ?? RefundId.make(0n), {
        isDone: false,
        note: "Stripe does not list it"
      })
      assert.strictEqual(yield* balanceOf(order), 980_000n)
      yield* world.clean
    }))

  it.effect("of credit that was spent leave the rest owed; one that fails at the bank gives it back", () =>
    Effect.gen(function*() {
      const { order, world } = yield* byStripe(yield* topupOf)
      yield* adjustIn(world.sql, order.userId, { amountMicros: -1_000_000n })
      const refund = yield* world.refunds.request(ada, asking(order))
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 1_000_000n })
      yield* world.idle
      world.stripe.failRefund(refund.providerRefund ?? "")
      yield* world.idle
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 400_000n, owed: 0n })
      assert.strictEqual(yield* world.stateOf(order), "paid")
      // What failed can be asked for again, and is counted once.
      yield* world.refunds.request(ada, asking(order, { key: "after-the-failure" }))
      yield* world.idle
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 1_000_000n })
      yield* world.clean
    }))

  test("are not possible for what was not paid, paid outside, paid to another merchant or disputed", function*(world) {
    const pending = yield* world.topup
    assert.strictEqual(yield* whyOf(world.refunds.request(ada, asking(pending))), "RefundNotPossible state")
    yield* world.manual.complete(ada, { orderId: pending.id, provider: "manual", reference: "cash 7", note: "n" })
    assert.strictEqual(yield* whyOf(world.refunds.request(ada, asking(pending))), "RefundNotPossible manual")
    assert.strictEqual(
      yield* tagOf(world.refunds.request(ada, { ...asking(pending), orderId: OrderId.make(999_999_999n) })),
      "OrderNotFound"
    )
    const { order } = yield* byEpay(yield* topupOf)
    yield* world.sql`UPDATE payments p SET merchant_scope = '|another' FROM payment_attempts a
        WHERE a.id = p.attempt_id AND a.order_id = ${order.id}`
    assert.strictEqual(yield* whyOf(world.refunds.request(ada, asking(order))), "RefundNotPossible merchant")
    for (const more of [{ note: "" }, { key: "short" }, { amountMinor: 0n }, { amountMinor: -5n }]) {
      const { order: paid } = yield* byStripe(yield* topupOf)
      assert.strictEqual(yield* tagOf(world.refunds.request(ada, asking(paid, more))), "ResolutionRefused")
    }
    const disputed = yield* byStripe(yield* topupOf)
    world.stripe.dispute({ paymentIntent: disputed.paymentIntent })
    yield* world.idle
    assert.strictEqual(yield* whyOf(world.refunds.request(ada, asking(disputed.order))), "RefundNotPossible state")
    for (const { id } of [pending, order, disputed.order]) {
      assert.lengthOf((yield* world.history.show(id)).refunds, 0)
    }
  })

  it.effect("of one order, asked for at once on two servers, are one", () =>
    Effect.gen(function*() {
      const { order, paymentIntent, world } = yield* byStripe(yield* topupOf)
      const other = yield* SecondServer
      const answers = yield* Effect.all([
        tagOf(world.refunds.request(ada, asking(order, { key: "first-of-two" }))),
        tagOf(other.refunds.request(ada, asking(order, { key: "second-of-two" })))
      ], { concurrency: "unbounded" })
      assert.sameMembers([...answers], ["done", "RefundNotPossible"])
      yield* world.idle
      assert.strictEqual(world.stripe.charge(paymentIntent).amount_refunded, 1_000)
      assert.strictEqual(yield* balanceOf(order), 0n)
      yield* world.clean
    }))
})
