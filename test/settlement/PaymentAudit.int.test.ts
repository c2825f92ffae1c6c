import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { PaymentWorld } from "../support/PaymentWorld.ts"

/** Breaks the books by a statement, looks at what the audit finds, and puts them right by another. */
const broken = Effect.fnUntraced(function*(breaking: string, mending: string) {
  const world = yield* PaymentWorld
  yield* world.clean
  yield* world.sql.unsafe(breaking)
  const found = yield* world.problems
  yield* world.sql.unsafe(mending)
  yield* world.clean
  return found
})

layer(PaymentWorld.layerOf(), { excludeTestServices: true })("the audit of money in", (it) => {
  it.effect("finds what was made up, and says where", () =>
    Effect.gen(function*() {
      const world = yield* PaymentWorld
      const paid = yield* world.topup
      world.stripe.pay(yield* world.openStripe(paid))
      const plan = yield* world.orders.subscription(yield* world.user(), "basic")
      world.stripe.pay(yield* world.openStripe(plan))
      yield* world.idle
      const open = yield* world.topup
      const order = `WHERE id = ${open.id}`
      const attempt = `WHERE order_id = ${paid.id}`
      const cases: ReadonlyArray<readonly [breaking: string, mending: string, finds: RegExp]> = [
        [
          `UPDATE topup_orders SET state = 'paid' ${order}`,
          `UPDATE topup_orders SET state = 'pending' ${order}`,
          /I4 top-up order \d+ \(paid\) of 1400000 micros has nothing in the ledger/
        ],
        [
          `UPDATE topup_orders SET credit_micros = 1400001 WHERE id = ${paid.id}`,
          `UPDATE topup_orders SET credit_micros = 1400000 WHERE id = ${paid.id}`,
          /I4 top-up order \d+ \(paid\) of 1400001 micros has 1400000/
        ],
        [
          `UPDATE topup_orders SET state = 'cancelled' WHERE id = ${paid.id}`,
          `UPDATE topup_orders SET state = 'paid' WHERE id = ${paid.id}`,
          /I4 order \d+ is cancelled with 1 paid attempts/
        ],
        [
          `UPDATE user_subscriptions SET limit_5h_micros = 0 WHERE order_id = ${plan.id}`,
          `UPDATE user_subscriptions SET limit_5h_micros = 6000000 WHERE order_id = ${plan.id}`,
          /I4 subscription order \d+ \(active\) has no subscription on its terms/
        ],
        [
          `UPDATE subscription_orders SET state = 'refunded' WHERE id = ${plan.id}`,
          `UPDATE subscription_orders SET state = 'active' WHERE id = ${plan.id}`,
          /I4 order \d+ is refunded and its subscription is active/
        ],
        [
          `UPDATE payment_events SET outcome = 'ignored' WHERE attempt_id IN (SELECT id FROM payment_attempts ${attempt})`,
          `UPDATE payment_events SET outcome = 'applied' WHERE attempt_id IN (SELECT id FROM payment_attempts ${attempt})`,
          /I5 attempt \d+ is paid without an event that was applied/
        ],
        [
          `UPDATE payment_events SET outcome = 'received' WHERE attempt_id IN (SELECT id FROM payment_attempts ${attempt})`,
          `UPDATE payment_events SET outcome = 'applied' WHERE attempt_id IN (SELECT id FROM payment_attempts ${attempt})`,
          /I5 event \d+ was received and has no outcome/
        ],
        [
          `UPDATE payment_attempts SET debited_micros = 5 ${attempt}`,
          `UPDATE payment_attempts SET debited_micros = 0 ${attempt}`,
          /I2 attempt \d+ took back 5 micros, the ledger says 0/
        ]
      ]
      for (const [breaking, mending, finds] of cases) {
        const found = yield* broken(breaking, mending)
        assert.isTrue(found.some((problem) => finds.test(problem)), `${breaking}: ${found.join("; ")}`)
      }
    }))
})
