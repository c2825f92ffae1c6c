/**
 * Root's actions among everything that providers say and that servers ask, on two servers at the same time: whatever the order, a
 * payment is in one state and counts at most once, and the books are the providers' own.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer, References, Schema } from "effect"
import { makeReservationId, UserId } from "../../src/domain/Ids.ts"
import type { Resolve } from "../../src/events/EventResolutions.ts"
import type { Order } from "../../src/orders/Order.ts"
import type { Actor } from "../../src/platform/AuditLog.ts"
import { PaymentWorld, SecondServer, type Server } from "../support/PaymentWorld.ts"

const acts = [
  "order",
  "order",
  "pay",
  "pay",
  "pay",
  "payAgain",
  "cancel",
  "deliver",
  "deliver",
  "deliver",
  "reconcile",
  "resolve",
  "resolve",
  "resolve",
  "giveBack",
  "complete",
  "refund",
  "refundThere",
  "failThere",
  "dispute",
  "close"
] as const

const Below = (below: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: below - 1 }))

const Step = Schema.Struct({ act: Below(acts.length), pick: Below(1_000), more: Below(1_000), server: Below(2) })
type Step = typeof Step.Type

const Steps = Schema.Array(Step).check(Schema.isMinLength(20), Schema.isMaxLength(40))

const Worlds = SecondServer.layer.pipe(
  Layer.provideMerge(PaymentWorld.layerOf()),
  Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "None"))
)

interface Placed {
  readonly order: Order
  session: string | undefined
  reference: string | undefined
}

const chosen = <A>(list: ReadonlyArray<A>, pick: number): A | undefined => list[pick % Math.max(1, list.length)]

const yuan = (fen: bigint): string => `${fen / 100n}.${String(fen % 100n).padStart(2, "0")}`

/** A refusal is an answer too; what is checked are the books. */
const tried = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<void, never, R> =>
  Effect.asVoid(Effect.exit(effect))

/** What the simulators would not do has not happened. */
const attempt = (act: () => void): Effect.Effect<void> =>
  Effect.sync(() => {
    try {
      act()
    } catch {
      // Refused.
    }
  })

const makeRun = Effect.gen(function*() {
  const world = yield* PaymentWorld
  const servers: readonly [Server, Server] = [world, yield* SecondServer]
  const { epay, openEpay, openStripe, stripe } = world
  const userId = yield* world.user()
  const [root] = yield* world.sql<{ id: UserId }>`
    INSERT INTO users (email, role) VALUES (${`${makeReservationId()}@example.com`}, 'root') RETURNING id`
  const actor: Actor = { name: `user:${root?.id}`, userId: root?.id ?? UserId.make(0n), address: "" }
  const placed: Array<Placed> = []
  /** Stripe's payment intents and the gateway's numbers of the merchant that were paid. */
  const paid: Array<{ readonly provider: "stripe" | "epay"; readonly id: string }> = []
  const refunds: Array<string> = []
  const disputes: Array<string> = []
  const firstEvent = stripe.events.length
  stripe.setWebhookMode("manual")
  epay.setNotifyMode("manual")

  const at = (index: number): Server => servers[index % 2 === 0 ? 0 : 1]

  const deliver = Effect.fnUntraced(function*({ pick, server }: Step) {
    const events = stripe.events.slice(firstEvent)
    stripe.setWebhookUrl(`${at(server).origin}/api/pay/stripe/webhook`)
    const event = chosen(events, pick)
    if (event !== undefined) yield* Effect.promise(() => stripe.deliver(event, { times: 1 + pick % 2 }))
    const trade = chosen(paid.filter(({ provider }) => provider === "epay"), pick)
    if (trade !== undefined) yield* Effect.promise(() => epay.notify(trade.id))
  })

  const place = Effect.fnUntraced(function*({ more, pick, server }: Step) {
    const { orders } = at(server)
    const order = yield* more % 4 === 0
      ? orders.subscription(userId, "basic")
      : orders.topup(userId, BigInt(1_000 + pick))
    placed.push({
      order,
      session: more % 3 === 0 ? undefined : yield* openStripe(order),
      reference: more % 3 === 1 ? undefined : yield* openEpay(order)
    })
  })

  const pay = Effect.fnUntraced(function*({ more, pick }: Step) {
    const of = chosen(placed, pick)
    if (of === undefined) return
    const { order, reference, session } = of
    if (session !== undefined && more % 2 === 0) {
      yield* attempt(() => void paid.push({ provider: "stripe", id: stripe.pay(session).paymentIntent }))
    } else if (reference !== undefined) {
      const money = more % 5 === 1 ? { money: yuan(order.amountFen - 6n) } : {}
      yield* attempt(() => {
        epay.pay(reference, money)
        paid.push({ provider: "epay", id: reference })
      })
    }
  })

  const openEvents = world.paymentEvents.list({ open: true }, { limit: 50 })

  const resolve = Effect.fnUntraced(function*({ more, pick, server }: Step) {
    const event = chosen(yield* openEvents, pick)
    if (event === undefined) return
    const asked: ReadonlyArray<Resolve> = [
      { resolution: "accepted", note: "n", inProportion: true },
      { resolution: "accepted", note: "n", inProportion: false },
      { resolution: "credited", note: "n", user: String(userId), amountMicros: BigInt(1 + pick) },
      { resolution: "dismissed", note: "n" }
    ]
    yield* tried(
      at(server).resolutions.resolve(actor, event.id, chosen(asked, more) ?? { resolution: "dismissed", note: "n" })
    )
  })

  const complete = Effect.fnUntraced(function*({ more, pick, server }: Step) {
    const order = chosen(placed, pick)?.order
    const payment = chosen(paid, more)
    if (order === undefined) return
    // A payment of the providers, by its own name or by another, or a transfer.
    const trade = payment?.provider === "epay" ? epay.orders.get(payment.id)?.tradeNo : payment?.id
    const reference = more % 3 === 0 || trade === undefined ? `transfer ${order.id}` : trade
    yield* tried(
      at(server).manual.complete(actor, {
        orderId: order.id,
        provider: more % 2 === 0 || reference !== trade ? "manual" : payment?.provider ?? "manual",
        reference,
        note: "n"
      })
    )
  })

  const one = Effect.fnUntraced(function*(step: Step) {
    const { act, more, pick, server } = step
    const intent = chosen(paid.filter(({ provider }) => provider === "stripe"), pick)?.id
    switch (acts[act]) {
      case "order":
        return yield* tried(place(step))
      case "pay":
      case "payAgain":
        return yield* pay(step)
      case "cancel": {
        const of = chosen(placed, pick)
        return of === undefined ? undefined : yield* tried(at(server).orders.cancel(of.order.id, undefined))
      }
      case "deliver":
        return yield* deliver(step)
      case "reconcile":
        return yield* tried(at(server).reconciliation.all(() => undefined))
      case "resolve":
        return yield* resolve(step)
      case "giveBack": {
        const event = chosen(yield* openEvents, pick)
        if (event === undefined) return
        return yield* tried(
          at(server).resolutions.refund(actor, event.id, { note: "n", key: `laws-${event.id}-${more % 2}` })
        )
      }
      case "complete":
        return yield* complete(step)
      case "refund": {
        const of = chosen(placed, pick)
        if (of === undefined) return
        return yield* tried(
          at(server).refunds.request(actor, {
            orderId: of.order.id,
            amountMinor: more % 2 === 0 ? undefined : BigInt(1 + more),
            note: "n",
            key: `laws-${makeReservationId()}`
          })
        )
      }
      case "refundThere":
        if (intent !== undefined) {
          yield* attempt(() => void refunds.push(stripe.refund({ paymentIntent: intent, amount: 1 + more }).id))
        }
        return
      case "failThere": {
        const id = chosen(refunds, pick)
        return id === undefined ? undefined : yield* attempt(() => void stripe.failRefund(id))
      }
      case "dispute":
        if (intent !== undefined) {
          yield* attempt(() =>
            void disputes.push(
              stripe.dispute({ paymentIntent: intent, ...(more % 2 === 0 ? {} : { amount: 1 + more }) }).id
            )
          )
        }
        return
      case "close": {
        const id = chosen(disputes, pick)
        return id === undefined
          ? undefined
          : yield* attempt(() => void stripe.closeDispute(id, more % 2 === 0 ? "won" : "lost"))
      }
    }
  })

  /** Everything said arrives, and everybody is asked. */
  const finish = Effect.gen(function*() {
    stripe.setWebhookUrl(`${world.origin}/api/pay/stripe/webhook`)
    for (const event of stripe.events.slice(firstEvent)) yield* Effect.promise(() => stripe.deliver(event))
    for (const { id, provider } of paid) if (provider === "epay") yield* Effect.promise(() => epay.notify(id))
    yield* tried(world.reconciliation.all(() => undefined))
  })

  return { userId, paid, disputes, placed, one, finish }
})

type Run = Effect.Success<typeof makeRun>

interface PaymentRow {
  readonly payment_id: string
  readonly state: string
  readonly n: bigint
  readonly credits: bigint
  readonly plans: bigint
}

/** Each payment, under whatever name, is in one state, and gave something once at most. */
const countsOnce = Effect.fnUntraced(function*({ paid, placed }: Run) {
  const { epay, sql } = yield* PaymentWorld
  const names = paid.map(({ id }) => epay.orders.get(id)?.tradeNo ?? id)
  const ids = placed.map(({ order }) => order.id)
  const rows = yield* sql<PaymentRow>`
    SELECT p.payment_id, string_agg(p.state, ' ') AS state, count(*) AS n,
        count(*) FILTER (WHERE p.state IN ('fulfilled', 'credited') AND p.credited_micros IS NOT NULL) AS credits,
        count(*) FILTER (WHERE p.state = 'fulfilled' AND p.credited_micros IS NULL) AS plans
      FROM payments p WHERE ${sql.in("p.payment_id", ["", ...names])} GROUP BY p.payment_id`
  for (const { credits, payment_id, plans, state } of rows) {
    assert.isAtMost(Number(credits + plans), 1, `${payment_id} counts more than once: ${state}`)
    for (const one of state.split(" ")) {
      assert.include(["fulfilled", "credited", "refunded", "dismissed", "in_review"], one)
    }
  }
  const paidTwice = yield* sql`SELECT a.order_id FROM payments p JOIN payment_attempts a ON a.id = p.attempt_id
    WHERE p.state = 'fulfilled' AND ${
    sql.in("a.order_id", ids.length === 0 ? [0n] : ids)
  } GROUP BY 1 HAVING count(*) > 1`
  assert.deepStrictEqual(paidTwice, [], "an order is fulfilled by one payment")
})

/** What is booked of each payment is what the providers have of it. */
const booksAreTheirs = Effect.fnUntraced(function*({ paid }: Run) {
  const { epay, sql, stripe } = yield* PaymentWorld
  for (const { id, provider } of paid) {
    const trade = epay.orders.get(id)
    const charge = provider === "stripe" ? stripe.charge(id) : undefined
    const reference = charge === undefined ? trade?.tradeNo ?? "" : id
    const [row] = yield* sql<{ received: bigint; refunded: bigint }>`
      SELECT coalesce(sum(m.amount_minor) FILTER (WHERE m.kind IN ('payment', 'payment_correction')), 0)::bigint AS received,
          coalesce(sum(m.amount_minor) FILTER (WHERE m.kind IN ('refund', 'refund_returned')), 0)::bigint AS refunded
        FROM cash_movements m LEFT JOIN payments p ON p.id = m.payment_id LEFT JOIN payment_refunds r ON r.id = m.refund_id
        WHERE coalesce(r.payment_reference, p.payment_id) = ${reference}`
    assert.deepStrictEqual(row, {
      received: BigInt(charge?.amount ?? trade?.paidFen ?? 0),
      refunded: -BigInt(charge?.amount_refunded ?? trade?.refundedFen ?? 0)
    }, `${provider} ${id}`)
  }
})

layer(Worlds, { excludeTestServices: true, timeout: 300_000 })("root among providers, on two servers", (it) => {
  it.effect.prop(
    "a payment is in one state and counts at most once, and the books are the providers' own",
    [Steps],
    ([steps]) =>
      Effect.gen(function*() {
        const world = yield* PaymentWorld
        const run = yield* makeRun
        for (let index = 0; index < steps.length; index += 2) {
          yield* Effect.forEach(steps.slice(index, index + 2), run.one, { concurrency: 2, discard: true })
        }
        yield* run.finish
        yield* countsOnce(run)
        yield* booksAreTheirs(run)
        yield* world.clean
      }),
    { arbitrary: { runs: 40, seed: 20_261_129, maxShrinks: 20 }, timeout: 600_000 }
  )
})
