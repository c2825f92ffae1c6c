/** Books in which a payment counted twice, as earlier versions could leave them, are repaired once, and the audit agrees. */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { EventId, makeReservationId, PaymentId } from "../../src/domain/Ids.ts"
import type { Order } from "../../src/orders/Order.ts"
import { ada } from "../support/AuditTrail.ts"
import { creditTo, tagOf } from "../support/ClawbackFacts.ts"
import { paidFact, PaymentWorld } from "../support/PaymentWorld.ts"

const noEvent = EventId.make(0n)

/** A top-up of 10.00 CNY that is paid; its event and its payment. */
const paid = Effect.gen(function*() {
  const world = yield* PaymentWorld
  const { order, reference } = yield* world.epayTopup
  const payment = `t${order.id}`
  const fact = paidFact(reference, { provider: "epay", merchant: world.epay.pid, payment })
  assert.strictEqual((yield* world.settlement.settle(fact)).outcome, "applied")
  const [event] = yield* world.paymentEvents.list({ text: payment }, { limit: 1 })
  if (event === undefined) return yield* Effect.die(new Error("no event"))
  const [row] = yield* world.sql<{ id: PaymentId }>`SELECT id FROM payments WHERE payment_id = ${payment}`
  return { world, order, reference, payment, event, paymentId: row?.id ?? PaymentId.make(0n) }
})

const findings = Effect.flatMap(PaymentWorld, ({ problems }) => problems)

const balanceOf = Effect.fnUntraced(function*({ userId }: Order) {
  return (yield* (yield* PaymentWorld).balance(userId)).usd
})

layer(PaymentWorld.layerOf(), { excludeTestServices: true, timeout: 60_000 })(
  "books where a payment counted twice",
  (it) => {
    it.effect("a payment that was credited and paid an order: root's credit is taken off again", () =>
      Effect.gen(function*() {
        const { order, paymentId, reference, world } = yield* paid
        const again = paidFact(reference, { provider: "epay", merchant: world.epay.pid, payment: `again${order.id}` })
        assert.strictEqual((yield* world.settlement.settle(again)).outcome, "needs_review")
        const [event] = yield* world.paymentEvents.list({ open: true, text: `again${order.id}` }, { limit: 1 })
        const credit = creditTo(order.userId, 1_000_000n)
        yield* world.resolutions.resolve(ada, event?.id ?? noEvent, credit)
        // As if both were one payment.
        yield* world.sql`UPDATE payment_events SET payment_id = ${paymentId} WHERE id = ${event?.id}`
        yield* world.sql`UPDATE payments SET state = 'dismissed', credited_micros = NULL, credited_user_id = NULL
        WHERE payment_id = ${`again${order.id}`}`
        assert.lengthOf(yield* findings, 1)
        const corrected = yield* world.corrections.correct(ada, event?.id ?? noEvent, "one payment")
        assert.deepStrictEqual(corrected, { userId: order.userId, amountMicros: 1_000_000n })
        assert.deepStrictEqual(
          yield* world.corrections.correct(ada, event?.id ?? noEvent, "one payment"),
          corrected
        )
        assert.strictEqual(yield* balanceOf(order), order.creditMicros)
        yield* world.clean
      }))

    it.effect("a payment that went back and paid an order: its credit is taken off, and later refunds take no more", () =>
      Effect.gen(function*() {
        const { event, order, payment, world } = yield* paid
        yield* world.sql`UPDATE payment_events SET resolution = 'refunded', resolution_note = 'n', resolved_by = 'cli',
        resolved_at = now() WHERE id = ${event.id}`
        assert.lengthOf(yield* findings, 1)
        yield* world.corrections.correct(ada, event.id, "it went back in March")
        assert.strictEqual(yield* balanceOf(order), 0n)
        yield* world.clean
        const refund = {
          ...paidFact("", { provider: "epay", payment, reference: null, eventKey: makeReservationId() }),
          _tag: "Refund" as const,
          refund: makeReservationId(),
          own: null,
          state: "succeeded" as const,
          amountMinor: 1_000n,
          currency: "cny"
        }
        assert.strictEqual((yield* world.settlement.settle(refund)).outcome, "applied")
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
        yield* world.clean
      }))

    it.effect("a payment under two names: one of its credits is taken off, what was spent is owed", () =>
      Effect.gen(function*() {
        const [one, other] = [yield* paid, yield* paid]
        const { world } = one
        yield* world.sql`UPDATE payments SET provider = 'manual', merchant_scope = '', manual = true,
        payment_id = ${other.payment} WHERE id = ${one.paymentId}`
        yield* world.sql`UPDATE user_balances SET usd_micros = 0 WHERE user_id = ${one.order.userId}`
        yield* world.sql`SELECT realms_append_entry_v1(${one.order.userId}, 'spent', ${-one.order
          .creditMicros}, 0, 'test', ${String(one.order.id)}, 'test', '', NULL, NULL)`
        const before = yield* findings
        assert.isTrue(before.some((message) => message.includes("both were used")))
        yield* world.corrections.correct(ada, one.event.id, "the same transfer")
        assert.deepStrictEqual(yield* world.balance(one.order.userId), { usd: 0n, owed: one.order.creditMicros })
        assert.isFalse((yield* findings).some((message) => message.includes("both were used")))
        assert.strictEqual(yield* tagOf(world.corrections.correct(ada, other.event.id, "n")), "ResolutionRefused")
      }))

    it.effect("what counted once is not corrected", () =>
      Effect.gen(function*() {
        const { event, order, world } = yield* paid
        assert.strictEqual(yield* tagOf(world.corrections.correct(ada, event.id, "n")), "ResolutionRefused")
        assert.strictEqual(yield* tagOf(world.corrections.correct(ada, event.id, " ")), "ResolutionRefused")
        assert.strictEqual(
          yield* tagOf(world.corrections.correct(ada, EventId.make(999_999_999n), "n")),
          "EventNotFound"
        )
        assert.strictEqual(yield* balanceOf(order), order.creditMicros)
      }))
  }
)
