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
      // A second payment, which root credits, and a part of the first, which root gives back.
      const [second] = yield* world.sql<{ id: bigint }>`
        INSERT INTO payment_events (provider, event_key, kind, fact, payment_reference, amount_minor, currency, outcome)
          VALUES ('stripe', 'second', 'k', 'Paid', 'pi_second', 1000, 'cny', 'exception') RETURNING id`
      const root = { name: "cli", userId: null, address: "" }
      const credit = { resolution: "credited", note: "n", user: String(paid.userId), amountMicros: 7n } as const
      yield* world.resolutions.resolve(root, second?.id ?? 0n, credit)
      const refund = { orderId: plan.id, amountMinor: 100n, note: "n", key: "audited-refund" }
      assert.strictEqual((yield* world.refunds.request(root, refund)).state, "done")
      yield* world.idle
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
        ],
        [
          `UPDATE payment_events SET credited_micros = 8 WHERE event_key = 'second'`,
          `UPDATE payment_events SET credited_micros = 7 WHERE event_key = 'second'`,
          /I4 event \d+ \(credited\) credited 8 micros, the ledger has 7/
        ],
        [
          `UPDATE payment_events SET resolution = 'dismissed', credited_micros = NULL, credited_user_id = NULL
            WHERE event_key = 'second'`,
          `UPDATE payment_events SET resolution = 'credited', credited_micros = 7, credited_user_id = ${paid.userId}
            WHERE event_key = 'second'`,
          /I4 event \d+ \(not resolved\) credited no micros, the ledger has 7/
        ],
        [
          `UPDATE payment_events e SET payment_reference = a.payment_reference FROM payment_attempts a
            WHERE event_key = 'second' AND a.order_id = ${paid.id} AND a.state = 'paid'`,
          `UPDATE payment_events SET payment_reference = 'pi_second' WHERE event_key = 'second'`,
          /I4 event \d+ credited a payment that attempt \d+ was paid with/
        ],
        [
          `UPDATE payment_events SET event_key = 'hidden' WHERE event_key LIKE 'root:refund:%'`,
          `UPDATE payment_events SET event_key = 'root:refund:' || (SELECT id FROM refund_requests)
            WHERE event_key = 'hidden'`,
          /I4 refund \d+ is done, and no event says so/
        ]
      ]
      for (const [breaking, mending, finds] of cases) {
        const found = yield* broken(breaking, mending)
        assert.isTrue(found.some((problem) => finds.test(problem)), `${breaking}: ${found.join("; ")}`)
      }
    }))
})
