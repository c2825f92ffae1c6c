/**
 * Messages of payment providers from the field that moved money wrongly in the first version. They are signed here by hand, as
 * the providers sign them.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { type EventId, UserId } from "../../src/domain/Ids.ts"
import type { Resolve } from "../../src/events/EventResolutions.ts"
import type { Order } from "../../src/orders/Order.ts"
import { inWorld, PaymentWorld } from "../support/PaymentWorld.ts"
import { epaySigned, paidNotify, stripeSignature } from "../support/Signers.ts"
import { send } from "../support/TestHttp.ts"

const root = { name: "user:1", userId: UserId.make(1n), address: "" }

const notify = Effect.fnUntraced(function*(reference: string, more: Readonly<Record<string, string>> = {}) {
  const { epay, origin } = yield* PaymentWorld
  const pairs = epaySigned(Object.entries(paidNotify(epay.pid, reference, more)), epay.key)
  const query = new URLSearchParams(pairs.map(([name, value]) => [name, value]))
  const answer = yield* send(`${origin}/api/pay/epay/notify?${query}`, {})
  assert.deepStrictEqual([answer.status, answer.text], [200, "success"])
  return yield* newest
})

let events = 0

const webhook = Effect.fnUntraced(function*(type: string, object: object, more: object = {}) {
  const { origin, stripe } = yield* PaymentWorld
  const body = JSON.stringify({
    id: `evt_field_${++events}`,
    object: "event",
    livemode: true,
    created: 1_700_000_000 + events,
    type,
    data: { object },
    ...more
  })
  const seconds = Math.floor((yield* Effect.clockWith((clock) => clock.currentTimeMillis)) / 1_000)
  const answer = yield* send(`${origin}/api/pay/stripe/webhook`, {
    method: "POST",
    body,
    headers: { "stripe-signature": stripeSignature(body, stripe.webhookSecret, seconds) }
  })
  assert.strictEqual(answer.status, 200, answer.text)
  return yield* newest
})

interface Newest {
  readonly id: EventId
  readonly fact: string
  readonly outcome: string
  readonly note: string
  readonly deliveries: number
}

const newest = Effect.gen(function*() {
  const { sql } = yield* PaymentWorld
  const [row] = yield* sql<Newest>`SELECT id, fact, outcome, note, deliveries FROM payment_events
    ORDER BY received_at DESC, id DESC LIMIT 1`
  return row ?? (yield* Effect.die(new Error("no event")))
}).pipe(Effect.orDie)

const resolve = Effect.fnUntraced(function*(id: EventId, asked: Resolve) {
  const { resolutions } = yield* PaymentWorld
  return yield* Effect.match(resolutions.resolve(root, id, asked), {
    onSuccess: () => "done",
    onFailure: (error) => error._tag
  })
})

const credit = (order: Order, amountMicros: bigint): Resolve => ({
  resolution: "credited",
  note: "seen at the gateway",
  user: String(order.userId),
  amountMicros
})

const session = (reference: string, more: object = {}) => ({
  id: `cs_field_${events}`,
  object: "checkout.session",
  status: "complete",
  payment_status: "paid",
  payment_intent: `pi_field_${events}`,
  metadata: { realms_reference: reference },
  amount_total: 1_000,
  currency: "cny",
  ...more
})

const referenceOf = Effect.fnUntraced(function*(order: Order) {
  const { openStripe, orders } = yield* PaymentWorld
  yield* openStripe(order)
  return (yield* orders.show(order.id, undefined)).attempts[0]?.reference ?? ""
}, Effect.orDie)

/** An order paid through Stripe. */
const paidByStripe = Effect.fnUntraced(function*(kind: "plan" | "topup") {
  const world = yield* PaymentWorld
  const order = kind === "topup"
    ? yield* world.topup
    : yield* Effect.orDie(world.orders.subscription(yield* world.user(), "basic"))
  const payment = `pi_of_${order.id}`
  const paid = session(yield* referenceOf(order), { payment_intent: payment, amount_total: Number(order.amountFen) })
  assert.strictEqual((yield* webhook("checkout.session.completed", paid)).outcome, "applied")
  return { order, payment }
})

const statusOf = Effect.fnUntraced(function*(order: Order) {
  const { sql } = yield* PaymentWorld
  const [row] = yield* sql<{ status: string }>`SELECT status FROM user_subscriptions WHERE order_id = ${order.id}`
  return row?.status
}, Effect.orDie)

layer(PaymentWorld.layerOf({ stripeKey: "sk_live_field" }), { excludeTestServices: true })(
  "money in, from the field",
  (it) => {
    const test = inWorld(it)

    for (const resolution of ["credited", "refunded"] as const) {
      test(`a wrong answer to a query that root ${resolution}, then the right notify: a duplicate`, function*(world) {
        const order = yield* world.topup
        world.epay.setNotifyMode("manual")
        const reference = yield* world.openEpay(order)
        world.epay.pay(reference, { trade_no: `T${reference}`, money: "9.94" })
        yield* world.reconciliation.all(() => undefined)
        const asked = yield* newest
        assert.deepStrictEqual([asked.fact, asked.outcome], ["Paid", "needs_review"])
        const decided = resolution === "credited"
          ? credit(order, 1_391_600n)
          : { resolution, note: "given back at the gateway" } as const
        assert.strictEqual(yield* resolve(asked.id, decided), "done")
        const told = yield* notify(reference)
        assert.deepStrictEqual([told.fact, told.outcome], ["Paid", "duplicate"])
        const usd = resolution === "credited" ? 1_391_600n : 0n
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd, owed: 0n })
        assert.strictEqual(yield* world.stateOf(order), "pending")
      })
    }

    test(
      "a wrong answer to a query, then the right notify: it pays the order, and nothing is left to look at",
      function*(world) {
        const order = yield* world.topup
        world.epay.setNotifyMode("manual")
        const reference = yield* world.openEpay(order)
        world.epay.pay(reference, { trade_no: `T${reference}`, money: "9.94" })
        yield* world.reconciliation.all(() => undefined)
        assert.strictEqual((yield* notify(reference)).outcome, "applied")
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
        assert.deepStrictEqual(yield* world.paymentEvents.list({ open: true, text: reference }, { limit: 5 }), [])
      }
    )

    test("an inquiry about a part of a plan's price: needs a review, and the plan goes on", function*(world) {
      const { order, payment } = yield* paidByStripe("plan")
      const inquiry = {
        id: "du_inquiry",
        object: "dispute",
        amount: 100,
        currency: "cny",
        payment_intent: payment,
        reason: "general",
        evidence_details: { due_by: 1_800_000_000 },
        status: "warning_needs_response"
      }
      const told = yield* webhook("charge.dispute.created", inquiry)
      assert.strictEqual(told.outcome, "needs_review")
      assert.include(told.note, "2027-01-15")
      assert.deepStrictEqual([yield* world.stateOf(order), yield* statusOf(order)], ["active", "active"])
      const closed = yield* webhook("charge.dispute.closed", { ...inquiry, status: "warning_closed" })
      assert.strictEqual(closed.outcome, "applied")
      assert.deepStrictEqual([yield* world.stateOf(order), yield* statusOf(order)], ["active", "active"])
    })

    test("a dispute that cannot be read offers no credit, and refuses one", function*(world) {
      const { order, payment } = yield* paidByStripe("topup")
      const told = yield* webhook("charge.dispute.created", {
        id: "du_odd",
        object: "dispute",
        amount: -5,
        currency: "cny",
        payment_intent: payment,
        status: "needs_response"
      })
      assert.deepStrictEqual([told.fact, told.outcome], ["UnreadableClawback", "needs_review"])
      const { evidence } = yield* world.paymentEvents.find(told.id)
      assert.deepInclude(evidence, { type: "charge.dispute.created", livemode: true }, "the message is kept")
      assert.strictEqual(yield* resolve(told.id, credit(order, 1_000_000n)), "ResolutionRefused")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
      assert.strictEqual(yield* resolve(told.id, { resolution: "dismissed", note: "asked Stripe" }), "done")
    })

    test("an event of the test mode under a live key: needs a review, and is never credited", function*(world) {
      const order = yield* world.topup
      yield* world.openStripe(order)
      const { attempts } = yield* world.orders.show(order.id, undefined)
      const told = yield* webhook("checkout.session.completed", session(attempts[0]?.reference ?? ""), {
        livemode: false
      })
      assert.strictEqual(told.outcome, "needs_review")
      assert.strictEqual(yield* resolve(told.id, credit(order, 1_400_000n)), "ResolutionRefused")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
      assert.strictEqual(yield* world.stateOf(order), "pending")
    })

    test("an event of another shop on the same account is ignored, whatever its payer filled in", function*(world) {
      const order = yield* world.topup
      yield* world.openStripe(order)
      const { attempts } = yield* world.orders.show(order.id, undefined)
      // A payment link takes it from its address: `?client_reference_id=`.
      const filledIn = { client_reference_id: attempts[0]?.reference ?? "" }
      for (const metadata of [{}, null, { reference: "INV-2024-001" }]) {
        const told = yield* webhook("checkout.session.completed", session("", { ...filledIn, metadata }))
        assert.strictEqual(told.outcome, "ignored")
      }
      assert.strictEqual(yield* world.stateOf(order), "pending")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
    })

    test(
      "a trade number that comes for a second order, and the right notify after a wrong one, are events of their own",
      function*(world) {
        world.epay.setNotifyMode("manual")
        const [first, second] = [yield* world.topup, yield* world.topup]
        const [one, two] = [yield* world.openEpay(first), yield* world.openEpay(second)]
        assert.strictEqual((yield* notify(one, { trade_no: "shared" })).outcome, "applied")
        const other = yield* notify(two, { trade_no: "shared" })
        assert.deepStrictEqual([other.outcome, other.deliveries], ["needs_review", 1])
        assert.strictEqual(yield* world.stateOf(second), "pending")
        assert.strictEqual((yield* notify(two, { money: "9.94" })).outcome, "needs_review")
        assert.strictEqual((yield* notify(two)).outcome, "applied")
        assert.deepStrictEqual(yield* world.balance(second.userId), { usd: second.creditMicros, owed: 0n })
      }
    )

    test("a refund that failed and was never counted gives nothing", function*(world) {
      const { order, payment } = yield* paidByStripe("topup")
      yield* webhook("refund.created", {
        id: "re_made",
        object: "refund",
        amount: 400,
        currency: "cny",
        payment_intent: payment,
        status: "succeeded"
      })
      const left = order.creditMicros - (order.creditMicros * 400n) / 1_000n
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: left, owed: 0n })
      yield* webhook("refund.failed", {
        id: "re_never",
        object: "refund",
        amount: 200,
        currency: "cny",
        payment_intent: payment,
        status: "failed"
      })
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: left, owed: 0n })
    })

    test("a sum of refunds that Stripe does not list moves nothing, and needs a review", function*(world) {
      const { order, payment } = yield* paidByStripe("topup")
      const charge = { id: "ch_1", object: "charge", amount_refunded: 400, currency: "cny", payment_intent: payment }
      const told = yield* webhook("charge.refunded", charge)
      assert.deepStrictEqual([told.fact, told.outcome], ["Refunded", "needs_review"])
      assert.include(told.note, "does not list")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
    })

    test("a NUL in the metadata of a signed event is settled like any other", function*(world) {
      const order = yield* world.topup
      yield* world.openStripe(order)
      const { attempts } = yield* world.orders.show(order.id, undefined)
      const metadata = { realms_reference: attempts[0]?.reference ?? "", note: "a\u0000b" }
      assert.strictEqual((yield* webhook("checkout.session.completed", session("", { metadata }))).outcome, "applied")
      const foreign = session("", { metadata: { reference: "topup_1\u0000" }, client_reference_id: "sub_1\u0000" })
      assert.strictEqual((yield* webhook("checkout.session.completed", foreign)).outcome, "ignored")
    })

    test("a manual payment counts once, under whatever provider's name its money is told of", function*(world) {
      world.epay.setNotifyMode("manual")
      const [order, other] = [yield* world.topup, yield* world.topup]
      const [reference, elsewhere] = [yield* world.openEpay(order), yield* world.openEpay(other)]
      const trade = `T${reference}`
      const completed = yield* world.manual.complete(root, {
        orderId: order.id,
        provider: "manual",
        reference: trade,
        note: "n"
      })
      assert.strictEqual(completed.state, "paid")
      assert.strictEqual((yield* notify(reference)).outcome, "duplicate")
      assert.strictEqual((yield* notify(elsewhere, { trade_no: trade })).outcome, "needs_review")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
      assert.strictEqual(yield* world.stateOf(other), "pending")
      for (const id of ["pi_1", "ch_1", "py_1", "cs_1"]) {
        const asked = { orderId: other.id, provider: "manual", reference: id, note: "n" } as const
        assert.strictEqual((yield* Effect.flip(world.manual.complete(root, asked)))._tag, "ResolutionRefused")
      }
    })
  }
)
