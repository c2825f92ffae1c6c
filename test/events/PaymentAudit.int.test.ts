import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { keptTerms } from "../../src/domain/Plan.ts"
import { PaymentWorld } from "../support/PaymentWorld.ts"
import { unknownPayment } from "../support/UnknownPayment.ts"

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
      const second = yield* unknownPayment(world.sql, { provider: "stripe", reference: "pi_second" })
      const root = { name: "cli", userId: null, address: "" }
      const credit = { resolution: "credited", note: "n", user: String(paid.userId), amountMicros: 7n } as const
      yield* world.resolutions.resolve(root, second, credit)
      const refund = { orderId: plan.id, amountMinor: 100n, note: "n", key: "audited-refund" }
      assert.strictEqual((yield* world.refunds.request(root, refund)).state, "succeeded")
      yield* world.idle
      const order = `WHERE id = ${open.id}`
      const attempt = `WHERE order_id = ${paid.id}`
      const payment = `WHERE attempt_id IN (SELECT id FROM payment_attempts ${attempt} AND state = 'paid')`
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
        ...keptTerms.columnNames.filter((column) => column !== "group_code").map((column) =>
          [
            `UPDATE user_subscriptions SET ${column} = ${column} + 1 WHERE order_id = ${plan.id}`,
            `UPDATE user_subscriptions SET ${column} = ${column} - 1 WHERE order_id = ${plan.id}`,
            /I4 subscription order \d+ \(active\) has no subscription on its terms/
          ] as const
        ),
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
          `UPDATE payments SET debited_micros = 5 ${payment}`,
          `UPDATE payments SET debited_micros = 0 ${payment}`,
          /I2 payment \d+ had 5 micros clawed back, the ledger says 0/
        ],
        [
          "UPDATE payments SET credited_micros = 8 WHERE payment_id = 'pi_second'",
          "UPDATE payments SET credited_micros = 7 WHERE payment_id = 'pi_second'",
          /I4 payment \d+ \(credited\) credited 8 micros, the ledger has 7/
        ],
        [
          `UPDATE payments SET state = 'dismissed', credited_micros = NULL, credited_user_id = NULL
            WHERE payment_id = 'pi_second'`,
          `UPDATE payments SET state = 'credited', credited_micros = 7, credited_user_id = ${paid.userId}
            WHERE payment_id = 'pi_second'`,
          /I4 payment of event \d+ \(not known\) credited no micros, the ledger has 7/
        ],
        [
          `UPDATE payments SET state = 'refunded', credited_micros = NULL, credited_user_id = NULL ${payment}`,
          `UPDATE payments SET state = 'fulfilled', credited_micros = 1400000, credited_user_id = ${paid.userId} ${payment}`,
          /I4 attempt \d+ is paid, and 0 payments were fulfilled through it/
        ],
        [
          `UPDATE payments SET provider = 'manual', manual = true, payment_id = (SELECT payment_reference FROM payment_attempts
            WHERE order_id = ${plan.id} AND state = 'paid') ${payment}`,
          `UPDATE payments p SET provider = 'stripe', manual = false, payment_id = a.payment_reference
            FROM payment_attempts a WHERE a.id = p.attempt_id AND a.order_id = ${paid.id} AND p.state = 'fulfilled'`,
          /I4 payments \d+ and \d+ have the number pi_\w+, and both were used/
        ],
        [
          `UPDATE payment_events SET resolution = 'refunded', resolution_note = 'n', resolved_by = 'cli', resolved_at = now()
            WHERE attempt_id IN (SELECT id FROM payment_attempts ${attempt})`,
          `UPDATE payment_events SET resolution = NULL, resolution_note = NULL, resolved_by = NULL, resolved_at = NULL
            WHERE attempt_id IN (SELECT id FROM payment_attempts ${attempt})`,
          /I4 event \d+ says that payment \d+ was refunded, and the payment is fulfilled/
        ],
        [
          `UPDATE payment_events SET event_key = 'hidden' || event_key, subject = 'hidden' || subject WHERE fact = 'Refund'`,
          `UPDATE payment_events SET event_key = substr(event_key, 7), subject = substr(subject, 7) WHERE fact = 'Refund'`,
          /I4 refund \d+ is succeeded, and no event says so/
        ],
        [
          `UPDATE payment_refunds SET payment_id = (SELECT id FROM payments ${payment}), currency = (SELECT currency FROM payments
            ${payment})`,
          `UPDATE payment_refunds r SET payment_id = p.id, currency = p.currency FROM payments p
            WHERE p.payment_id = r.payment_reference`,
          /I4 payment \d+ had \d+ micros clawed back, its refunds and disputes make it \d+/
        ]
      ]
      for (const [breaking, mending, finds] of cases) {
        const found = yield* broken(breaking, mending)
        assert.isTrue(found.some((problem) => finds.test(problem)), `${breaking}: ${found.join("; ")}`)
      }
    }))
})
