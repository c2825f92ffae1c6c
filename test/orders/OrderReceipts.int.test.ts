/**
 * Receipts: who sold and who bought is what it was then, whatever changes after it; a bonus is credited with the payment and goes back
 * in proportion with it; what has gone back is on the receipt.
 */
import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import type { Order } from "../../src/orders/Order.ts"
import { inWorld, makeServer, PaymentWorld } from "../support/PaymentWorld.ts"

const seller = { name: "Realms GmbH", address: "Street 1\nTown", tax_id: "DE1" }

const World = PaymentWorld.layerOf({ seller, billing: { topup_bonuses: ["50.00: 7 percent"] } })

const pay = Effect.fnUntraced(function*(order: Order) {
  const world = yield* PaymentWorld
  world.stripe.pay(yield* world.openStripe(order))
  yield* world.idle
})

layer(World, { excludeTestServices: true })("the receipt of an order", (it) => {
  const test = inWorld(it)

  test("names the seller of then and the buyer of then, whatever both are later", function*(world) {
    const userId = yield* world.user()
    const order = yield* world.orders.topup(userId, 1_000n)
    const before = yield* world.receipts.show(order.id, userId)
    assert.deepStrictEqual([before.buyer, before.paidMinor, before.returns], [null, 0n, []])
    yield* world.buyers.save(userId, { companyName: "Buyer Ltd", taxId: "91310" })
    yield* pay(order)
    yield* world.buyers.save(userId, { companyName: "Other Ltd", taxId: "" })
    yield* world.sql`UPDATE users SET email = 'new-' || email WHERE id = ${userId}`
    const moved = yield* makeServer({ ...world.options, seller: { ...seller, address: "Elsewhere" } })
    const { buyer, keptMinor, seller: shown } = yield* moved.receipts.show(order.id, userId)
    assert.deepStrictEqual(shown, { name: "Realms GmbH", address: "Street 1\nTown", taxId: "DE1" })
    const nameless = yield* makeServer({ ...world.options, seller: {} })
    const other = yield* nameless.orders.topup(yield* world.user(), 1_000n)
    assert.strictEqual((yield* world.receipts.show(other.id, other.userId)).seller.name, "Realms")
    assert.deepInclude(buyer, { companyName: "Buyer Ltd", taxId: "91310" })
    assert.notInclude(buyer?.email ?? "new-", "new-")
    assert.strictEqual(keptMinor, 1_000n)
    // Refunded and paid once more, it still names the same.
    yield* world.refund(order, 1n, "one fen")
    assert.deepInclude((yield* moved.receipts.show(order.id, userId)).buyer, { companyName: "Buyer Ltd" })
    const stranger = yield* world.user()
    assert.strictEqual((yield* Effect.flip(world.receipts.show(order.id, stranger)))._tag, "OrderNotFound")
  })

  test("has the bonus in its credit, and refunds take it back in proportion, to the micro", function*(world) {
    const userId = yield* world.user()
    const order = yield* world.orders.topup(userId, 5_001n)
    // 50.01 × 0.14 × 1.07, rounded down once; 7.0014 of it without the bonus.
    assert.deepStrictEqual([order.creditMicros, order.bonusMicros], [7_491_498n, 490_098n])
    const without = yield* makeServer({ ...world.options, billing: {} })
    yield* pay(order)
    assert.deepStrictEqual(yield* world.balance(userId), { usd: 7_491_498n, owed: 0n })
    yield* world.refund(order, 1_667n, "a third")
    // floor(7491498 × 1667 / 5001)
    const taken = 7_491_498n * 1_667n / 5_001n
    assert.deepStrictEqual(yield* world.balance(userId), { usd: 7_491_498n - taken, owed: 0n })
    const part = yield* without.receipts.show(order.id, userId)
    assert.deepStrictEqual(part.returns.map(({ amountMinor, is, isPending }) => [is, amountMinor, isPending]), [
      ["refund", -1_667n, false]
    ])
    assert.deepStrictEqual([part.paidMinor, part.keptMinor, part.takenMicros], [5_001n, 3_334n, taken])
    assert.deepStrictEqual([part.order.creditMicros, part.order.bonusMicros], [7_491_498n, 490_098n])
    yield* world.refund(order, undefined, "all")
    assert.deepStrictEqual(yield* world.balance(userId), { usd: 0n, owed: 0n })
    const all = yield* world.receipts.show(order.id, userId)
    assert.deepStrictEqual([all.order.state, all.keptMinor, all.returns.length], ["refunded", 0n, 2])
  })

  test("has the bonus of its order, whatever the settings say when it is paid", function*(world) {
    const userId = yield* world.user()
    const order = yield* world.orders.topup(userId, 10_000n)
    const without = yield* makeServer({ ...world.options, billing: { credit_usd_per_cny: "0.01" } })
    world.stripe.setWebhookMode("manual")
    world.stripe.pay(yield* world.openStripe(order))
    yield* without.reconciliation.all(() => undefined)
    world.stripe.setWebhookMode("automatic")
    assert.deepStrictEqual(yield* world.balance(userId), { usd: 14_980_000n, owed: 0n })
  })

  test("refuses a buyer that is out of bounds, and keeps what there was", function*(world) {
    const userId = yield* world.user()
    yield* world.buyers.save(userId, { companyName: "x".repeat(200), taxId: "汉".repeat(60) })
    for (const wrong of [{ companyName: "x".repeat(201) }, { companyName: "a\nb" }, { taxId: "x".repeat(61) }]) {
      const refused = yield* Effect.flip(world.buyers.save(userId, { companyName: "", taxId: "", ...wrong }))
      assert.strictEqual(refused._tag, "BuyerRefused")
    }
    assert.strictEqual((yield* world.buyers.of(userId)).companyName.length, 200)
  })
})
