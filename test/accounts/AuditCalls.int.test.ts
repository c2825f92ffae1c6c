/**
 * The ledger check computes every cost again, in SQL, and agrees with what the accounts charged, whatever the prices, tiers,
 * tools and multipliers; it sees what was changed since, and lists the calls that people should look at.
 */
import { assert, layer } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { CallOutcome } from "../../src/accounts/AccountState.ts"
import { audit } from "../../src/accounts/Audit.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import type { PriceSnapshot } from "../../src/domain/Price.ts"
import { ignoreLoss, makeUser, problems, reserveOf, TestAccounts, used } from "../support/TestAccounts.ts"
import { testsOf } from "../support/Steps.ts"

const CALLS = 150

const Micros = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 90_000_000n }))
const Multiplier = Schema.BigInt.check(Schema.isBetweenBigInt({ minimum: 0n, maximum: 7_000_000n }))
const Tokens = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 4_000 }))
const prices = {
  inputMicrosPer1m: Micros,
  cachedInputMicrosPer1m: Micros,
  cacheWriteMicrosPer1m: Schema.NullOr(Micros),
  outputMicrosPer1m: Micros
}
const Tools = Schema.Struct({ webSearchMicros: Schema.NullOr(Micros), fileSearchMicros: Schema.NullOr(Micros) })
const Calls = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 }))

const PricedCall = Schema.Struct({
  price: Schema.Struct(prices),
  tiers: Schema.Array(Schema.Struct({ aboveInputTokens: Tokens, ...prices })).check(Schema.isMaxLength(3)),
  tools: Schema.NullOr(Tools),
  use: Schema.NullOr(Schema.Struct({ webSearch: Calls, fileSearch: Calls })),
  billing: Multiplier,
  inputTokens: Tokens,
  cachedInputTokens: Tokens,
  cacheWriteTokens: Tokens,
  outputTokens: Tokens
})

const snapshotOf = ({ price, tiers, tools }: typeof PricedCall.Type): PriceSnapshot => ({
  ...price,
  ...(tiers.length === 0 ? {} : { tiers: tiers.toSorted((a, b) => a.aboveInputTokens - b.aboveInputTokens) }),
  ...(tools === null ? {} : { tools })
})

const outcomeOf = (call: typeof PricedCall.Type): CallOutcome => {
  const { cacheWriteTokens, cachedInputTokens, inputTokens, outputTokens, use } = call
  const usage = {
    inputTokens,
    cachedInputTokens,
    cacheWriteTokens,
    outputTokens,
    ...(use === null ? {} : { tools: use })
  }
  return { ...used(0), usage }
}

layer(TestAccounts, { excludeTestServices: true })("the check of calls", (it) => {
  const test = testsOf(it.effect, Effect.void)
  test("agrees with the accounts on every cost, and sees every change of what it is computed from", function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const user = yield* makeUser(10n ** 12n)
    const calls = yield* Arbitrary.sampleEffect(Arbitrary.schema(PricedCall), { count: CALLS })
    yield* Effect.forEach(calls, (call) =>
      Effect.gen(function*() {
        const command = reserveOf(0n, { price: snapshotOf(call), billingMultiplier: call.billing })
        yield* accounts.reserve(user, command, ignoreLoss)
        // Read again in between, so that the snapshot is the stored one.
        accounts.invalidate(user)
        yield* accounts.commit(user, { _tag: "Commit", id: command.id, outcome: outcomeOf(call), atMs: 2_000 })
      }), { concurrency: 8 })
    assert.deepStrictEqual(yield* problems, [])

    const damages = [
      "cost_micros = cost_micros + 1, charged_micros = charged_micros + 1",
      'web_search_calls = 1000000, price_extras = jsonb_set(price_extras, \'{tools}\', \'{"web":"5","file":null}\')',
      'price_extras = jsonb_set(price_extras, \'{tiers}\', \'[{"above":-1,"input":"1","cached":"1","write":null,' +
      '"output":"990000000"}]\')',
      "output_micros_per_1m = 770000000, price_extras = price_extras - 'tiers'",
      "plan_multiplier_micros = 8000000"
    ]
    const rows = yield* sql<{ id: string }>`SELECT id FROM usage_events
        WHERE user_id = ${user} AND price_extras ? 'tiers' AND output_tokens > 100 AND billing_multiplier_micros > 1000000
          -- What costs nothing costs nothing at any multiplier.
          AND cost_micros > 1000
        ORDER BY id LIMIT ${damages.length}`
    for (const [index, damage] of damages.entries()) {
      yield* sql.unsafe(`UPDATE usage_events SET ${damage} WHERE id = $1`, [rows[index]?.id])
      const wrong = (yield* problems).filter(({ invariant }) => invariant === "I8")
      assert.strictEqual(wrong.length, index + 1, damage)
      assert.isTrue(wrong.some(({ message }) => message.includes(rows[index]?.id ?? "-")), damage)
    }
  })

  test("lists what was flagged, what is owed, and what cost more than its hold; the newest twenty of each", function*() {
    const accounts = yield* Accounts
    const before = yield* audit({})
    const rich = yield* makeUser(100_000n)
    const poor = yield* makeUser(100n)
    const call = Effect.fnUntraced(function*(user: UserId, held: bigint, outcome: CallOutcome) {
      const command = reserveOf(held)
      yield* accounts.reserve(user, command, ignoreLoss)
      yield* accounts.commit(user, { _tag: "Commit", id: command.id, outcome, atMs: 2_000 })
      return command.id
    })
    const flagged: Array<string> = []
    for (let index = 0; index < 25; index++) {
      const usageFlags = index % 2 === 0 ? ["input_clamped", "above_context"] as const : ["above_context"] as const
      flagged.push(
        yield* call(rich, 50n, { ...used(20), usageFlags, ...(index % 2 === 0 ? { excessTokens: 7 } : {}) })
      )
    }
    const above = yield* call(poor, 60n, used(130))
    const report = yield* audit({})
    assert.deepStrictEqual(report.problems, before.problems)
    assert.strictEqual(report.flagged.count, before.flagged.count + 25)
    assert.deepStrictEqual(report.flagged.newest.map(({ id }) => id), flagged.toReversed().slice(0, 20))
    assert.deepInclude(report.flagged.newest[0], {
      userId: rich,
      flags: "input_clamped above_context",
      excessTokens: 7n,
      costMicros: 20n
    })
    assert.deepInclude(report.flagged.newest[1], { flags: "above_context", excessTokens: null })
    assert.deepStrictEqual(report.debts, {
      count: before.debts.count + 1,
      newest: [{ userId: poor, owedMicros: 30n }, ...before.debts.newest]
    })
    assert.strictEqual(report.aboveHolds.count, before.aboveHolds.count + 1)
    assert.deepStrictEqual(report.aboveHolds.newest[0], {
      id: above,
      userId: poor,
      reservedMicros: 60n,
      costMicros: 130n,
      chargedMicros: 100n
    })
    const sql = yield* SqlClient.SqlClient
    const rows = yield* sql<{ usage_flagged: boolean }>`
        SELECT usage_flagged FROM usage_events WHERE id = ANY (${flagged.slice(0, 2)}::uuid[]) ORDER BY id`
    // More input than the context is charged; it is no fault of the numbers.
    assert.deepStrictEqual(rows.map((row) => row.usage_flagged), [true, false])
  })

  test("reads any number of calls step by step", function*() {
    const sql = yield* SqlClient.SqlClient
    const before = yield* audit({})
    const user = yield* makeUser(0n)
    yield* sql`INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros,
          input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, usage_source, usage_flagged, reserved_at,
          lease_expires_at, settled_at, endpoint, model)
        SELECT gen_random_uuid(), ${user}, 'committed', 'free', 0, 0, 0, 0, 0, 0, 0, 'upstream', true, now(), now(), now(), 'e', 'm'
        FROM generate_series(1, 20050)`
    yield* sql`UPDATE usage_events SET cost_micros = 1
        WHERE id = (SELECT id FROM usage_events WHERE user_id = ${user} ORDER BY id DESC LIMIT 1)`
    const report = yield* audit({})
    assert.strictEqual(report.flagged.count, before.flagged.count + 20_050)
    const [newest] = yield* sql<{ id: string }>`SELECT id FROM usage_events ORDER BY id DESC LIMIT 1`
    assert.strictEqual(report.flagged.newest[0]?.id, newest?.id)
    assert.strictEqual(report.flagged.newest.length, 20)
    const found = report.problems.filter(({ userId }) => userId === user)
    assert.deepStrictEqual(found.map(({ invariant }) => invariant), ["I8"])
  })
})
