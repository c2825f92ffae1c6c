import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References, Schema } from "effect"
import type { OrderId } from "../../src/domain/Ids.ts"
import { makeRun, type PaymentRun, Step } from "../support/PaymentRun.ts"
import type { TruePayment } from "../support/PaymentTruth.ts"
import { PaymentWorld, SecondServer, type Server } from "../support/PaymentWorld.ts"

const Steps = Schema.Array(Step).check(Schema.isMinLength(24), Schema.isMaxLength(44))

/** Odd rates, so that what is taken back has to be rounded. */
const odd = {
  billing: { credit_usd_per_cny: "0.137931" },
  payment: { stripe: { currency: "usd", minor_per_fen: "0.1391" } }
}

interface Row {
  readonly event_key: string
  readonly fact: string
  readonly outcome: string
  readonly deliveries: number
  readonly currency: string | null
  readonly payment_reference: string | null
}

const sum = (amounts: ReadonlyArray<bigint>): bigint => amounts.reduce((total, amount) => total + amount, 0n)

const rowsOf = Effect.fnUntraced(function*({ truth }: PaymentRun, { sql }: Server) {
  const keys = truth.delivered.map((fact) => fact.eventKey)
  return yield* sql<Row>`SELECT event_key, fact, outcome, deliveries, currency, payment_reference FROM payment_events
    WHERE ${sql.in("event_key", keys)}`
})

/** One row an event, delivered as often as it was, with an outcome that is the last word or waits for its payment. */
const eventsAgree = (run: PaymentRun, rows: ReadonlyArray<Row>): void => {
  const told = rows.map((row) => [row.event_key, row.deliveries] as const)
  assert.deepStrictEqual(new Map(told), run.truth.deliveries)
  assert.strictEqual(told.length, run.truth.deliveries.size)
  for (const row of rows) {
    const payment = run.truth.payments.find(({ id }) => id === row.payment_reference)
    const allowed = payment === undefined ? ["applied", "ignored"] : outcomesOf(payment, row)
    assert.include(
      allowed,
      row.outcome,
      `${row.fact} of a payment that ${isSettled(payment) ? "is" : "is not"} settled`
    )
  }
}

const isSettled = (payment: TruePayment | undefined): boolean => payment !== undefined && payment.of.winner === payment

const outcomesOf = (payment: TruePayment, row: Row): ReadonlyArray<string> => {
  if (payment.isForeign) return ["ignored", "deferred"]
  if (row.fact === "Paid") return isSettled(payment) ? ["applied", "duplicate"] : ["needs_review", "duplicate"]
  if (!isSettled(payment)) {
    return row.fact === "Dispute"
      ? ["deferred", "ignored", "needs_review"]
      : ["deferred", "ignored"]
  }
  if (row.currency !== payment.paid.currency) return ["needs_review"]
  // A dispute is to be answered; a part of a plan's price that went back is to be seen.
  return row.fact === "Dispute" || payment.of.order.kind === "subscription" ? ["applied", "needs_review"] : ["applied"]
}

/** Each payment that came in is on record once: what settled an order as that, any other as an exception. */
const paymentsAgree = ({ truth }: PaymentRun, rows: ReadonlyArray<Row>): void => {
  const paid = (payment: TruePayment, outcome: string) =>
    rows.filter((row) => row.fact === "Paid" && row.payment_reference === payment.id && row.outcome === outcome).length
  for (const payment of truth.payments) {
    const counts = [paid(payment, "applied"), paid(payment, "needs_review")]
    const inReview = payment.isForeign ? 0 : 1
    assert.deepStrictEqual(counts, isSettled(payment) ? [1, 0] : [0, inReview], "a payment counts once")
  }
  for (const kind of ["topup", "subscription"]) {
    const right = truth.payments.filter(({ isRight, of }) => isRight && of.order.kind === kind)
    const given = truth.orders.filter(({ order, winner }) => winner !== undefined && order.kind === kind)
    const exceptions = right.filter((payment) => paid(payment, "needs_review") > 0)
    assert.strictEqual(
      sum(right.map(({ of }) => truth.worth(of))),
      sum(given.map((order) => truth.worth(order))) + sum(exceptions.map(({ of }) => truth.worth(of))),
      "what was paid is given or an exception"
    )
  }
}

/** A subscription whose price was refunded in part goes on, and somebody is told. */
const partsAreShown = ({ truth }: PaymentRun, rows: ReadonlyArray<Row>): void => {
  for (const { order, winner } of truth.orders) {
    if (winner === undefined || order.kind === "topup" || truth.backMinor(winner) === 0n) continue
    if (winner.disputes.length > 0 || truth.backMinor(winner) >= winner.paid.amountMinor) continue
    const shown = rows.filter((row) =>
      row.payment_reference === winner.id && row.fact.startsWith("Refund") && row.outcome === "needs_review" &&
      row.currency === winner.paid.currency
    )
    assert.isAbove(shown.length, 0, "a part of a subscription's price was refunded and nobody is told")
  }
}

const booksAgree = Effect.fnUntraced(function*({ charged, truth, userId }: PaymentRun, { sql }: Server) {
  const orders = yield* sql<{ id: OrderId; state: string; debited: bigint | null }>`
    SELECT o.id, o.state, p.debited_micros AS debited FROM orders o
    LEFT JOIN payment_attempts a ON a.order_id = o.id AND a.state = 'paid'
    LEFT JOIN payments p ON p.attempt_id = a.id AND p.state = 'fulfilled' WHERE o.user_id = ${userId} ORDER BY o.id`
  assert.deepStrictEqual(
    orders.map((order) => [order.id, order.state, order.debited]),
    truth.orders.map((order) => [
      order.order.id,
      truth.stateOf(order),
      order.winner === undefined ? null : truth.debitMicros(order.winner)
    ])
  )
  const subscriptions = yield* sql<{ order_id: OrderId; status: string }>`
    SELECT order_id, status FROM user_subscriptions WHERE user_id = ${userId} ORDER BY order_id`
  assert.deepStrictEqual(
    subscriptions.map((row) => [row.order_id, row.status]),
    truth.orders.filter(({ order, winner }) => order.kind === "subscription" && winner !== undefined)
      .map((order) => [order.order.id, order.winner === undefined ? "" : truth.planOf(order.winner)])
  )
  const winners = truth.orders.flatMap(({ winner }) => winner === undefined ? [] : [winner])
  const credited = sum(winners.map(({ of }) => of.order.creditMicros))
  const debited = sum(winners.map((payment) => truth.debitMicros(payment)))
  const [balance] = yield* sql<{ usd: bigint; owed: bigint }>`
    SELECT usd_micros AS usd, owed_micros AS owed FROM user_balances WHERE user_id = ${userId}`
  const left = credited - debited - charged()
  assert.deepStrictEqual(balance, { usd: left > 0n ? left : 0n, owed: left < 0n ? -left : 0n })
})

const Worlds = SecondServer.layer.pipe(Layer.provideMerge(PaymentWorld.layerOf(odd)))

layer(Worlds, { excludeTestServices: true })("settlement, whatever comes in whatever order", (it) => {
  it.effect.prop(
    "the books agree with what was paid, refunded, disputed and spent",
    [Steps],
    ([steps]) =>
      Effect.gen(function*() {
        const world = yield* PaymentWorld
        const run = yield* makeRun([world, yield* SecondServer])
        yield* Effect.forEach(steps, run.command, { discard: true })
        yield* run.finish
        const rows = yield* rowsOf(run, world)
        eventsAgree(run, rows)
        paymentsAgree(run, rows)
        partsAreShown(run, rows)
        yield* booksAgree(run, world)
        yield* world.clean
      }).pipe(Effect.provideService(References.MinimumLogLevel, "None")),
    { arbitrary: { runs: 120, seed: 20_260_719, maxShrinks: 40 }, timeout: 300_000 }
  )
})
