/**
 * What is looked for once a minute: balances below thresholds, ends of plans, disputes and debts; and conditions that root is told of once
 * while they last.
 */
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { UserId } from "../../src/domain/Ids.ts"
import { Row } from "../../src/domain/Row.ts"
import { seeCondition } from "../../src/notices/NoticeConditions.ts"
import { diskName, lookAtBalances, lookAtDebts, lookAtDisputes, lookAtPlans } from "../../src/notices/NoticeWatch.ts"
import { countOf, rowsOf } from "../../src/postgres/Rows.ts"
import { NoticeWorld } from "../support/NoticeWorld.ts"

const Noted = Row({ kind: Schema.String, data: Schema.Record(Schema.String, Schema.Unknown) })

const noticesOf = (userId: UserId | null, kind: string) =>
  Effect.flatMap(NoticeWorld, ({ sql }) =>
    rowsOf(
      Noted,
      sql`SELECT kind, data FROM notices WHERE user_id IS NOT DISTINCT FROM ${userId} AND kind = ${kind} ORDER BY id`
    ))

describe("looking for notices", () => {
  layer(NoticeWorld.layer, { timeout: 60_000, excludeTestServices: true })((it) => {
    it.effect("tells of a low balance once, until it is above the threshold again", () =>
      Effect.gen(function*() {
        const { preferences, sql, user } = yield* NoticeWorld
        const [ada, bob] = [yield* user(), yield* user()]
        yield* preferences.save(ada.id, { lowBalanceMicros: 5_000_000n, planEndingDays: 3 }, [])
        const set = (usd: bigint, held: bigint) =>
          Effect.andThen(
            sql`UPDATE user_balances SET usd_micros = ${usd}, held_micros = ${held} WHERE user_id = ${ada.id}`,
            lookAtBalances(sql)
          )
        const told = Effect.map(
          noticesOf(ada.id, "low_balance"),
          (all) => all.map(({ data }) => data["balance_micros"])
        )
        yield* set(5_000_000n, 0n)
        assert.deepStrictEqual(yield* told, [])
        // What calls hold comes back for the most part.
        yield* set(1_000_000n, 4_000_000n)
        assert.deepStrictEqual(yield* told, [])
        yield* set(4_999_999n, 0n)
        yield* set(1n, 0n)
        assert.deepStrictEqual(yield* told, ["4999999"])
        yield* set(6_000_000n, 0n)
        yield* set(2_000_000n, 0n)
        assert.deepStrictEqual(yield* told, ["4999999", "2000000"])
        // A threshold that is changed is judged again, and one that is removed is not judged.
        yield* preferences.save(ada.id, { lowBalanceMicros: 3_000_000n, planEndingDays: 3 }, [])
        yield* lookAtBalances(sql)
        assert.strictEqual((yield* told).length, 3)
        yield* preferences.save(ada.id, { lowBalanceMicros: 0n, planEndingDays: 3 }, [])
        yield* lookAtBalances(sql)
        assert.strictEqual((yield* told).length, 3)
        assert.isNull((yield* preferences.of(ada.id)).lowBalanceMicros)
        assert.deepStrictEqual(yield* noticesOf(bob.id, "low_balance"), [])
      }))

    it.effect("tells of the end of a plan once, as early as the user wants, unless the plan goes on", () =>
      Effect.gen(function*() {
        const { preferences, sql, user } = yield* NoticeWorld
        const plan = (userId: UserId, code: string, fromHours: number, toHours: number) =>
          sql`INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros,
              limit_7d_micros, limit_30d_micros, starts_at, ends_at, fence)
            VALUES (${userId}, ${code}, ${`Plan ${code}`}, 0, 0, 0, 0, now() + make_interval(hours => ${fromHours}),
              now() + make_interval(hours => ${toHours}), 0)`
        const [soon, later, early, renewed, short, over] = [
          yield* user(),
          yield* user(),
          yield* user(),
          yield* user(),
          yield* user(),
          yield* user()
        ]
        yield* plan(soon.id, "a", -600, 71)
        yield* plan(later.id, "a", -600, 73)
        yield* preferences.save(early.id, { lowBalanceMicros: null, planEndingDays: 10 }, [])
        yield* plan(early.id, "a", -600, 230)
        yield* plan(renewed.id, "a", -600, 24)
        yield* plan(renewed.id, "a", 24, 700)
        // Bought a moment ago, for a day.
        yield* plan(short.id, "a", -1, 23)
        yield* plan(over.id, "a", -600, -1)
        yield* lookAtPlans(sql)
        yield* lookAtPlans(sql)
        const counts = yield* Effect.forEach(
          [soon, later, early, renewed, short, over],
          ({ id }) => Effect.map(noticesOf(id, "plan_ending"), ({ length }) => length)
        )
        assert.deepStrictEqual(counts, [1, 0, 1, 0, 0, 0])
        assert.strictEqual((yield* noticesOf(soon.id, "plan_ending"))[0]?.data["plan"], "Plan a")
        // Given more time by root, it ends another time.
        yield* sql`UPDATE user_subscriptions SET ends_at = ends_at + interval '1 hour' WHERE user_id = ${early.id}`
        yield* lookAtPlans(sql)
        assert.strictEqual((yield* noticesOf(early.id, "plan_ending")).length, 2)
      }))

    it.effect("tells of a dispute that is nearly due and unanswered", () =>
      Effect.gen(function*() {
        const { sql } = yield* NoticeWorld
        const disputed = (id: string, status: string, hours: number) =>
          sql`INSERT INTO payment_disputes (provider, payment_reference, dispute_id, amount_minor, currency, status, due_at,
              taken_minor)
            VALUES ('stripe', 'pi_1', ${id}, 1000, 'cny', ${status}, now() + make_interval(hours => ${hours}), 0)`
        yield* disputed("du_near", "needs_response", 40)
        yield* disputed("du_far", "needs_response", 60)
        yield* disputed("du_answered", "under_review", 40)
        yield* lookAtDisputes(sql)
        yield* lookAtDisputes(sql)
        const due = yield* noticesOf(null, "dispute_due")
        assert.deepStrictEqual(due.map(({ data }) => data["dispute_id"]), ["du_near"])
      }))

    it.effect("tells of debts from a sum on that matters", () =>
      Effect.gen(function*() {
        const { sql, user } = yield* NoticeWorld
        const [ada, bob] = [yield* user(), yield* user()]
        const owe = (userId: UserId, micros: bigint) =>
          sql`UPDATE user_balances SET usd_micros = 0, held_micros = 0, owed_micros = ${micros} WHERE user_id = ${userId}`
        yield* owe(ada.id, 9_999_999n)
        yield* lookAtDebts(sql)
        assert.deepStrictEqual(yield* noticesOf(null, "debt"), [])
        yield* owe(bob.id, 1n)
        yield* lookAtDebts(sql)
        yield* lookAtDebts(sql)
        assert.deepStrictEqual((yield* noticesOf(null, "debt")).map(({ data }) => data), [
          { accounts: 2, owed_micros: "10000000" }
        ])
      }))

    it.effect("tells once of a condition that lasts, however many servers see it, and again when it comes back", () =>
      Effect.gen(function*() {
        const { server, sql } = yield* NoticeWorld
        const other = yield* server({})
        const condition = {
          kind: "channel_down",
          subject: "7",
          afterSeconds: 120,
          everyMs: 150_000,
          data: { channel_id: "7", channel: "openai" }
        } as const
        const told = Effect.map(noticesOf(null, "channel_down"), ({ length }) => length)
        const age = (seconds: number) =>
          sql`UPDATE notice_conditions SET since = since - make_interval(secs => ${seconds}),
            seen_at = seen_at - make_interval(secs => ${seconds})`
        yield* seeCondition(sql, condition)
        assert.strictEqual(yield* told, 0)
        yield* age(120)
        yield* Effect.all([seeCondition(sql, condition), seeCondition(other.sql, condition)], { concurrency: 2 })
        yield* age(300)
        yield* seeCondition(sql, condition)
        assert.strictEqual(yield* told, 1)
        // Nobody has seen it for ten minutes: it was over.
        yield* age(601)
        yield* seeCondition(sql, condition)
        assert.strictEqual(yield* told, 1)
        yield* age(120)
        yield* seeCondition(sql, condition)
        assert.strictEqual(yield* told, 2)
        assert.strictEqual(yield* countOf(sql`SELECT count(*) FROM notice_conditions WHERE subject = '7'`), 1)
      }).pipe(Effect.scoped))

    it("knows a disk again after the container of its server was made again", () => {
      const disk = { dataDir: "/data", isEmbedded: true } as const
      assert.strictEqual(diskName({ ...disk, server: "4f1c" }), diskName({ ...disk, server: "9d0a" }))
      const shared = { ...disk, isEmbedded: false }
      assert.notStrictEqual(diskName({ ...shared, server: "one" }), diskName({ ...shared, server: "two" }))
    })

    it.effect("takes two short moments some minutes apart for no outage", () =>
      Effect.gen(function*() {
        const { sql } = yield* NoticeWorld
        const condition = {
          kind: "channel_down",
          subject: "8",
          afterSeconds: 120,
          everyMs: 30_000,
          data: { channel_id: "8", channel: "openai" }
        } as const
        const age = (seconds: number) =>
          sql`UPDATE notice_conditions SET since = since - make_interval(secs => ${seconds}),
            seen_at = seen_at - make_interval(secs => ${seconds}) WHERE subject = '8'`
        const told = Effect.map(
          noticesOf(null, "channel_down"),
          (all) => all.filter(({ data }) => data["channel_id"] === "8").length
        )
        yield* seeCondition(sql, condition)
        yield* age(130)
        yield* seeCondition(sql, condition)
        assert.strictEqual(yield* told, 0)
        // It lasts, although one look was missed.
        for (const seconds of [60, 30, 30]) {
          yield* age(seconds)
          yield* seeCondition(sql, condition)
        }
        assert.strictEqual(yield* told, 1)
      }))
  })
})
