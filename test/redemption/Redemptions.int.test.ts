/**
 * Redemption codes over a real database: the holder of a code gets what its batch says, once, however many try at the same time;
 * what is wrong gives nothing and tells nothing; and the books hold throughout.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { balanceGroup } from "../../src/accounts/UserGroups.ts"
import { UserId } from "../../src/domain/Ids.ts"
import { rateLimits } from "../../src/identity/RateLimiter.ts"
import { inWorld, TestRedemptions } from "../support/TestRedemptions.ts"
import { outcome } from "../support/TestIdentity.ts"

const nowhere = { address: "" }
const count = (list: ReadonlyArray<string>, what: string) => list.filter((one) => one === what).length

layer(TestRedemptions.layer, { excludeTestServices: true })("redemption codes", (it) => {
  const test = inWorld(it)

  test("credit through the ledger, once, and pay what is owed first", function*(world) {
    const userId = yield* world.user()
    yield* world.post(userId, -2_000_000n)
    assert.deepStrictEqual(yield* world.balance(userId), { usd: 0n, owed: 2_000_000n })
    const { texts: [code] } = yield* world.batch({ gift: { kind: "balance", usdMicros: 5_000_000n } })
    const redeemed = yield* world.redeem(userId, code)
    assert.deepStrictEqual(redeemed.gift, { kind: "balance", usdMicros: 5_000_000n })
    assert.deepStrictEqual(yield* world.balance(userId), { usd: 3_000_000n, owed: 0n })
    assert.strictEqual(yield* outcome(world.redeem(userId, code)), "CodeRedeemed")
    assert.strictEqual(yield* outcome(world.redeem(yield* world.user(), code)), "CodeUsedUp")
    assert.deepStrictEqual(yield* world.balance(userId), { usd: 3_000_000n, owed: 0n })
    assert.deepStrictEqual(yield* world.redemptions.given(userId, redeemed.codeId), redeemed.gift)
    assert.isUndefined(yield* world.redemptions.given(yield* world.user(), redeemed.codeId))
  })

  test("give a subscription on the terms of the day they were made", function*(world) {
    const { id, texts: [first, second] } = yield* world.batch({ gift: { kind: "plan", planCode: "basic" }, codes: 2 })
    yield* world.sql`UPDATE subscription_plans SET name = 'Dearer', duration_days = 1, limit_5h_micros = 1,
        disabled_at = now() WHERE code = 'basic'`
    assert.strictEqual(
      yield* outcome(world.batch({ gift: { kind: "plan", planCode: "basic" } })),
      "BatchRefused",
      "a disabled plan is no gift"
    )
    const userId = yield* world.user()
    const { gift } = yield* world.redeem(userId, first)
    assert.deepInclude(gift.kind === "plan" ? gift.terms : {}, { code: "basic", name: "Basic", durationDays: 30 })
    yield* world.redeem(userId, second)
    const rows = yield* world.sql`SELECT plan_name, limit_5h_micros, limit_7d_micros, order_id,
          extract(day FROM ends_at - starts_at)::int AS days, starts_at > now() AS waits
        FROM user_subscriptions WHERE user_id = ${userId} ORDER BY id`
    const terms = { plan_name: "Basic", limit_5h_micros: 6_000_000n, limit_7d_micros: 20_000_000n, order_id: null }
    assert.deepStrictEqual(rows, [{ ...terms, days: 30, waits: false }, { ...terms, days: 30, waits: true }])
    assert.strictEqual((yield* world.admin.batch(id)).state, "used")
    yield* world.sql`UPDATE subscription_plans SET name = 'Basic', duration_days = 30, limit_5h_micros = 6000000,
        disabled_at = NULL WHERE code = 'basic'`
  })

  test("give the prices of a group, the last one of several, and keep them when it is disabled", function*(world) {
    const { sql } = world
    yield* sql`INSERT INTO user_groups (code, name, multiplier_micros) VALUES ('vip', 'VIP', 800000), ('pro', 'Pro', 500000)`
    const groupOf = (userId: UserId) => Effect.map(balanceGroup(sql, userId), (group) => group?.code)
    const userId = yield* world.user()
    const { texts: [vip] } = yield* world.batch({ groupCode: "vip", usesMax: 2 })
    const { texts: [pro] } = yield* world.batch({ groupCode: "pro", gift: { kind: "plan", planCode: "basic" } })
    const { texts: [plain] } = yield* world.batch({})
    yield* world.redeem(userId, vip)
    assert.strictEqual(yield* groupOf(userId), "vip")
    yield* world.redeem(userId, pro)
    yield* world.redeem(userId, plain)
    assert.strictEqual(yield* groupOf(userId), "pro")
    yield* sql`UPDATE user_groups SET disabled_at = now() WHERE code IN ('vip', 'pro')`
    assert.strictEqual(yield* groupOf(userId), "pro")
    // A batch promised it while it could be given.
    const other = yield* world.user()
    yield* world.redeem(other, vip)
    assert.strictEqual(yield* groupOf(other), "vip")
    for (const groupCode of ["vip", "nowhere", "'"]) {
      assert.strictEqual(yield* outcome(world.batch({ groupCode })), "BatchRefused", groupCode)
    }
    assert.strictEqual(yield* outcome(sql`UPDATE redemption_batches SET group_code = NULL`), "SqlError")
  })

  test("are redeemed by no more users than may, and once by each, however many try at once", function*(world) {
    const users = yield* Effect.all(Array.from({ length: 20 }, () => world.user()))
    const all = <A, E extends { readonly _tag: string }>(tries: ReadonlyArray<Effect.Effect<A, E>>) =>
      Effect.all(tries.map(outcome), { concurrency: "unbounded" })

    const shared = (yield* world.batch({ usesMax: 5 })).texts[0]
    const many = yield* all(users.map((userId) => world.redeem(userId, shared)))
    assert.deepStrictEqual([count(many, "ok"), count(many, "CodeUsedUp")], [5, 15])

    const wide = (yield* world.batch({ usesMax: 100 })).texts[0]
    const [one = UserId.make(0n)] = users
    const same = yield* all(Array.from({ length: 10 }, () => world.redeem(one, wide)))
    assert.deepStrictEqual([count(same, "ok"), count(same, "CodeRedeemed")], [1, 9])

    const single = (yield* world.batch({})).texts[0]
    const race = yield* all(users.map((userId) => world.redeem(userId, single)))
    assert.deepStrictEqual([count(race, "ok"), count(race, "CodeUsedUp")], [1, 19])

    // A group is written to the user's own row.
    yield* world.sql`INSERT INTO user_groups (code, name, multiplier_micros) VALUES ('many', 'Many', 900000)`
    const grouped = (yield* world.batch({ groupCode: "many", usesMax: 100 })).texts[0]
    const twice = yield* all(Array.from({ length: 10 }, () => world.redeem(one, grouped)))
    assert.deepStrictEqual([count(twice, "ok"), count(twice, "CodeRedeemed")], [1, 9])
    const { texts } = yield* world.batch({ groupCode: "many", codes: 5 })
    assert.strictEqual(count(yield* all(texts.map((text) => world.redeem(one, text))), "ok"), 5)

    const plan = (yield* world.batch({ gift: { kind: "plan", planCode: "basic" }, usesMax: 3 })).texts[0]
    const plans = yield* all(users.map((userId) => world.redeem(userId, plan)))
    assert.deepStrictEqual([count(plans, "ok"), count(plans, "CodeUsedUp")], [3, 17])
  })

  test(
    "give nothing when unknown, disabled or expired, and tell the unknown from the disabled to nobody",
    function*(world) {
      const userId = yield* world.user()
      const { id, texts: [first, second] } = yield* world.batch({ codes: 2 })
      const codes = yield* world.admin.codes(id, { limit: 10 })
      const codeId = codes.find(({ hint }) => Redacted.value(first).endsWith(hint))?.id ?? 0n
      yield* world.admin.disableCode(world.actor, { batchId: id, codeId })
      const { revision } = yield* world.admin.batch(id)
      for (const typed of ["", "no code", "RLM-00000-00000-00000-00000", Redacted.value(first)]) {
        assert.strictEqual(yield* outcome(world.redeem(userId, Redacted.make(typed))), "CodeUnknown", typed)
      }
      yield* world.admin.setDisabled(world.actor, { id, revision }, true)
      assert.strictEqual(yield* outcome(world.redeem(userId, second)), "CodeUnknown")
      const again = yield* world.admin.batch(id)
      yield* world.admin.setDisabled(world.actor, { id, revision: again.revision }, false)
      yield* world.sql`UPDATE redemption_batches SET expires_at = now() WHERE id = ${id}`
      assert.strictEqual(yield* outcome(world.redeem(userId, second)), "CodeExpired")
      yield* world.sql`UPDATE redemption_batches SET expires_at = now() + interval '1 day' WHERE id = ${id}`
      yield* world.sql`UPDATE users SET disabled_at = now() WHERE id = ${userId}`
      assert.strictEqual(yield* outcome(world.redeem(userId, second)), "BuyerUnknown")
      assert.deepStrictEqual(yield* world.balance(userId), { usd: 0n, owed: 0n })
      assert.strictEqual(yield* outcome(world.redeem(yield* world.user(), second)), "ok")
    }
  )

  it.effect("cannot be guessed for long, by one account or from one network, and good ones are not counted", () =>
    Effect.gen(function*() {
      const world = yield* TestRedemptions
      const wrong = Redacted.make("RLM-00000-00000-00000-00001")
      const userId = yield* world.user()
      const { account, network } = rateLimits.redemption
      const { texts } = yield* world.batch({ codes: 40 })
      for (const code of texts.slice(0, account.burst + 5)) yield* world.redeem(userId, code)
      for (let tries = 0; tries < account.burst; tries++) yield* outcome(world.redeem(userId, wrong))
      assert.strictEqual(yield* outcome(world.redeem(userId, wrong)), "TooManyAttempts")
      assert.strictEqual(yield* outcome(world.redeem(userId, texts[39] ?? wrong)), "TooManyAttempts")

      const address = "203.0.113.9"
      for (let tries = 0; tries < network.burst; tries++) {
        const redeemer = { userId: UserId.make(BigInt(1_000_000 + Math.floor(tries / 10))), address }
        assert.strictEqual(yield* outcome(world.redemptions.redeem(redeemer, Redacted.make("no code"))), "CodeUnknown")
      }
      const other = yield* world.user()
      const refused = world.redemptions.redeem({ userId: other, address }, wrong)
      assert.strictEqual(yield* outcome(refused), "TooManyAttempts")
      assert.strictEqual(yield* outcome(world.redemptions.redeem({ userId: other, ...nowhere }, wrong)), "CodeUnknown")
    }))

  it.effect("are audited: what was made up is found, and the rows cannot be taken away", () =>
    Effect.gen(function*() {
      const world = yield* TestRedemptions
      const userId = yield* world.user()
      const { id, texts: [code] } = yield* world.batch({})
      const given = yield* world.batch({ gift: { kind: "plan", planCode: "basic" } })
      const { codeId } = yield* world.redeem(userId, code)
      yield* world.redeem(userId, given.texts[0])
      yield* world.clean
      const refused = [
        `DELETE FROM redemptions WHERE user_id = ${userId}`,
        `UPDATE redemptions SET at = now() WHERE user_id = ${userId}`,
        `DELETE FROM redemption_codes WHERE batch_id = ${id}`,
        `DELETE FROM redemption_batches WHERE id = ${id}`,
        `UPDATE redemption_batches SET usd_micros = 1 WHERE id = ${id}`,
        `UPDATE redemption_codes SET uses = uses_max + 1 WHERE id = ${codeId}`,
        "TRUNCATE redemptions"
      ]
      for (const statement of refused) {
        assert.strictEqual(yield* outcome(world.sql.unsafe(statement)), "SqlError", statement)
      }
      const cases: ReadonlyArray<readonly [breaking: string, mending: string, finds: RegExp]> = [
        [
          `UPDATE redemption_codes SET uses = 0 WHERE id = ${codeId}`,
          `UPDATE redemption_codes SET uses = 1 WHERE id = ${codeId}`,
          /code \d+ of 1 uses counts 0, redeemed 1 times/
        ],
        [
          `UPDATE user_subscriptions SET limit_5h_micros = 0 WHERE user_id = ${userId}`,
          `UPDATE user_subscriptions SET limit_5h_micros = 6000000 WHERE user_id = ${userId}`,
          /redemption \d+:\d+ has no subscription on its terms/
        ],
        [
          `ALTER TABLE redemption_batches DISABLE TRIGGER keep_redemption_batches_gift;
            UPDATE redemption_batches SET usd_micros = 7 WHERE id = ${id}`,
          `UPDATE redemption_batches SET usd_micros = 1000000 WHERE id = ${id};
            ALTER TABLE redemption_batches ENABLE TRIGGER keep_redemption_batches_gift`,
          /redemption \d+:\d+ of 7 micros has 1000000 in the ledger/
        ]
      ]
      for (const [breaking, mending, finds] of cases) {
        for (const statement of breaking.split(";")) yield* world.sql.unsafe(statement)
        const found = yield* world.problems
        assert.isTrue(found.some((problem) => finds.test(problem)), `${breaking}: ${found.join("; ")}`)
        for (const statement of mending.split(";")) yield* world.sql.unsafe(statement)
        yield* world.clean
      }
      yield* world.sql`INSERT INTO redemption_codes (batch_id, code_hash, hint, uses, uses_max)
        VALUES (${id}, ${Buffer.from("made up")}, 'XXXX', 1, 1)`
      assert.isAbove((yield* world.problems).length, 0)
      yield* world.sql`UPDATE redemption_codes SET uses = 0 WHERE hint = 'XXXX'`
    }))
})
