/**
 * Verified messages that no row could keep as they are, or that lack what a payment is known by: each is on record after its first
 * delivery, moves no money by itself, and the pages of its buyer and of root say what there is to say.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import type { UserId } from "../../src/domain/Ids.ts"
import type { Order } from "../../src/orders/Order.ts"
import { ConsoleClient } from "../support/ConsoleClient.ts"
import { openSession } from "../support/OpenSession.ts"
import { inWorld, PaymentWorld } from "../support/PaymentWorld.ts"
import { epaySigned, paidNotify, stripeSignature } from "../support/Signers.ts"
import { send } from "../support/TestHttp.ts"

const ada = { name: "user:1", userId: null, address: "" }

/** Text that does not compress: an index keeps 2,704 bytes of it at most. */
const noise = (characters: number): string => randomBytes(characters).toString("hex").slice(0, characters)

const notify = Effect.fnUntraced(function*(reference: string, more: Readonly<Record<string, string>>) {
  const { epay, origin } = yield* PaymentWorld
  const fields = paidNotify(epay.pid, reference, more)
  const pairs = epaySigned(Object.entries(fields).filter(([, value]) => value !== ""), epay.key)
  const body = String(new URLSearchParams(pairs.map(([name, value]) => [name, value])))
  const { status, text } = yield* send(`${origin}/api/pay/epay/notify`, {
    method: "POST",
    body,
    headers: { "content-type": "application/x-www-form-urlencoded" }
  })
  assert.deepStrictEqual([status, text], [200, "success"])
  return yield* newest
})

let events = 0

const webhook = Effect.fnUntraced(function*(type: string, object: object, more: object = {}) {
  const { origin, stripe } = yield* PaymentWorld
  const event = {
    id: `evt_unfit_${++events}`,
    object: "event",
    created: 1_700_000_000 + events,
    type,
    data: { object }
  }
  const body = JSON.stringify({ ...event, ...more })
  const atSeconds = Math.floor((yield* Clock.currentTimeMillis) / 1_000)
  const { status, text } = yield* send(`${origin}/api/pay/stripe/webhook`, {
    method: "POST",
    body,
    headers: { "stripe-signature": stripeSignature(body, stripe.webhookSecret, atSeconds) }
  })
  assert.strictEqual(status, 200, text)
  return yield* newest
})

interface Newest {
  readonly id: bigint
  readonly fact: string
  readonly outcome: string
}

const newest = Effect.gen(function*() {
  const { sql } = yield* PaymentWorld
  const [row] = yield* sql<Newest>`SELECT id, fact, outcome FROM payment_events ORDER BY id DESC LIMIT 1`
  return row ?? (yield* Effect.die(new Error("no event")))
}).pipe(Effect.orDie)

const COMPLETED = "checkout.session.completed"

/** A session of a new order that is paid by this payment intent. */
const paidSession = Effect.fnUntraced(function*() {
  const world = yield* PaymentWorld
  const { order, session } = yield* world.stripeTopup
  const { attempts } = yield* Effect.orDie(world.orders.show(order.id, undefined))
  const payment = `pi_unfit_${order.id}`
  const object = {
    id: session,
    object: "checkout.session",
    status: "complete",
    payment_status: "paid",
    payment_intent: payment,
    metadata: { realms_reference: attempts[0]?.reference ?? "" },
    amount_total: 1_000,
    currency: "cny"
  }
  return { order, payment, object }
})

/** A page as somebody sees it. */
const page = Effect.fnUntraced(function*(userId: UserId, path: string) {
  const { origin, sql } = yield* PaymentWorld
  const token = yield* Effect.orDie(openSession(sql, userId))
  return (yield* new ConsoleClient(origin, { session: Redacted.value(token) }).get(path)).text
})

const payPage = ({ id, kind, userId }: Order) => page(userId, `/pay/${kind}/${id}`)

const eventPage = Effect.fnUntraced(function*(id: bigint) {
  const { sql, user } = yield* PaymentWorld
  const root = yield* user()
  yield* Effect.orDie(sql`UPDATE users SET role = 'root' WHERE id = ${root}`)
  return yield* page(root, `/admin/payments/${id}`)
})

const REVIEWED = "arrived and is being reviewed"
const ASKED_AGAIN = "Choose a payment method again"

layer(PaymentWorld.layerOf(), { excludeTestServices: true })("messages that no row can keep as they are", (it) => {
  const test = inWorld(it)

  test("EPay: numbers, references, states and merchants of thousands of characters are on record", function*(world) {
    for (
      const [more, fact, outcome] of [
        [{ trade_no: noise(3_000) }, "Unreadable", "needs_review"],
        [{ out_trade_no: noise(3_000) }, "Unreadable", "needs_review"],
        [{ out_trade_no: noise(3_000), pid: noise(3_000) }, "Unreadable", "needs_review"],
        [{ trade_status: noise(3_000) }, "Nothing", "ignored"]
      ] as const
    ) {
      const { order, reference } = yield* world.epayTopup
      const told = yield* notify(reference, more)
      assert.deepStrictEqual([told.fact, told.outcome], [fact, outcome])
      assert.deepStrictEqual([yield* world.stateOf(order), yield* world.balance(order.userId)], [
        "pending",
        { usd: 0n, owed: 0n }
      ])
      assert.strictEqual(
        (yield* notify(reference, {})).outcome,
        "applied",
        "and do not keep the right one from settling"
      )
    }
  })

  test("Stripe: ids, states, sums and times that no column takes are on record", function*(world) {
    const { object, order, payment } = yield* paidSession()
    const first = yield* webhook(COMPLETED, { ...object, payment_intent: `pi_${noise(3_000)}` })
    assert.deepStrictEqual([first.fact, first.outcome], ["Paid", "needs_review"])
    yield* webhook(COMPLETED, { ...object, metadata: { realms_reference: `topup_1_${noise(3_000)}` } })
    yield* webhook(noise(3_000), object)
    const paid = yield* webhook(COMPLETED, object, { id: `evt_${noise(3_000)}`, created: Number.MAX_SAFE_INTEGER })
    assert.strictEqual(paid.outcome, "applied")
    yield* world.credited(order)
    const refund = { object: "refund", amount: 100, currency: "cny", payment_intent: payment, status: "succeeded" }
    assert.strictEqual(
      (yield* webhook("refund.updated", { id: `re_${noise(3_000)}`, ...refund })).outcome,
      "needs_review"
    )
    const dispute = {
      object: "dispute",
      amount: 1_000,
      currency: "cny",
      payment_intent: payment,
      status: "needs_response"
    }
    for (
      const [changed, created] of [
        [{ id: `du_${noise(3_000)}` }, 1],
        [{ id: "du_state", status: noise(3_000) }, 1],
        [{ id: "du_time", status: "warning_closed" }, 1e15],
        [{ id: "du_time", status: "warning_closed" }, -1]
      ] as const
    ) yield* webhook("charge.dispute.created", { ...dispute, ...changed }, { created })
    const balance = Array.from({ length: 2_000 }, () => ({ amount: -Number.MAX_SAFE_INTEGER, currency: "cny" }))
    yield* webhook("charge.dispute.closed", { ...dispute, id: "du_sum", status: "won", balance_transactions: balance })
    yield* world.credited(order)
  })

  test("money whose payment is not named: the buyer is not asked again, and root is told what to do", function*(world) {
    const { order, reference } = yield* world.epayTopup
    const { object, order: other } = yield* paidSession()
    const told = [
      [order, yield* notify(reference, { trade_no: "" })],
      [other, yield* webhook(COMPLETED, { ...object, payment_intent: null })]
    ] as const
    for (const [{ id }, event] of told) {
      assert.strictEqual(event.outcome, "needs_review")
      assert.include(yield* eventPage(event.id), `open order #${id} and mark it as paid`)
    }
    for (const one of [order, other]) {
      const shown = yield* payPage(one)
      assert.include(shown, REVIEWED)
      assert.notInclude(shown, ASKED_AGAIN)
    }
    // As the page says. The gateway repeats its notify then, with the number.
    const trade = `T${reference}`
    yield* world.manual.complete(ada, { orderId: order.id, provider: "epay", reference: trade, note: "seen there" })
    yield* world.credited(order)
    assert.notInclude(yield* payPage(order), REVIEWED)
    assert.strictEqual((yield* notify(reference, {})).outcome, "duplicate")
    yield* world.credited(order)
  })

  test(
    "money in no readable amount: root completes the order, once, and the payment is in review no more",
    function*(world) {
      const { order, reference } = yield* world.epayTopup
      const told = yield* notify(reference, { money: "1e1" })
      const shown = yield* eventPage(told.id)
      assert.include(shown, `open order #${order.id} and mark it as paid`)
      assert.notInclude(shown, "stays in the books")
      yield* world.manual.complete(ada, {
        orderId: order.id,
        provider: "epay",
        reference: `T${reference}`,
        note: "seen there"
      })
      yield* world.credited(order)
      assert.deepStrictEqual(yield* world.paymentEvents.list({ open: true, text: reference }, { limit: 5 }), [])
      assert.strictEqual((yield* notify(reference, {})).outcome, "duplicate")
      yield* world.credited(order)
    }
  )

  test("a refund and a dispute that name a charge alone find their payment", function*(world) {
    const { order, session } = yield* world.stripeTopup
    const { charge } = world.stripe.pay(session)
    yield* world.idle
    yield* world.credited(order)
    const about = { charge, payment_intent: null, currency: "cny" }
    const refund = { id: "re_alone", object: "refund", amount: 400, status: "succeeded", ...about }
    assert.strictEqual((yield* webhook("refund.updated", refund)).outcome, "applied")
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 840_000n, owed: 0n })
    const dispute = { id: "du_alone", object: "dispute", amount: 600, status: "under_review", ...about }
    assert.strictEqual((yield* webhook("charge.dispute.created", dispute)).outcome, "applied")
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
    const foreign = { ...refund, id: "re_foreign", charge: "ch_of_another_shop" }
    assert.strictEqual((yield* webhook("refund.updated", foreign)).outcome, "ignored")
  })

  test("what is to be done about a dispute is said by what it is", function*() {
    const { object, payment } = yield* paidSession()
    yield* webhook(COMPLETED, object)
    const dispute = { object: "dispute", amount: 1_000, currency: "cny", payment_intent: payment }
    const created = (id: string, status: string) =>
      Effect.flatMap(webhook("charge.dispute.created", { ...dispute, id, status }), (event) => eventPage(event.id))
    const inquiry = yield* created("du_inquiry", "warning_needs_response")
    assert.include(inquiry, "nothing is clawed back")
    const prevented = yield* created("du_prevented", "prevented")
    assert.notInclude(prevented, "Answer it at the provider")
    const open = yield* created("du_open", "needs_response")
    assert.include(open, "Until then the purchase is clawed back")
    const appeal = yield* webhook("charge.dispute.updated", {
      ...dispute,
      id: "du_open",
      status: "appeal_needs_response"
    })
    assert.strictEqual(appeal.outcome, "needs_review", "it is to be answered once more")
  })
})
