/**
 * One run of commands about money: a user of its own whose orders are placed, paid, cancelled, refunded, disputed and spent
 * over two servers, with what the providers say delivered late, again, reordered or at once. It keeps the truth beside the
 * servers and checks each of their answers against it.
 */
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { makeReservationId } from "../../src/domain/Ids.ts"
import { isFinal } from "../../src/orders/Settlement.ts"
import type { PaymentFact } from "../../src/payments/PaymentFact.ts"
import { commitOf } from "./AccountsProcess.ts"
import { type Mistake, PaymentTruth, type TrueOrder } from "./PaymentTruth.ts"
import { PaymentWorld, type Server } from "./PaymentWorld.ts"
import { ignoreLoss, reserveOf } from "./TestAccounts.ts"

const commands = [
  "topup",
  "topup",
  "plan",
  "plan",
  "start",
  "pay",
  "pay",
  "pay",
  "pay",
  "pay",
  "payAgain",
  "processing",
  "ended",
  "cancel",
  "expire",
  "refund",
  "refund",
  "misread",
  "failRefund",
  "dispute",
  "dispute",
  "closeDispute",
  "spend",
  "hold",
  "release",
  "redeliver"
] as const

const mistakes: ReadonlyArray<Mistake> = ["none", "none", "none", "none", "amount", "currency", "merchant", "reference"]

const Below = (below: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: below - 1 }))

/** One command: which, about what, how much, by which server, and whether what is said of it arrives. */
export const Step = Schema.Struct({
  which: Below(commands.length),
  pick: Below(1_000),
  more: Below(1_000),
  server: Below(2),
  /** 0 and 1 keep back what the provider says, 2 and 3 deliver it at once with another message, 4 alone. */
  when: Below(5)
})
export type Step = typeof Step.Type

interface Hold {
  readonly id: string
  readonly server: Server
  readonly tokens: number
}

const chosen = <A>(list: ReadonlyArray<A>, pick: number): A | undefined => list[pick % Math.max(1, list.length)]

export const makeRun = Effect.fnUntraced(function*(servers: readonly [Server, Server]) {
  const world = yield* PaymentWorld
  const userId = yield* world.user()
  const truth = new PaymentTruth(makeReservationId())
  const holds: Array<Hold> = []
  let charged = 0n
  const at = (index: number): Server => servers[index % 2 === 0 ? 0 : 1]
  const paymentTold = (fact: PaymentFact) => fact._tag === "Paid" ? truth.paymentOf(fact) : undefined

  /** Delivers messages at once, to the servers in turn, and follows what they answer. */
  const deliver = Effect.fnUntraced(function*(facts: ReadonlyArray<PaymentFact>, first: number) {
    const rightOf = (order: TrueOrder) =>
      facts.map(paymentTold).filter((payment) => payment?.isRight === true && payment.of === order)
    const due = truth.orders.filter((order) => order.winner === undefined && rightOf(order).length > 0)
    const answers = yield* Effect.forEach(
      facts,
      (fact, index) => Effect.map(at(first + index).settlement.settle(fact), (answer) => ({ fact, answer })),
      { concurrency: "unbounded" }
    )
    for (const { answer, fact } of answers) {
      truth.deliveries.set(fact.eventKey, (truth.deliveries.get(fact.eventKey) ?? 0) + 1)
      if (!truth.delivered.includes(fact)) truth.delivered.push(fact)
      assert.isTrue(isFinal(answer.outcome) || answer.outcome === "deferred", answer.outcome)
      const payment = paymentTold(fact)
      if (payment === undefined || answer.repeated || answer.outcome !== "applied") continue
      assert.isUndefined(payment.of.winner, "an order is fulfilled once")
      assert.include(rightOf(payment.of), payment, "only what was asked for fulfils an order")
      payment.of.winner = payment
    }
    for (const order of due) assert.isDefined(order.winner, "the first right payment is honoured at once")
  })

  const place = Effect.fnUntraced(function*(step: Step) {
    const { orders } = at(step.server)
    const placed = commands[step.which] === "plan"
      ? orders.subscription(userId, "basic")
      : orders.topup(userId, BigInt(1_000 + step.pick))
    const order = yield* placed
    const waiting = truth.orders.find((known) => known.order.id === order.id)
    if (waiting === undefined) truth.orders.push({ order, unpaid: "pending", winner: undefined })
    else assert.deepStrictEqual([waiting.unpaid, waiting.winner], ["pending", undefined], "what waits is given again")
    const of = truth.orders.find((known) => known.order.id === order.id)
    if (of !== undefined) yield* start(of, step)
  })

  const start = Effect.fnUntraced(function*(of: TrueOrder, step: Step) {
    const { checkout, orders } = at(step.server)
    const { id } = of.order
    const started = step.more % 2 === 0
      ? checkout.startEpay(id, userId, "alipay")
      : checkout.startStripe(id, { userId, address: "" })
    const result = yield* Effect.result(started)
    if (result._tag === "Failure") return assert.include(["OrderClosed", "OrderProcessing"], result.failure._tag)
    for (const attempt of (yield* orders.show(id, userId)).attempts) {
      truth.attempts.set(attempt.reference, { attempt, of })
    }
  })

  const cancel = Effect.fnUntraced(function*(of: TrueOrder, server: Server) {
    const result = yield* Effect.result(server.orders.cancel(of.order.id, userId))
    if (result._tag === "Success") {
      assert.isUndefined(of.winner, "what is paid is not cancelled")
      of.unpaid = "cancelled"
    } else if (result.failure._tag === "OrderClosed") {
      assert.isTrue(of.winner !== undefined || of.unpaid === "expired")
    } else assert.strictEqual(result.failure._tag, "OrderProcessing")
  })

  const expire = Effect.fnUntraced(function*(of: TrueOrder, { orders, sql }: Server) {
    const table = sql.literal(of.order.kind === "topup" ? "topup_orders" : "subscription_orders")
    yield* sql`UPDATE ${table} SET expires_at = now() - interval '1 minute' WHERE id = ${of.order.id}`
    const ids = yield* orders.expireDue
    for (const expired of truth.orders.filter(({ order }) => ids.includes(order.id))) {
      assert.deepStrictEqual([expired.winner, expired.unpaid], [undefined, "pending"])
      expired.unpaid = "expired"
    }
  })

  const reserve = Effect.fnUntraced(function*(step: Step) {
    const server = at(step.server)
    const command = reserveOf(BigInt(1_000 + step.pick * 300))
    const result = yield* Effect.result(server.accounts.reserve(userId, command, ignoreLoss))
    if (result._tag === "Failure") return assert.strictEqual(result.failure._tag, "InsufficientFunds")
    holds.push({ id: command.id, server, tokens: 1_000 + step.pick * step.more % 300 })
  })

  const release = Effect.fnUntraced(function*(pick: number) {
    const [hold] = holds.splice(pick % Math.max(1, holds.length), 1)
    if (hold === undefined) return
    charged += (yield* hold.server.accounts.commit(userId, commitOf(hold.id, hold.tokens))).chargedMicros
  })

  /** What a provider says of one payment or attempt goes to the outbox. */
  const speak = (step: Step): void => {
    const named = chosen([...truth.attempts.values()], step.pick)
    if (named === undefined) return
    switch (commands[step.which]) {
      case "pay":
        return truth.pay(named.attempt, named.of, chosen(mistakes, step.more) ?? "none")
      case "processing":
        return truth.tell(named.attempt, "Processing")
      case "ended":
        return truth.tell(named.attempt, "Ended")
    }
    const payment = chosen(truth.payments, step.pick)
    if (payment === undefined) return
    switch (commands[step.which]) {
      case "payAgain":
        return truth.payAgain(payment)
      case "refund":
        return truth.refund(payment, step.more)
      case "misread":
        return truth.refundMisread(payment)
      case "failRefund":
        return truth.failRefund(payment, step.more)
      case "dispute":
        return truth.dispute(payment, step.more)
      case "closeDispute":
        return truth.closeDispute(payment, step.more % 2 === 0)
    }
  }

  /** Of what was said and held back, one message; of what was delivered, one again. */
  const arrive = Effect.fnUntraced(function*(step: Step) {
    const { outbox } = truth
    if (commands[step.which] !== "redeliver" && step.when < 2) return
    const [late] = outbox.splice(step.more % 3 === 0 ? step.pick % Math.max(1, outbox.length) : outbox.length - 1, 1)
    const again = chosen(truth.delivered, step.pick)
    const other = step.when === 2 || step.when === 3 ? outbox.splice(0, 1)[0] ?? again : undefined
    const repeated = commands[step.which] === "redeliver" ? again : undefined
    yield* deliver([late, repeated, other].filter((fact) => fact !== undefined), step.server)
  })

  const command = Effect.fnUntraced(function*(step: Step) {
    const name = commands[step.which]
    const of = chosen(truth.orders, step.pick)
    if (name === "topup" || name === "plan" || of === undefined) return yield* place(step)
    if (name === "start") return yield* start(of, step)
    if (name === "cancel") return yield* cancel(of, at(step.server))
    if (name === "expire") return yield* expire(of, at(step.server))
    if (name === "hold") return yield* reserve(step)
    if (name === "release") return yield* release(step.pick)
    if (name === "spend") {
      yield* reserve(step)
      return yield* release(holds.length - 1)
    }
    speak(step)
    yield* arrive(step)
  })

  /** Everything said arrives, two at a time, and every hold ends. */
  const finish = Effect.gen(function*() {
    const { outbox } = truth
    while (outbox.length > 0) yield* deliver(outbox.splice(0, 2).toReversed(), outbox.length)
    while (holds.length > 0) yield* release(0)
  })

  return { userId, truth, command, finish, charged: () => charged }
})

export type PaymentRun = Effect.Success<ReturnType<typeof makeRun>>
