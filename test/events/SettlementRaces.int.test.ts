import { PgConnection } from "@effect/sql-pg"
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer, Redacted, References } from "effect"
import { type AttemptId, makeReservationId } from "../../src/domain/Ids.ts"
import type { PaymentFact } from "../../src/payments/PaymentFact.ts"
import { commitOf } from "../support/AccountsProcess.ts"
import { inWorld, paidFact, PaymentWorld, SecondServer } from "../support/PaymentWorld.ts"
import { ignoreLoss, reserveOf } from "../support/TestAccounts.ts"
import { eventually, until } from "../support/Until.ts"

const Worlds = SecondServer.layer.pipe(
  Layer.provideMerge(PaymentWorld.layerOf()),
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
)

/** A race is run so often, each time with an order of its own. */
const RACES = 20

const race = <E, R>(once: (index: number) => Effect.Effect<void, E, R>) =>
  Effect.forEach(Array.from({ length: RACES }, (_, index) => index), once, { discard: true })

/** An order with an attempt by EPay, and what EPay will say when it is paid. */
const epayOrder = Effect.fnUntraced(function*(kind: "topup" | "plan" = "topup") {
  const world = yield* PaymentWorld
  const order = kind === "topup" ? yield* world.topup : yield* world.orders.subscription(yield* world.user(), "basic")
  const reference = yield* world.openEpay(order)
  const paid = paidFact(reference, { provider: "epay", merchant: world.epay.pid, amountMinor: order.amountFen })
  const told = (amountMinor: bigint) => ({
    provider: "epay" as const,
    eventKey: makeReservationId(),
    payment: paid.payment,
    reference,
    atSeconds: 2_000,
    amountMinor,
    currency: "cny"
  })
  const refund = (amountMinor: bigint) => ({
    ...told(amountMinor),
    _tag: "Refund" as const,
    kind: "refund.updated",
    refund: makeReservationId(),
    own: null,
    state: "succeeded" as const
  })
  const dispute = (amountMinor: bigint, status = "needs_response", id: string = makeReservationId()) => ({
    ...told(amountMinor),
    _tag: "Dispute" as const,
    kind: status === "needs_response" ? "charge.dispute.created" : "charge.dispute.closed",
    dispute: id,
    status,
    takenMinor: null,
    reason: "",
    dueBySeconds: null
  })
  return { order, paid, refund, dispute }
})

const outcomesOf = Effect.fnUntraced(function*(facts: ReadonlyArray<PaymentFact>) {
  const { sql } = yield* PaymentWorld
  const rows = yield* sql<{ event_key: string; outcome: string; note: string }>`SELECT event_key, outcome, note
    FROM payment_events WHERE ${sql.in("event_key", facts.map(({ eventKey }) => eventKey))}`
  return facts.map(({ eventKey }) => rows.find((row) => row.event_key === eventKey)?.outcome)
})

const both = <A, B, E, F, R, S>(one: Effect.Effect<A, E, R>, other: Effect.Effect<B, F, S>) =>
  Effect.all([one, other], { concurrency: "unbounded" })

layer(Worlds, { excludeTestServices: true })("settlement, when things happen at once", (it) => {
  const test = inWorld(it)

  test("one event fifty times at once over two servers: one settles it, the others find it settled", function*(world) {
    const servers = [world, yield* SecondServer]
    const { order, paid } = yield* epayOrder()
    const settled = yield* Effect.forEach(
      Array.from({ length: 25 }, () => servers).flat(),
      ({ settlement }) => settlement.settle(paid),
      { concurrency: "unbounded" }
    )
    assert.deepStrictEqual(settled.map(({ outcome }) => outcome), settled.map(() => "applied"))
    assert.strictEqual(settled.filter(({ repeated }) => !repeated).length, 1)
    const rows = yield* world.sql<{ deliveries: number }>`
        SELECT deliveries FROM payment_events WHERE event_key = ${paid.eventKey}`
    assert.deepStrictEqual(rows.map(({ deliveries }) => deliveries), [50])
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
  })

  test("two providers pay one order at once: one fulfils it, the other needs a review", function*(world) {
    const other = yield* SecondServer
    yield* race(() =>
      Effect.gen(function*() {
        const { order, paid } = yield* epayOrder()
        yield* world.openStripe(order)
        const { attempts } = yield* world.orders.show(order.id, undefined)
        const byStripe = paidFact(attempts.find(({ provider }) => provider === "stripe")?.reference ?? "")
        yield* both(world.settlement.settle(paid), other.settlement.settle(byStripe))
        assert.sameMembers(yield* outcomesOf([paid, byStripe]), ["applied", "needs_review"])
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
      })
    )
  })

  test(
    "a webhook races the reconciliation of another server: one settles it, the other finds it settled",
    function*(world) {
      const other = yield* SecondServer
      world.stripe.setWebhookMode("manual")
      yield* race(() =>
        Effect.gen(function*() {
          const { order, session } = yield* world.stripeTopup
          world.stripe.pay(session)
          const event = world.stripe.events.findLast(({ type }) => type === "checkout.session.completed")
          if (event === undefined) return assert.fail("no event")
          const told = Effect.promise(() => world.stripe.deliver(event))
          const [deliveries, report] = yield* both(told, other.reconciliation.all(() => undefined))
          assert.deepStrictEqual(deliveries.map(({ status }) => status), [200])
          assert.strictEqual(report.failed, 0)
          const rows = yield* world.sql<{ outcome: string }>`SELECT e.outcome FROM payment_events e
            JOIN payment_attempts a ON a.id = e.attempt_id WHERE a.order_id = ${order.id} ORDER BY e.outcome`
          assert.strictEqual(rows[0]?.outcome, "applied")
          assert.isTrue(rows.slice(1).every(({ outcome }) => outcome === "duplicate"))
          assert.strictEqual(yield* world.stateOf(order), "paid")
          assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
        })
      )
      world.stripe.setWebhookMode("automatic")
    }
  )

  test("a webhook races a cancel: whichever is first, the money is honoured", function*(world) {
    const other = yield* SecondServer
    yield* race(() =>
      Effect.gen(function*() {
        const { order, paid } = yield* epayOrder()
        const cancel = Effect.result(other.orders.cancel(order.id, order.userId))
        const [settled, cancelled] = yield* both(world.settlement.settle(paid), cancel)
        assert.strictEqual(settled.outcome, "applied")
        if (cancelled._tag === "Failure") assert.strictEqual(cancelled.failure._tag, "OrderClosed")
        assert.strictEqual(yield* world.stateOf(order), "paid")
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
      })
    )
  })

  test("a refund races the spending of what was bought: what is gone is owed, and nothing is minted", function*(world) {
    const other = yield* SecondServer
    yield* race(() =>
      Effect.gen(function*() {
        const { order, paid, refund } = yield* epayOrder()
        yield* world.settlement.settle(paid)
        const command = reserveOf(1_000_000n)
        const spend = Effect.gen(function*() {
          const held = yield* Effect.result(other.accounts.reserve(order.userId, command, ignoreLoss))
          if (held._tag === "Success") {
            return (yield* other.accounts.commit(order.userId, commitOf(command.id, 900_000))).chargedMicros
          }
          assert.strictEqual(held.failure._tag, "InsufficientFunds")
          return 0n
        })
        const [settled, spent] = yield* both(world.settlement.settle(refund(order.amountFen)), spend)
        assert.strictEqual(settled.outcome, "applied")
        assert.include([0n, 900_000n], spent)
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: spent })
        assert.strictEqual(yield* world.stateOf(order), "refunded")
      })
    )
  })

  test(
    "a hold is open while the top-up is disputed and the dispute is lost: the call is charged, the rest is owed",
    function*(world) {
      const { dispute, order, paid } = yield* epayOrder()
      yield* world.settlement.settle(paid)
      const command = reserveOf(1_000_000n)
      yield* world.accounts.reserve(order.userId, command, ignoreLoss)
      yield* world.settlement.settle(dispute(order.amountFen))
      assert.strictEqual(yield* world.stateOf(order), "disputed")
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 1_000_000n })
      yield* world.accounts.commit(order.userId, commitOf(command.id, 250_000))
      assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 250_000n })
    }
  )

  test("a payment and its dispute at once: in whatever order, the dispute counts and nothing waits", function*(world) {
    const other = yield* SecondServer
    yield* race((index) =>
      Effect.gen(function*() {
        const { dispute, order, paid } = yield* epayOrder()
        const disputed = dispute(order.amountFen)
        const [one, two] = index % 2 === 0 ? [paid, disputed] : [disputed, paid]
        yield* both(world.settlement.settle(one), other.settlement.settle(two))
        assert.deepStrictEqual(yield* outcomesOf([paid, disputed]), ["applied", "needs_review"])
        assert.strictEqual(yield* world.stateOf(order), "disputed")
        assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
      })
    )
  })

  test(
    "a payment that comes while its dispute is being written down waits for it, and takes it into account",
    function*(world) {
      const other = yield* SecondServer
      const { dispute, order, paid } = yield* epayOrder()
      const disputed = dispute(order.amountFen)
      yield* world.sql.unsafe(`CREATE FUNCTION test_hold() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END'`)
      yield* world.sql.unsafe(`CREATE TRIGGER test_hold BEFORE UPDATE ON payment_events
        FOR EACH ROW WHEN (NEW.outcome = 'deferred') EXECUTE FUNCTION test_hold()`)
      const holder = yield* PgConnection.make({ url: Redacted.make(world.options.url) })
      yield* holder.query("SELECT pg_advisory_lock(1)", [], false)
      const waiting = Effect.map(
        world.sql<{ count: bigint }>`SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
        ([row]) => row?.count
      )
      const disputing = yield* Effect.forkChild(world.settlement.settle(disputed))
      yield* eventually("the dispute is being parked", waiting, (count) => count === 1n)
      let isPaid = false
      const paying = yield* Effect.forkChild(Effect.tap(other.settlement.settle(paid), () =>
        Effect.sync(() => {
          isPaid = true
        })))
      yield* eventually("the payment waits", waiting, (count) => count === 2n || isPaid)
      yield* holder.query("SELECT pg_advisory_unlock(1)", [], false)
      assert.strictEqual((yield* Fiber.join(disputing)).outcome, "deferred")
      yield* Fiber.join(paying)
      yield* world.sql.unsafe("DROP FUNCTION test_hold CASCADE")
      assert.deepStrictEqual(yield* outcomesOf([disputed, paid]), ["needs_review", "applied"])
      assert.strictEqual(yield* world.stateOf(order), "disputed")
    }
  )

  test("a dispute before its payment waits, and counts in the transaction that settles the payment", function*(world) {
    const { dispute, order, paid } = yield* epayOrder()
    const disputed = dispute(400n)
    assert.strictEqual((yield* world.settlement.settle(disputed)).outcome, "deferred")
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: 0n, owed: 0n })
    assert.strictEqual((yield* world.settlement.settle(disputed)).outcome, "deferred", "told again it still waits")
    yield* world.settlement.settle(paid)
    assert.deepStrictEqual(yield* outcomesOf([disputed, paid]), ["needs_review", "applied"])
    assert.strictEqual(yield* world.stateOf(order), "disputed")
    const entries = yield* world.sql<{ kind: string; amount_micros: bigint; at: string }>`
        SELECT kind, amount_micros, xmin::text AS at FROM ledger_entries WHERE user_id = ${order.userId} ORDER BY id`
    assert.deepStrictEqual(entries.map(({ amount_micros, kind }) => [kind, amount_micros]), [
      ["topup", 1_400_000n],
      ["dispute", -560_000n]
    ])
    assert.strictEqual(entries[0]?.at, entries[1]?.at, "one transaction wrote both")
    const again = yield* world.settlement.settle(disputed)
    assert.deepStrictEqual([again.outcome, again.repeated], ["needs_review", true])
  })

  test(
    "a part of a plan's price is refunded before its payment: the plan is active, and the refund is shown",
    function*(world) {
      const { order, paid, refund } = yield* epayOrder("plan")
      const part = refund(100n)
      const elsewhere = { ...refund(order.amountFen), currency: "jpy" }
      for (const fact of [part, elsewhere]) {
        assert.strictEqual((yield* world.settlement.settle(fact)).outcome, "deferred")
      }
      yield* world.settlement.settle(paid)
      assert.deepStrictEqual(yield* outcomesOf([part, elsewhere, paid]), ["needs_review", "needs_review", "applied"])
      assert.strictEqual(yield* world.stateOf(order), "active")
      yield* world.settlement.settle(refund(order.amountFen))
      assert.strictEqual(yield* world.stateOf(order), "refunded")
    }
  )

  test(
    "a dispute is won after the plan's time is over: the order is honoured, the subscription stays ended",
    function*(world) {
      const { dispute, order, paid } = yield* epayOrder("plan")
      yield* world.settlement.settle(paid)
      const disputed = dispute(order.amountFen)
      yield* world.settlement.settle(disputed)
      yield* world
        .sql`UPDATE user_subscriptions SET starts_at = now() - interval '40 days', ends_at = now() - interval '10 days'
        WHERE order_id = ${order.id}`
      yield* world.settlement.settle(dispute(order.amountFen, "won", disputed.dispute))
      assert.strictEqual(yield* world.stateOf(order), "active")
      const rows = yield* world.sql<
        { status: string }
      >`SELECT status FROM user_subscriptions WHERE order_id = ${order.id}`
      assert.deepStrictEqual(rows.map(({ status }) => status), ["ended"])
    }
  )

  test("a second payment whose webhook is lost is asked about, once, and needs a review", function*(world) {
    world.stripe.setWebhookMode("manual")
    const { order, paid } = yield* epayOrder()
    const session = yield* world.openStripe(order)
    world.stripe.pay(session)
    yield* world.settlement.settle(paid)
    const kept = Effect.map(
      world.sql<{ id: AttemptId; payable: boolean; checks: number }>`SELECT id, payable, checks
          FROM payment_attempts WHERE provider_reference = ${session}`,
      ([row]) => row
    )
    const outcomes = Effect.gen(function*() {
      const rows = yield* world.sql<{ outcome: string }>`SELECT outcome FROM payment_events
          WHERE attempt_id = ${(yield* kept)?.id ?? 0n}`
      return rows.map(({ outcome }) => outcome)
    })
    // A round leaves out an attempt that somebody is writing: here, the closing of the sessions of the order just paid.
    const asked = Effect.andThen(world.reconciliation.all(() => undefined), outcomes)
    yield* until("it is asked about", Effect.map(asked, ({ length }) => length > 0))
    assert.deepStrictEqual(yield* outcomes, ["needs_review"])
    const known = yield* kept
    assert.isFalse(known?.payable)
    yield* world.reconciliation.all(() => undefined)
    assert.strictEqual((yield* kept)?.checks, known?.checks, "it is not asked about for ever")
    world.stripe.setWebhookMode("automatic")
    assert.deepStrictEqual(yield* world.balance(order.userId), { usd: order.creditMicros, owed: 0n })
  })
})
