/**
 * The same is ordered once while it waits to be paid: a second request, at once and by two servers too, gets the order that there is,
 * as long as it is the very same and can still be paid.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { postInTransaction } from "../../src/accounts/Ledger.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { PENDING_ORDERS_MAX } from "../../src/orders/Orders.ts"
import { inWorld, makeServer, PaymentWorld, SecondServer, type Server } from "../support/PaymentWorld.ts"

const Worlds = SecondServer.layer.pipe(Layer.provideMerge(PaymentWorld.layerOf()))

layer(Worlds, { excludeTestServices: true })("an order that waits to be paid", (it) => {
  const test = inWorld(it)

  test("is one, however many ask for the same at once, at two servers", function*(world) {
    const second = yield* SecondServer
    const asks = [
      ({ orders }: Server, userId: UserId) => Effect.orDie(orders.topup(userId, 1_000n)),
      ({ orders }: Server, userId: UserId) => Effect.orDie(orders.subscription(userId, "basic"))
    ]
    for (const ask of asks) {
      const userId = yield* world.user()
      const asked = yield* Effect.forEach(
        Array.from({ length: 20 }, (_, at) => at % 2 === 0 ? world : second),
        (server) => ask(server, userId),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(new Set(asked.map(({ id }) => id)).size, 1)
      assert.strictEqual((yield* world.orders.list(userId)).length, 1)
      const stranger = yield* ask(world, yield* world.user())
      assert.notStrictEqual(stranger.id, asked[0]?.id)
    }
  })

  test("is made while something is being written to the ledger of its buyer", function*(world) {
    const second = yield* SecondServer
    const userId = yield* world.user()
    const posting = postInTransaction(world.sql, userId, {
      kind: "adjustment",
      amountMicros: 5n,
      refType: "adjustment",
      refId: `pending:${userId}`,
      actor: "cli",
      note: "a note",
      mode: "owe"
    })
    // The entry is there, not committed, while the order is made; then it is taken back.
    const order = yield* Effect.forkDetach(second.orders.topup(userId, 1_000n)).pipe(
      Effect.flatMap(Fiber.join),
      Effect.timeout("5 seconds"),
      (made) => Effect.andThen(posting, made),
      Effect.flatMap((made) => Effect.fail(made)),
      (undone) => Effect.flip(world.sql.withTransaction(undone))
    )
    assert.deepInclude(order, { userId, state: "pending" })
  })

  test("is given again at the bound on orders too, and another amount is not", function*(world) {
    const userId = yield* world.user()
    const first = yield* world.orders.topup(userId, 1_000n)
    for (let made = 1; made < PENDING_ORDERS_MAX; made++) yield* world.orders.topup(userId, BigInt(1_000 + made))
    assert.strictEqual((yield* world.orders.topup(userId, 1_000n)).id, first.id)
    assert.strictEqual((yield* Effect.flip(world.orders.topup(userId, 9_000n)))._tag, "TooManyOpen")
  })

  test("is another one at another rate, bonus, seller or price, and each is settled by its own", function*(world) {
    const userId = yield* world.user()
    const first = yield* world.orders.topup(userId, 1_000n)
    const others = [
      { billing: { credit_usd_per_cny: "0.15" } },
      { billing: { topup_bonuses: ["10: 10%"] } },
      { seller: { name: "Other" } }
    ]
    const ids = new Set([first.id])
    for (const more of others) {
      const server = yield* makeServer({ ...world.options, ...more })
      ids.add((yield* server.orders.topup(userId, 1_000n)).id)
    }
    assert.strictEqual(ids.size, 4)
    const plan = yield* world.orders.subscription(userId, "basic")
    yield* world.sql`UPDATE subscription_plans SET price_fen = price_fen + 1 WHERE code = 'basic'`
    const dearer = yield* world.orders.subscription(userId, "basic")
    yield* world.sql`UPDATE subscription_plans SET price_fen = price_fen - 1 WHERE code = 'basic'`
    assert.notStrictEqual(dearer.id, plan.id)
    // How a plan is shown is no part of what is bought.
    yield* world.sql`UPDATE subscription_plans SET description_en = 'New', position = 9 WHERE code = 'basic'`
    assert.strictEqual((yield* world.orders.subscription(userId, "basic")).id, plan.id)
    world.stripe.pay(yield* world.openStripe(first))
    yield* world.idle
    assert.deepStrictEqual(yield* world.balance(userId), { usd: 1_400_000n, owed: 0n })
  })

  test("is another one when it is paid, cancelled, nearly over, or a payment of it is on its way", function*(world) {
    const userId = yield* world.user()
    const next = Effect.orDie(world.orders.topup(userId, 1_000n))
    const paid = yield* next
    world.stripe.pay(yield* world.openStripe(paid))
    yield* world.idle
    const cancelled = yield* next
    yield* world.orders.cancel(cancelled.id, userId)
    const late = yield* next
    yield* world.sql`UPDATE topup_orders SET expires_at = now() + interval '14 minutes' WHERE id = ${late.id}`
    const onItsWay = yield* next
    yield* world.openStripe(onItsWay)
    assert.strictEqual((yield* next).id, onItsWay.id, "one that was only started is gone on with")
    yield* world.sql`UPDATE payment_attempts SET state = 'processing' WHERE order_id = ${onItsWay.id}`
    const last = yield* next
    assert.strictEqual(new Set([paid, cancelled, late, onItsWay, last].map(({ id }) => id)).size, 5)
    yield* world.sql`UPDATE payment_attempts SET state = 'open' WHERE order_id = ${onItsWay.id}`
  })
})
