/**
 * What providers say, what root decides and what goes back, as movements of cash: each payment once, each correction and return on its
 * own date, and statements that are what users have at this moment.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References } from "effect"
import { EventId, makeReservationId } from "../../src/domain/Ids.ts"
import type { Order } from "../../src/orders/Order.ts"
import { commitOf } from "../support/AccountsProcess.ts"
import { ada } from "../support/AuditTrail.ts"
import { dispute, refund } from "../support/ClawbackFacts.ts"
import { inWorld, paidFact, PaymentWorld } from "../support/PaymentWorld.ts"
import { ignoreLoss, reserveOf } from "../support/TestAccounts.ts"

const Worlds = PaymentWorld.layerOf().pipe(Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None")))

/** Kind, provider and amount of everything booked of a payment, in its order. */
const bookedOf = Effect.fnUntraced(function*(payment: string) {
  const { sql } = yield* PaymentWorld
  const rows = yield* sql<{ kind: string; provider: string; amount_minor: bigint }>`
    SELECT m.kind, m.provider, m.amount_minor FROM cash_movements m
      WHERE m.payment_id IN (SELECT id FROM payments WHERE payment_id = ${payment})
        OR m.refund_id IN (SELECT id FROM payment_refunds WHERE payment_reference = ${payment})
      ORDER BY m.id`
  return rows.map(({ amount_minor, kind, provider }) => `${kind} ${provider} ${amount_minor}`)
})

/** What was booked of a payment after so many movements, sorted. */
const isBooked = (payment: string, after: number, movements: ReadonlyArray<string>) =>
  Effect.map(bookedOf(payment), (booked) => assert.deepStrictEqual(booked.slice(after).toSorted(), movements))

/** An order with an attempt at Stripe: what is said of its payments. */
const atStripe = Effect.fnUntraced(function*(order: Order) {
  const world = yield* PaymentWorld
  yield* world.openStripe(order)
  const { attempts } = yield* world.orders.show(order.id, undefined)
  const { amountMinor = 0n, reference = "" } = attempts[0] ?? {}
  const payment = `pi_${order.id}`
  return { world, order, payment, paid: (more: object = {}) => paidFact(reference, { payment, amountMinor, ...more }) }
})

const topup = Effect.gen(function*() {
  return yield* atStripe(yield* (yield* PaymentWorld).topup)
})

const reviewOf = Effect.fnUntraced(function*(payment: string) {
  const world = yield* PaymentWorld
  const [event] = yield* world.paymentEvents.list({ open: true, text: payment }, { limit: 1 })
  return event?.id ?? EventId.make(0n)
})

layer(Worlds, { excludeTestServices: true, timeout: 60_000 })("movements of cash", (it) => {
  const test = inWorld(it)

  it.effect("have a payment once, and each return of a refund or a dispute by itself", () =>
    Effect.gen(function*() {
      const { paid, payment, world } = yield* topup
      yield* world.settlement.settle(paid())
      yield* world.settlement.settle(paid())
      yield* world.settlement.settle(refund(payment, "pending", { amountMinor: 300n }))
      yield* world.settlement.settle(refund(payment, "succeeded", { amountMinor: 300n, atSeconds: 2_001 }))
      yield* world.settlement.settle(refund(payment, "failed", { amountMinor: 300n, atSeconds: 2_002 }))
      yield* world.settlement.settle(dispute(payment, "needs_response", "created", { amountMinor: 1_000n }))
      yield* world.settlement.settle(dispute(payment, "won", "closed", { amountMinor: 1_000n, atSeconds: 2_003 }))
      assert.deepStrictEqual(yield* bookedOf(payment), [
        "payment stripe 1000",
        "refund stripe -300",
        "refund_returned stripe 300",
        "dispute stripe -1000",
        "dispute_returned stripe 1000"
      ])
      const rows = yield* world.sql<{ provider_at: Date | null }>`
        SELECT m.provider_at FROM cash_movements m JOIN payments p ON p.id = m.payment_id
          WHERE p.payment_id = ${payment} ORDER BY m.id`
      assert.deepStrictEqual(
        rows.map(({ provider_at }) => (provider_at?.getTime() ?? 0) / 1_000),
        [1_000, 2_000, 2_002, 2_000, 2_003]
      )
      yield* world.clean
    }))

  test("have no moment of the provider where it has said nothing yet", function*(world) {
    const order = yield* world.topup
    const { paymentIntent } = world.stripe.pay(yield* world.openStripe(order))
    yield* world.idle
    yield* world.refund(order, 100n, "n")
    const rows = yield* world.sql<{ kind: string; at: Date | null }>`
        SELECT m.kind, m.provider_at AS at FROM cash_movements m JOIN payments p ON p.id = m.payment_id
          WHERE p.payment_id = ${paymentIntent} ORDER BY m.id`
    assert.deepStrictEqual(rows.map(({ at, kind }) => [kind, at === null]), [["payment", false], ["refund", true]])
    const other = yield* world.topup
    yield* world.manual.complete(ada, {
      orderId: other.id,
      provider: "stripe",
      reference: `pi_${other.id}`,
      note: "n"
    })
    const [manual] = yield* world.sql<{ at: Date | null }>`
        SELECT provider_at AS at FROM cash_movements m JOIN payments p ON p.id = m.payment_id
          WHERE p.payment_id = ${`pi_${other.id}`}`
    assert.isNull(manual?.at)
  })

  it.effect("have what was said first of a payment in review, and what is said later as a correction", () =>
    Effect.gen(function*() {
      const { order, paid, payment, world } = yield* topup
      yield* world.settlement.settle(paid({ amountMinor: 994n }))
      yield* world.resolutions.resolve(ada, yield* reviewOf(payment), {
        resolution: "credited",
        note: "short",
        user: String(order.userId),
        amountMicros: 1_391_600n
      })
      assert.strictEqual((yield* world.settlement.settle(paid())).outcome, "duplicate")
      assert.deepStrictEqual(yield* bookedOf(payment), [
        "payment stripe 994",
        "in_review stripe 994",
        "in_review stripe -994",
        "payment_correction stripe 6"
      ])
      yield* world.clean
    }))

  it.effect("have a dismissed payment as received and not allocated, until a fitting event settles it", () =>
    Effect.gen(function*() {
      const { paid, payment, world } = yield* topup
      yield* world.settlement.settle(paid({ amountMinor: 994n }))
      yield* world.resolutions.resolve(ada, yield* reviewOf(payment), { resolution: "dismissed", note: "not ours" })
      yield* isBooked(payment, 2, ["dismissed stripe 994", "in_review stripe -994"])
      assert.strictEqual((yield* world.settlement.settle(paid())).outcome, "applied")
      yield* isBooked(payment, 4, ["dismissed stripe -994", "payment_correction stripe 6"])
      yield* world.clean
    }))

  it.effect("have a manual payment on a line of its own, until its provider tells of it", () =>
    Effect.gen(function*() {
      const { order, paid, payment, world } = yield* topup
      yield* world.manual.complete(ada, {
        orderId: order.id,
        provider: "stripe",
        reference: payment,
        note: "seen there"
      })
      assert.deepStrictEqual(yield* bookedOf(payment), ["manual stripe 1000"])
      assert.strictEqual((yield* world.settlement.settle(paid())).outcome, "duplicate")
      yield* isBooked(payment, 1, ["manual stripe -1000", "payment stripe 1000"])
      yield* world.clean
    }))

  it.effect("have no money that nobody paid: of an order completed for a bank transfer, of test mode, of another shop", () =>
    Effect.gen(function*() {
      const { order, world } = yield* topup
      const count = Effect.map(
        world.sql<{ n: bigint }>`SELECT count(*) AS n FROM cash_movements WHERE kind = 'payment'`,
        ([row]) => row?.n
      )
      const before = yield* count
      yield* world.manual.complete(ada, {
        orderId: order.id,
        provider: "manual",
        reference: `bank ${order.id}`,
        note: "n"
      })
      const { paid } = yield* topup
      yield* world.settlement.settle({
        _tag: "TestMode",
        provider: "stripe",
        eventKey: makeReservationId(),
        kind: "k",
        payment: "pi_test",
        reference: paid().reference,
        atSeconds: 1
      })
      yield* world.settlement.settle(paidFact("another shop", { payment: "pi_foreign" }))
      assert.strictEqual(yield* count, before)
      yield* world.clean
    }))

  test("have plans as sold and returned, and the time left of them as not earned yet", function*(world) {
    const { order, paid, payment } = yield* atStripe(
      yield* world.orders.subscription(yield* world.user(), "basic")
    )
    const unearned = Effect.map(
      world.statements.statement({ from: "2020-01-01", to: "2999-01-01" }),
      ({ books }) => books.plans.find(({ currency }) => currency === "cny")?.unearned
    )
    yield* world.settlement.settle(paid())
    // Ten of thirty days have passed.
    yield* world
      .sql`UPDATE user_subscriptions SET starts_at = now() - interval '10 days', ends_at = now() + interval '20 days'
        WHERE order_id = ${order.id}`
    assert.include([799n, 800n], yield* unearned)
    yield* world.settlement.settle(refund(payment, "succeeded", { amountMinor: 300n }))
    assert.include([599n, 600n], yield* unearned)
    yield* world.settlement.settle(
      dispute(payment, "needs_response", "created", { amountMinor: 900n, atSeconds: 2_010 })
    )
    assert.strictEqual((yield* unearned) ?? 0n, 0n, "suspended, and nothing of its price is here")
    yield* world.settlement.settle(dispute(payment, "won", "closed", { amountMinor: 900n, atSeconds: 2_011 }))
    // Given back, the time left is all that the plan has now: its dates were rewritten.
    assert.include([899n, 900n], yield* unearned)
    assert.deepStrictEqual((yield* bookedOf(payment)).filter((line) => line.startsWith("plan")), [
      "plan_sold stripe 1200",
      "plan_returned stripe -300",
      "plan_returned stripe -900",
      "plan_returned stripe 900"
    ])
  })

  it.effect("cannot be changed or removed", () =>
    Effect.gen(function*() {
      const { sql } = yield* PaymentWorld
      for (
        const statement of [
          "UPDATE cash_movements SET amount_minor = 1",
          "DELETE FROM cash_movements",
          "TRUNCATE cash_movements"
        ]
      ) {
        assert.strictEqual((yield* Effect.exit(sql.unsafe(statement)))._tag, "Failure", statement)
      }
    }))
})

layer(Worlds, { excludeTestServices: true, timeout: 60_000 })("statements of now", (it) => {
  const test = inWorld(it)

  test("are what users have while calls, late commits and refunds are under way", function*(world) {
    const { order, paid, payment } = yield* topup
    yield* world.settlement.settle(paid())
    const { userId } = order
    const check = Effect.map(
      world.statements.statement({ from: "2020-01-01", to: "2999-01-01" }),
      ({ books, now }) => {
        assert.strictEqual(books.balances.closing, (now?.usdMicros ?? 0n) + (now?.heldMicros ?? 0n))
        assert.strictEqual(books.debts.closing, now?.owedMicros)
      }
    )
    const call = Effect.gen(function*() {
      const command = reserveOf(40_000n)
      yield* world.accounts.reserve(userId, command, ignoreLoss)
      yield* check
      yield* world.accounts.commit(userId, commitOf(command.id, 1_000))
    })
    yield* Effect.all([...Array.from({ length: 12 }, () => call), ...Array.from({ length: 12 }, () => check)], {
      concurrency: "unbounded"
    })
    // One that expires and is committed late, and one that costs more than there is.
    const late = reserveOf(20_000n)
    yield* world.accounts.reserve(userId, late, ignoreLoss)
    yield* world.sql`UPDATE open_holds SET lease_expires_at = now() - interval '1 minute' WHERE id = ${late.id}`
    yield* world.accounts.sweep
    yield* check
    yield* world.accounts.commit(userId, commitOf(late.id, 9_000))
    yield* world.settlement.settle(refund(payment, "succeeded", { amountMinor: 1_000n }))
    yield* check
    const [row] = yield* world.sql<{ charged: bigint; late: bigint; settled: boolean }>`
        SELECT charged_micros AS charged, late_charged_micros AS late, late_at > settled_at AS settled FROM usage_events
          WHERE id = ${late.id}`
    assert.strictEqual(row?.charged, 0n, "what it was charged at its expiry stays")
    assert.isAbove(Number(row?.late ?? 0n), 0)
    assert.strictEqual(row?.settled, true)
    const entries = yield* world.sql<{ seq: bigint; usd_after: bigint; owed_after: bigint }>`
        SELECT seq, usd_after, owed_after FROM ledger_entries WHERE user_id = ${userId} ORDER BY id`
    assert.deepStrictEqual(entries.map(({ seq }) => seq), entries.map((_, index) => BigInt(index + 1)))
    const { owed, usd } = yield* world.balance(userId)
    assert.deepStrictEqual([entries.at(-1)?.usd_after, entries.at(-1)?.owed_after], [usd, owed])
  })
})
