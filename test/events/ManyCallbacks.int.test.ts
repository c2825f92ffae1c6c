import { assert, layer } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { makeServer, PaymentWorld } from "../support/PaymentWorld.ts"
import { seeded } from "../support/Seeded.ts"

const ORDERS = 1_000
const DELIVERIES = 10
const TEST_TIMEOUT_MS = 240_000

layer(PaymentWorld.layerOf(), { excludeTestServices: true })("a thousand orders", (it) => {
  it.effect(
    "each callback ten times, shuffled and at once, to two servers: each order is credited exactly once",
    () =>
      Effect.gen(function*() {
        const world = yield* PaymentWorld
        const other = yield* makeServer(world.options)
        world.stripe.setWebhookMode("manual")
        world.epay.setNotifyMode("manual")
        const tellings: Array<(to: string) => Promise<ReadonlyArray<{ readonly status: number }>>> = []
        yield* Effect.forEach(Array.from({ length: ORDERS }), (_, index) =>
          Effect.gen(function*() {
            const order = yield* world.topup
            if (index % 2 === 0) {
              const { paymentIntent } = world.stripe.pay(yield* world.openStripe(order))
              // Nothing comes between a payment and its event.
              const event = world.stripe.events.at(-1)
              if (event === undefined || !JSON.stringify(event).includes(paymentIntent)) return assert.fail("no event")
              tellings.push((origin) => world.stripe.deliver(event, { to: `${origin}/api/pay/stripe/webhook` }))
            } else {
              const reference = yield* world.openEpay(order)
              world.epay.pay(reference)
              tellings.push((origin) => world.epay.notify(reference, { to: `${origin}/api/pay/epay/notify` }))
            }
          }), { concurrency: 8, discard: true })
        const below = seeded(20_261_124)
        const all = Array.from({ length: DELIVERIES }, () => tellings).flat()
          .map((tell) => ({ tell, place: below(2 ** 31) }))
          .toSorted((a, b) => a.place - b.place)
        const startedMs = yield* Clock.currentTimeMillis
        const answers = yield* Effect.forEach(
          all,
          ({ tell }, index) => Effect.promise(() => tell(index % 2 === 0 ? world.origin : other.origin)),
          { concurrency: 32 }
        )
        const tookMs = (yield* Clock.currentTimeMillis) - startedMs
        yield* Effect.logInfo(`${all.length} callbacks of ${ORDERS} orders in ${tookMs} ms`)
        assert.deepStrictEqual(answers.flat().filter((answer) => answer.status !== 200), [])
        const [row] = yield* world.sql<
          { paid: bigint; credits: bigint; micros: bigint; events: bigint; told: boolean }
        >`
        SELECT (SELECT count(*) FROM topup_orders WHERE state = 'paid') AS paid,
          (SELECT count(*) FROM ledger_entries) AS credits,
          (SELECT sum(usd_micros)::bigint FROM user_balances) AS micros,
          (SELECT count(*) FROM payment_events WHERE fact = 'Paid' AND outcome = 'applied') AS events,
          -- Where this takes more than a minute, the reconciliation has asked as well.
          (SELECT sum(deliveries) >= ${ORDERS * DELIVERIES}::bigint FROM payment_events) AS told`
        const orders = BigInt(ORDERS)
        assert.deepStrictEqual({ ...row }, {
          paid: orders,
          credits: orders,
          micros: orders * 1_400_000n,
          events: orders,
          told: true
        })
        yield* world.clean
      }).pipe(Effect.scoped),
    TEST_TIMEOUT_MS
  )
})
