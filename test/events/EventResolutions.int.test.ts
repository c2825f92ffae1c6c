/**
 * What root makes of payments that fulfilled no order: once, however many ask, and never twice for one payment.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { EventId, makeReservationId, UserId } from "../../src/domain/Ids.ts"
import type { Resolve } from "../../src/events/EventResolutions.ts"
import type { PaymentFact } from "../../src/payments/PaymentFact.ts"
import { ada, bob } from "../support/AuditTrail.ts"
import { tagOf } from "../support/ClawbackFacts.ts"
import { inWorld, paidFact, PaymentWorld, SecondServer } from "../support/PaymentWorld.ts"
import { testsOf } from "../support/Steps.ts"

const noEvent = EventId.make(0n)

const Worlds = SecondServer.layer.pipe(
  Layer.provideMerge(PaymentWorld.layerOf()),
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
)

/** An order that is paid, and its second payment: an exception. */
const secondPayment = Effect.gen(function*() {
  const world = yield* PaymentWorld
  const { order, reference } = yield* world.epayTopup
  const fact = (payment: string, more: object = {}) =>
    paidFact(reference, { provider: "epay", merchant: world.epay.pid, payment, ...more })
  yield* world.settlement.settle(fact(`first${order.id}`))
  yield* world.settlement.settle(fact(`second${order.id}`))
  const [event] = yield* world.paymentEvents.list({ open: true, text: `second${order.id}` }, { limit: 2 })
  if (event === undefined) return yield* Effect.die(new Error("no exception"))
  return { world, order, event, fact, payment: `second${order.id}` }
})

/** What was paid is given back by the provider, in part or in full. */
const refundOf = (paid: PaymentFact, amountMinor: bigint) => ({
  ...paid,
  _tag: "Refund" as const,
  refund: makeReservationId(),
  own: null,
  state: "succeeded" as const,
  amountMinor,
  currency: "cny"
})

const credit = (userId: UserId, more: Partial<Extract<Resolve, { resolution: "credited" }>> = {}): Resolve => ({
  resolution: "credited",
  note: "paid twice",
  user: String(userId),
  amountMicros: 1_400_000n,
  ...more
})

layer(Worlds, { excludeTestServices: true, timeout: 60_000 })("exceptions", (it) => {
  const test = inWorld(it)
  const resolving = testsOf<Effect.Success<typeof secondPayment>, PaymentWorld | SecondServer>(
    it.effect,
    secondPayment,
    ({ world }) => world.clean
  )

  it.effect("are shown with the buyer and what the payment is worth", () =>
    Effect.gen(function*() {
      const { event, order, world } = yield* secondPayment
      const found = yield* world.paymentEvents.find(event.id)
      assert.deepStrictEqual(found.buyer?.id, order.userId)
      assert.strictEqual(found.suggestedMicros, 1_400_000n)
      assert.isTrue(found.event.isOpen)
      assert.isAbove(yield* world.paymentEvents.openCount, 0)
      assert.strictEqual(yield* tagOf(world.paymentEvents.find(EventId.make(999_999_999n))), "EventNotFound")
    }))

  resolving("are credited once, by the first of two administrators on two servers", function*({ event, order, world }) {
    const other = yield* SecondServer
    const both = yield* Effect.all([
      tagOf(world.resolutions.resolve(ada, event.id, credit(order.userId))),
      tagOf(other.resolutions.resolve(bob, event.id, credit(order.userId, { amountMicros: 1_000_000n })))
    ], { concurrency: "unbounded" })
    assert.sameMembers([...both], ["done", "EventClosed"])
    const { event: now } = yield* world.paymentEvents.find(event.id)
    assert.isFalse(now.isOpen)
    assert.strictEqual(now.creditedUserId, order.userId)
    assert.deepStrictEqual(yield* world.balance(order.userId), {
      usd: order.creditMicros + (now.creditedMicros ?? 0n),
      owed: 0n
    })
    assert.strictEqual(yield* world.stateOf(order), "paid", "no second fulfilment")
    const audit = yield* world.sql`SELECT FROM audit_log WHERE target = ${`payment:${event.id}`}`
    assert.lengthOf(audit, 1)
    // The same again by the same administrator changes nothing.
    const [row] = yield* world.sql<
      { by: string }
    >`SELECT resolved_by AS by FROM payment_events WHERE id = ${event.id}`
    const winner = row?.by === ada.name ? ada : bob
    const again = credit(order.userId, { amountMicros: now.creditedMicros ?? 0n })
    assert.strictEqual(yield* tagOf(world.resolutions.resolve(winner, event.id, again)), "done")
    assert.strictEqual(
      yield* tagOf(world.resolutions.resolve(winner, event.id, { resolution: "dismissed", note: "x" })),
      "EventClosed"
    )
  })

  resolving("refuse bad input, and change nothing", function*({ event, order, world }) {
    const bad: ReadonlyArray<Resolve> = [
      credit(order.userId, { note: " " }),
      credit(order.userId, { amountMicros: 0n }),
      credit(order.userId, { amountMicros: -1n }),
      credit(order.userId, { amountMicros: 1_000_000_000_001n }),
      credit(UserId.make(999_999_999n)),
      credit(order.userId, { user: "nobody@example.com" }),
      credit(order.userId, { user: "" }),
      { resolution: "dismissed", note: "" },
      { resolution: "refunded", note: "a\nb" }
    ]
    for (const asked of bad) {
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event.id, asked)), "ResolutionRefused")
    }
    assert.isTrue((yield* world.paymentEvents.find(event.id)).event.isOpen)
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
    const applied = yield* world.paymentEvents.list({ text: `first${order.id}` }, { limit: 1 })
    const first = applied[0]?.id ?? noEvent
    assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, first, credit(order.userId))), "EventClosed")
  })

  test("give nothing for money that root has written down as another order's, under whatever name", function*(world) {
    const [first, second] = [yield* world.topup, yield* world.topup]
    const reference = yield* world.openEpay(second)
    const payment = `seen${first.id}`
    yield* world.manual.complete(ada, { orderId: first.id, provider: "manual", reference: payment, note: "n" })
    const settled = yield* world.settlement.settle(
      paidFact(reference, { provider: "epay", merchant: world.epay.pid, payment })
    )
    assert.strictEqual(settled.outcome, "needs_review")
    const [event] = yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 1 })
    const id = event?.id ?? noEvent
    const resolve = (asked: Resolve) => tagOf(world.resolutions.resolve(ada, id, asked))
    assert.strictEqual(yield* resolve(credit(second.userId)), "PaymentUsed")
    assert.strictEqual(yield* resolve({ resolution: "accepted", note: "n", inProportion: false }), "PaymentUsed")
    assert.strictEqual(yield* resolve({ resolution: "refunded", note: "n" }), "PaymentUsed")
    assert.strictEqual(
      yield* tagOf(world.resolutions.refund(ada, id, { note: "n", key: `twin-refund-${first.id}` })),
      "PaymentUsed"
    )
    assert.strictEqual(yield* resolve({ resolution: "dismissed", note: "n" }), "done")
    assert.deepStrictEqual(yield* world.balance(second.userId), { usd: 0n, owed: 0n })
  })

  resolving(
    "a payment counts once: whatever is told of it after a credit, or after it paid an order, is a duplicate",
    function*({ event, fact, order, payment, world }) {
      const resolve = (id: EventId, asked: Resolve) => tagOf(world.resolutions.resolve(ada, id, asked))
      // The payment that paid the order, told with another amount.
      const paid = yield* world.settlement.settle(
        fact(`first${order.id}`, { amountMinor: 7n, eventKey: makeReservationId() })
      )
      assert.strictEqual(paid.outcome, "duplicate")
      // The second payment, told twice in different ways: both wait for one answer.
      yield* world.settlement.settle(fact(payment, { amountMinor: 7n, eventKey: makeReservationId() }))
      assert.lengthOf(yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 5 }), 2)
      assert.strictEqual(yield* resolve(event.id, credit(order.userId)), "done")
      assert.lengthOf(yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 5 }), 0)
      const again = yield* world.settlement.settle(fact(payment, { eventKey: makeReservationId() }))
      assert.strictEqual(again.outcome, "duplicate")
      // It does not complete an order either, whatever root calls its provider.
      const next = yield* world.topup
      for (const provider of ["epay", "manual"] as const) {
        const named = { orderId: next.id, provider, reference: payment, note: "n" }
        assert.strictEqual(yield* tagOf(world.manual.complete(ada, named)), "PaymentUsed")
      }
    }
  )

  resolving(
    "a refund of a payment that was credited debits whom it was credited to, in proportion",
    function*({ event, fact, order, payment, world }) {
      const payee = yield* world.user()
      const asked = credit(payee, { amountMicros: 1_000_001n })
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event.id, asked)), "done")
      const refund = (amountMinor: bigint) => (refundOf(fact(payment, { eventKey: makeReservationId() }), amountMinor))
      assert.strictEqual((yield* world.settlement.settle(refund(333n))).outcome, "applied")
      assert.deepStrictEqual(yield* world.balance(payee), { usd: 1_000_001n - 333_000n, owed: 0n })
      assert.strictEqual((yield* world.settlement.settle(refund(667n))).outcome, "applied")
      assert.deepStrictEqual(yield* world.balance(payee), { usd: 0n, owed: 0n })
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
    }
  )

  resolving(
    "a refund that came before the credit is debited with it",
    function*({ event, fact, order, payment, world }) {
      const refund = refundOf(fact(payment, { eventKey: makeReservationId() }), 400n)
      assert.strictEqual((yield* world.settlement.settle(refund)).outcome, "deferred")
      const asked = credit(order.userId, { amountMicros: 1_000_000n })
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event.id, asked)), "done")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros + 600_000n, owed: 0n })
    }
  )

  resolving(
    "a payment that was refunded at the provider settles no more, and its refund moves nothing",
    function*({ event, fact, order, payment, world }) {
      const early = refundOf(fact(payment, { eventKey: makeReservationId() }), 400n)
      assert.strictEqual((yield* world.settlement.settle(early)).outcome, "deferred")
      const back: Resolve = { resolution: "refunded", note: "at the gateway" }
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event.id, back)), "done")
      const late = { ...early, eventKey: makeReservationId(), refund: makeReservationId(), amountMinor: 600n }
      assert.strictEqual((yield* world.settlement.settle(late)).outcome, "applied")
      const again = yield* world.settlement.settle(fact(payment, { eventKey: makeReservationId() }))
      assert.strictEqual(again.outcome, "duplicate")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
    }
  )

  test("a payment that was dismissed still settles by an event that fits", function*(world) {
    const { order, reference } = yield* world.epayTopup
    const payment = `d${order.id}`
    const fact = (more: object) => paidFact(reference, { provider: "epay", merchant: world.epay.pid, payment, ...more })
    const wrong = yield* world.settlement.settle(fact({ amountMinor: 994n }))
    assert.strictEqual(wrong.outcome, "needs_review")
    const [event] = yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 5 })
    const dismissed: Resolve = { resolution: "dismissed", note: "a test of theirs" }
    assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event?.id ?? noEvent, dismissed)), "done")
    assert.strictEqual((yield* world.settlement.settle(fact({ eventKey: makeReservationId() }))).outcome, "applied")
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
  })

  /** A payment of 9.94 for an order of 10.00, in review. */
  const lessPaid = Effect.fnUntraced(function*(kind: "plan" | "topup") {
    const world = yield* PaymentWorld
    const order = kind === "topup"
      ? yield* world.topup
      : yield* Effect.orDie(world.orders.subscription(yield* world.user(), "basic"))
    const reference = yield* world.openEpay(order)
    const payment = `l${order.id}`
    const fact = paidFact(reference, { provider: "epay", merchant: world.epay.pid, payment, amountMinor: 994n })
    assert.strictEqual((yield* world.settlement.settle(fact)).outcome, "needs_review")
    const [event] = yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 5 })
    if (event === undefined) return yield* Effect.die(new Error("no event"))
    const right = { ...fact, eventKey: makeReservationId(), amountMinor: order.amountFen }
    return { event, order, payment, right, world }
  })

  for (const inProportion of [true, false]) {
    it.effect(`accepted ${inProportion ? "in proportion" : "as asked"}, it pays its order once`, () =>
      Effect.gen(function*() {
        const { event, order, payment, right, world } = yield* lessPaid("topup")
        const accepted: Resolve = { resolution: "accepted", note: "a rounding of theirs", inProportion }
        const both = yield* Effect.all([
          tagOf(world.resolutions.resolve(ada, event.id, accepted)),
          tagOf((yield* SecondServer).resolutions.resolve(bob, event.id, credit(order.userId)))
        ], { concurrency: "unbounded" })
        assert.sameMembers([...both], ["done", "EventClosed"])
        if (both[0] !== "done") return
        const micros = inProportion ? 1_391_600n : 1_400_000n
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: micros, owed: 0n })
        const { order: now, payments } = yield* world.orders.show(order.id, undefined)
        assert.deepStrictEqual([now.state, now.creditMicros], ["paid", micros])
        assert.deepStrictEqual(payments.map(({ paidMinor, state }) => [state, paidMinor]), [["fulfilled", 994n]])
        assert.strictEqual((yield* world.settlement.settle(right)).outcome, "duplicate")
        // What goes back is a part of what was paid.
        const refund = {
          ...right,
          eventKey: makeReservationId(),
          _tag: "Refund" as const,
          refund: makeReservationId(),
          own: null,
          state: "succeeded" as const,
          amountMinor: 497n,
          currency: "cny"
        }
        assert.strictEqual((yield* world.settlement.settle(refund)).outcome, "applied")
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: micros - micros / 2n, owed: 0n })
        assert.strictEqual((yield* world.paymentEvents.find(event.id)).event.payment, payment)
        yield* world.clean
      }))
  }

  it.effect("a plan is accepted as asked alone, and an order that is paid accepts nothing", () =>
    Effect.gen(function*() {
      const { event, order, world } = yield* lessPaid("plan")
      const accepted = (inProportion: boolean): Resolve => ({ resolution: "accepted", note: "n", inProportion })
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event.id, accepted(true))), "ResolutionRefused")
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event.id, accepted(false))), "done")
      assert.strictEqual(yield* world.stateOf(order), "active")
      const second = yield* secondPayment
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, second.event.id, accepted(false))), "PaymentUsed")
      yield* world.clean
    }))

  test("payments of two gateways with one number are two payments, each decided on by itself", function*(world) {
    const [first, second] = [yield* world.topup, yield* world.topup]
    const [one, two] = [yield* world.openEpay(first), yield* world.openEpay(second)]
    yield* world.sql`UPDATE payment_attempts SET gateway = 'other.example.com' WHERE order_id = ${second.id}`
    const number = `n${first.id}`
    const wrong = (reference: string) =>
      paidFact(reference, { provider: "epay", merchant: world.epay.pid, payment: number, amountMinor: 994n })
    for (const reference of [one, two]) yield* world.settlement.settle(wrong(reference))
    const open = world.paymentEvents.list({ open: true, text: number }, { limit: 5 })
    const events = yield* open
    assert.lengthOf(events, 2)
    const ofSecond = events.find(({ reference }) => reference === two)
    assert.strictEqual(
      yield* tagOf(world.resolutions.resolve(ada, ofSecond?.id ?? noEvent, credit(second.userId))),
      "done"
    )
    const left = yield* open
    assert.deepStrictEqual(left.map(({ reference }) => reference), [one])
    const right = { ...wrong(one), eventKey: makeReservationId(), amountMinor: 1_000n }
    assert.strictEqual((yield* world.settlement.settle(right)).outcome, "applied")
    const again = { ...wrong(two), eventKey: makeReservationId(), amountMinor: 1_000n }
    assert.strictEqual((yield* world.settlement.settle(again)).outcome, "duplicate")
    assert.strictEqual((yield* world.balance(first.userId)).usd, first.creditMicros)
  })

  test("join what has waited for a day", function*(world) {
    const { order, reference } = yield* world.epayTopup
    const payment = `p${order.id}`
    const waiting = paidFact(reference, {
      provider: "epay",
      payment,
      _tag: "Refund",
      refund: makeReservationId(),
      own: null,
      state: "succeeded",
      amountMinor: 5n
    })
    yield* world.settlement.settle(waiting)
    assert.deepStrictEqual(yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 5 }), [])
    yield* world.sql`UPDATE payment_events SET received_at = now() - interval '25 hours'
        WHERE payment_reference = ${payment}`
    const [event] = yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 5 })
    assert.strictEqual(event?.outcome, "deferred")
    assert.strictEqual(
      yield* tagOf(world.resolutions.resolve(ada, event?.id ?? noEvent, credit(order.userId))),
      "ResolutionRefused"
    )
    const dismissed: Resolve = { resolution: "dismissed", note: "a test of theirs" }
    yield* world.resolutions.resolve(ada, event?.id ?? noEvent, dismissed)
    // Should its payment come all the same, it counts.
    yield* world.settlement.settle(paidFact(reference, { provider: "epay", merchant: world.epay.pid, payment }))
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_393_000n, owed: 0n })
  })
})
