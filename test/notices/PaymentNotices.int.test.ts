/**
 * What users and root are told of money: written in the transaction that settles it, once, however often and by whomever the provider's
 * word is delivered; and mailed by the server that runs, in the user's language.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import type { UserId } from "../../src/domain/Ids.ts"
import { Row } from "../../src/domain/Row.ts"
import { rowsOf } from "../../src/postgres/Rows.ts"
import { dispute, refund, settle } from "../support/ClawbackFacts.ts"
import { inWorld, paidFact, PaymentWorld } from "../support/PaymentWorld.ts"
import { makeSmtpReceiver } from "../support/SmtpReceiver.ts"
import { until } from "../support/Until.ts"

class Post extends Context.Service<Post, Effect.Success<ReturnType<typeof makeSmtpReceiver>>>()(
  "realms/test/notices/PaymentNotices.int.test/Post"
) {}

/** A server of payments that mails to a server beside it. */
const Worlds = Layer.unwrap(Effect.map(
  makeSmtpReceiver({ isPlain: true }),
  (post) => Layer.merge(PaymentWorld.layerOf({ smtp: post.document }), Layer.succeed(Post, post))
))

const Noted = Row({ kind: Schema.String, data: Schema.Record(Schema.String, Schema.Unknown) })

/** What was written for a user; null: for root. */
const noticesOf = (userId: UserId | null) =>
  Effect.flatMap(PaymentWorld, ({ sql }) =>
    Effect.orDie(rowsOf(
      Noted,
      sql`SELECT kind, data FROM notices WHERE user_id IS NOT DISTINCT FROM ${userId} ORDER BY id`
    )))

const rootNotices = (key: string, value: string) =>
  Effect.map(noticesOf(null), (all) => all.filter(({ data }) => data[key] === value))

/** Sets how the user is reached; answers what they are mailed, once there are so many. */
const reader = Effect.fnUntraced(function*(userId: UserId, language: "en" | "zh") {
  const { sql } = yield* PaymentWorld
  const post = yield* Post
  const email = `reader-${userId}@example.com`
  yield* Effect.orDie(sql`UPDATE users SET email = ${email}, language = ${language},
    email_verified_at = now() WHERE id = ${userId}`)
  return (count: number) =>
    Effect.map(until(`${count} mails are there`, () => post.to(email).length >= count), () => post.to(email))
})

describe("notices of money", () => {
  layer(Worlds, { excludeTestServices: true, timeout: 60_000 })((it) => {
    const test = inWorld<Post>(it)

    test(
      "a payment that is told many times at once is received once, and mailed in the user's language",
      function*(world) {
        const { order, session } = yield* world.stripeTopup
        const mails = yield* reader(order.userId, "zh")
        world.stripe.setWebhookMode("manual")
        world.stripe.pay(session)
        const paid = world.stripe.events.filter(({ type }) => type === "checkout.session.completed").slice(-1)
        for (const event of paid) yield* Effect.promise(() => world.stripe.deliver(event, { times: 5 }))
        world.stripe.setWebhookMode("automatic")
        yield* world.credited(order)
        assert.deepStrictEqual(yield* noticesOf(order.userId), [{
          kind: "payment_received",
          data: {
            payment_id: (yield* noticesOf(order.userId))[0]?.data["payment_id"],
            paid_minor: "1000",
            currency: "cny",
            credit_micros: "1400000",
            order_id: String(order.id),
            order_kind: "topup",
            plan: null
          }
        }])
        const [mail] = yield* mails(1)
        assert.strictEqual(mail?.subject, "[Realms] 已收到付款：¥10.00")
        assert.include(mail?.text, "已有 $1.40 计入您的余额")
        assert.include(mail?.text, `/pay/topup/${order.id}`)
      }
    )

    test("a plan that is paid is told with its name, and its refund when the money is back", function*(world) {
      const userId = yield* world.user()
      const mails = yield* reader(userId, "en")
      const order = yield* Effect.orDie(world.orders.subscription(userId, "basic"))
      const reference = yield* world.openEpay(order)
      world.epay.pay(reference)
      yield* world.idle
      const [received] = yield* mails(1)
      assert.strictEqual(received?.subject, "[Realms] Payment received: ¥12.00")
      assert.include(received?.text, "Your plan Basic is active.")
      yield* world.refund(order, undefined, "asked for")
      const [, back] = yield* mails(2)
      assert.strictEqual(back?.subject, "[Realms] Refund of ¥12.00")
      assert.deepStrictEqual((yield* noticesOf(userId)).map(({ kind }) => kind), ["payment_received", "refund"])
    })

    test("a refund is told when it has succeeded, once, and none that failed", function*(world) {
      const { order, session } = yield* world.stripeTopup
      const { paymentIntent } = world.stripe.pay(session)
      yield* world.idle
      const kinds = Effect.map(noticesOf(order.userId), (all) => all.map(({ kind }) => kind))
      yield* settle(refund(paymentIntent, "pending"))
      assert.deepStrictEqual(yield* kinds, ["payment_received"])
      yield* settle(refund(paymentIntent, "succeeded", { amountMinor: 1_000n }))
      yield* settle({ ...refund(paymentIntent, "succeeded", { amountMinor: 1_000n }), atSeconds: 3_000 })
      assert.deepStrictEqual(yield* kinds, ["payment_received", "refund"])
      const failed = yield* world.stripeTopup
      const other = world.stripe.pay(failed.session).paymentIntent
      yield* world.idle
      yield* settle(refund(other, "failed"))
      assert.deepStrictEqual((yield* noticesOf(failed.order.userId)).map(({ kind }) => kind), ["payment_received"])
    })

    test("a dispute is told to root with its due date, and is no review besides", function*(world) {
      const { session } = yield* world.stripeTopup
      const { paymentIntent } = world.stripe.pay(session)
      yield* world.idle
      const before = (yield* noticesOf(null)).length
      yield* settle(dispute(paymentIntent, "needs_response", "created", { amountMinor: 1_000n }))
      yield* settle({
        ...dispute(paymentIntent, "needs_response", "updated", { amountMinor: 1_000n }),
        atSeconds: 2_001
      })
      const found = yield* rootNotices("dispute_id", `du_of_${paymentIntent}`)
      assert.deepStrictEqual(found, [{
        kind: "dispute",
        data: {
          dispute_id: `du_of_${paymentIntent}`,
          provider: "stripe",
          reason: "product_not_received",
          amount_minor: "1000",
          currency: "cny",
          due_at: "2027-01-15T08:00:00Z"
        }
      }])
      assert.strictEqual((yield* noticesOf(null)).length, before + 1)
    })

    test("what needs a review is told to root once", function*(world) {
      const { order } = yield* world.stripeTopup
      const { attempts } = yield* Effect.orDie(world.orders.show(order.id, undefined))
      const fact = paidFact(attempts[0]?.reference ?? "", { amountMinor: 7n })
      assert.strictEqual((yield* settle(fact)).outcome, "needs_review")
      yield* settle(fact)
      const found = (yield* noticesOf(null)).filter(({ data }) => data["amount_minor"] === "7")
      assert.deepStrictEqual(found.map(({ kind }) => kind), ["review_needed"])
      assert.deepStrictEqual(yield* noticesOf(order.userId), [])
    })

    test("a refund that fails after it was told is told to have failed", function*(world) {
      const { order, session } = yield* world.stripeTopup
      const { paymentIntent } = world.stripe.pay(session)
      yield* world.idle
      yield* settle(refund(paymentIntent, "succeeded", { amountMinor: 1_000n }))
      yield* settle({ ...refund(paymentIntent, "failed", { amountMinor: 1_000n }), atSeconds: 3_000 })
      const [, told, failed] = yield* noticesOf(order.userId)
      assert.deepStrictEqual([told?.kind, failed?.kind], ["refund", "refund_failed"])
      assert.deepStrictEqual(failed?.data, told?.data)
    })

    test("a dispute is told again when it comes to ask for an answer", function*(world) {
      const { session } = yield* world.stripeTopup
      const { paymentIntent } = world.stripe.pay(session)
      yield* world.idle
      const said = (status: string, atSeconds: number) =>
        settle({ ...dispute(paymentIntent, status, `at${atSeconds}`, { amountMinor: 1_000n }), atSeconds })
      yield* said("warning_needs_response", 2_000)
      yield* said("warning_under_review", 2_001)
      yield* said("needs_response", 2_002)
      yield* said("under_review", 2_003)
      const found = yield* rootNotices("dispute_id", `du_of_${paymentIntent}`)
      assert.deepStrictEqual(found.map(({ kind }) => kind), ["dispute", "dispute"])
    })

    test("a review that is opened again is told again", function*({ sql, ...world }) {
      const { order } = yield* world.stripeTopup
      const { attempts } = yield* Effect.orDie(world.orders.show(order.id, undefined))
      yield* settle(paidFact(attempts[0]?.reference ?? "", { amountMinor: 8n }))
      const set = (resolution: string | null) =>
        Effect.orDie(sql`UPDATE payment_events SET resolution = ${resolution}, resolution_note = ${resolution},
          resolved_by = ${resolution}, resolved_at = CASE WHEN ${resolution}::text IS NOT NULL THEN clock_timestamp() END
          WHERE amount_minor = 8`)
      const told = Effect.map(rootNotices("amount_minor", "8"), ({ length }) => length)
      assert.strictEqual(yield* told, 1)
      yield* set("refunded")
      assert.strictEqual(yield* told, 1)
      yield* set(null)
      assert.strictEqual(yield* told, 2)
      yield* set("refunded")
      yield* set(null)
      assert.strictEqual(yield* told, 3)
    })
  })
})
