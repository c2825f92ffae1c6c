/**
 * What root makes of payments that fulfilled no order: once, whoever asks, and never twice for one payment.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import type { Actor } from "../../src/platform/AuditLog.ts"
import type { Resolve } from "../../src/events/EventResolutions.ts"
import { paidFact, PaymentWorld, SecondServer } from "../support/PaymentWorld.ts"

const Worlds = SecondServer.layer.pipe(
  Layer.provideMerge(PaymentWorld.layerOf()),
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
)

const ada: Actor = { name: "user:1", userId: 1n, address: "" }
const bob: Actor = { name: "user:2", userId: 2n, address: "" }

const tagOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.match(effect, { onSuccess: () => "done", onFailure: (error) => error._tag })

/** An order that is paid, and its second payment: an exception. */
const secondPayment = Effect.gen(function*() {
  const world = yield* PaymentWorld
  const order = yield* world.topup
  const reference = yield* world.openEpay(order)
  const fact = (payment: string, more: object = {}) =>
    paidFact(reference, { provider: "epay", merchant: world.epay.pid, payment, ...more })
  yield* world.settlement.settle(fact(`first${order.id}`))
  yield* world.settlement.settle(fact(`second${order.id}`))
  const [event] = yield* world.paymentEvents.list({ open: true, text: `second${order.id}` }, { limit: 2 })
  if (event === undefined) return yield* Effect.die(new Error("no exception"))
  return { world, order, event, fact, payment: `second${order.id}` }
})

const credit = (userId: bigint, more: Partial<Extract<Resolve, { resolution: "credited" }>> = {}): Resolve => ({
  resolution: "credited",
  note: "paid twice",
  user: String(userId),
  amountMicros: 1_400_000n,
  ...more
})

layer(Worlds, { excludeTestServices: true, timeout: 60_000 })("exceptions", (it) => {
  it.effect("are shown with the buyer and what the payment is worth", () =>
    Effect.gen(function*() {
      const { event, order, world } = yield* secondPayment
      const found = yield* world.paymentEvents.find(event.id)
      assert.deepStrictEqual(found.buyer?.id, order.userId)
      assert.strictEqual(found.suggestedMicros, 1_400_000n)
      assert.isTrue(found.event.isOpen)
      assert.isAbove(yield* world.paymentEvents.openCount, 0)
      assert.strictEqual(yield* tagOf(world.paymentEvents.find(999_999_999n)), "EventNotFound")
    }))

  it.effect("are credited once, by the first of two administrators on two servers", () =>
    Effect.gen(function*() {
      const { event, order, world } = yield* secondPayment
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
      // The same again by whoever did it is the same.
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
      yield* world.clean
    }))

  it.effect("refuse bad input, and change nothing", () =>
    Effect.gen(function*() {
      const { event, order, world } = yield* secondPayment
      const bad: ReadonlyArray<Resolve> = [
        credit(order.userId, { note: " " }),
        credit(order.userId, { amountMicros: 0n }),
        credit(order.userId, { amountMicros: -1n }),
        credit(order.userId, { amountMicros: 1_000_000_000_001n }),
        credit(999_999_999n),
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
      const first = applied[0]?.id ?? 0n
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, first, credit(order.userId))), "EventClosed")
      yield* world.clean
    }))

  it.effect("are not credited when their payment has paid an order, was credited on another event or went back", () =>
    Effect.gen(function*() {
      const { event, fact, order, payment, world } = yield* secondPayment
      const resolve = (id: bigint, asked: Resolve) => tagOf(world.resolutions.resolve(ada, id, asked))
      const openOf = (text: string) => world.paymentEvents.list({ open: true, text }, { limit: 5 })
      // The payment that paid the order, told with another amount.
      yield* world.settlement.settle(fact(`first${order.id}`, { amountMinor: 7n }))
      const [told] = yield* openOf(`first${order.id}`)
      assert.strictEqual(yield* resolve(told?.id ?? 0n, credit(order.userId)), "PaymentUsed")
      assert.strictEqual(yield* resolve(told?.id ?? 0n, { resolution: "dismissed", note: "nothing to do" }), "done")
      // The second payment, told twice in different ways.
      yield* world.settlement.settle(fact(payment, { amountMinor: 7n }))
      assert.strictEqual(yield* resolve(event.id, credit(order.userId)), "done")
      const [other] = yield* openOf(payment)
      assert.strictEqual(yield* resolve(other?.id ?? 0n, credit(order.userId)), "PaymentUsed")
      // It does not complete an order either.
      const next = yield* world.topup
      const named = { orderId: next.id, provider: "epay" as const, reference: payment, note: "n" }
      assert.strictEqual(yield* tagOf(world.outside.complete(ada, named)), "PaymentUsed")
      // And when it is refunded later, people have to look.
      const refunded = yield* world.settlement.settle({
        ...fact(payment),
        _tag: "Refunded",
        amountMinor: 1n,
        currency: "cny"
      })
      assert.strictEqual(refunded.outcome, "exception")
      yield* world.clean
    }))

  it.effect("that were given back are not credited", () =>
    Effect.gen(function*() {
      const { event, fact, order, payment, world } = yield* secondPayment
      const refund = { ...fact(payment), _tag: "Refunded" as const, amountMinor: 1_000n, currency: "cny" }
      assert.strictEqual((yield* world.settlement.settle(refund)).outcome, "ignored")
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event.id, credit(order.userId))), "PaymentUsed")
      const back: Resolve = { resolution: "refunded", note: "at the gateway" }
      assert.strictEqual(yield* tagOf(world.resolutions.resolve(ada, event.id, back)), "done")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
      yield* world.clean
    }))

  it.effect("join what has been parked for a day", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const order = yield* world.topup
      const reference = yield* world.openEpay(order)
      const payment = `p${order.id}`
      const parked = paidFact(reference, { provider: "epay", payment, _tag: "Refunded", amountMinor: 5n })
      yield* world.settlement.settle(parked)
      assert.deepStrictEqual(yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 5 }), [])
      yield* world.sql`UPDATE payment_events SET received_at = now() - interval '25 hours'
        WHERE payment_reference = ${payment}`
      const [event] = yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 5 })
      assert.strictEqual(event?.outcome, "parked")
      assert.strictEqual(
        yield* tagOf(world.resolutions.resolve(ada, event?.id ?? 0n, credit(order.userId))),
        "ResolutionRefused"
      )
      const dismissed: Resolve = { resolution: "dismissed", note: "a test of theirs" }
      yield* world.resolutions.resolve(ada, event?.id ?? 0n, dismissed)
      // Should its payment come all the same, it counts.
      yield* world.settlement.settle(paidFact(reference, { provider: "epay", merchant: world.epay.pid, payment }))
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 1_393_000n, owed: 0n })
      yield* world.clean
    }))
})
