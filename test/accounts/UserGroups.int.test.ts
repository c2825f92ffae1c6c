/**
 * Prices by group: which group a call's price is that of, and that each call settles at the multiplier it was reserved at, however
 * often groups change while calls run. The ledger check computes every cost again from what is stored.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { announceAccount } from "../../src/accounts/Ledger.ts"
import { GroupAdmin } from "../../src/catalog/GroupAdmin.ts"
import type { GroupId, UserId } from "../../src/domain/Ids.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { accountsAt, anotherProcess, commitOf, databaseUrl } from "../support/AccountsProcess.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import {
  audited,
  balanceOf,
  ignoreLoss,
  makeUser,
  PolicyLayer,
  reserveOf,
  TestAccounts
} from "../support/TestAccounts.ts"
import { until } from "../support/Until.ts"

const TestLayer = GroupAdmin.layer.pipe(Layer.provideMerge(TestAccounts))

/** What 100 tokens are held at. */
const heldOf = (userId: UserId, accounts: Accounts["Service"]) =>
  Effect.gen(function*() {
    const command = reserveOf(100n, { atMs: yield* Clock.currentTimeMillis })
    const { funding, groupMultiplier, reservedMicros } = yield* accounts.reserve(userId, command, ignoreLoss)
    yield* accounts.commit(userId, commitOf(command.id, 0))
    return { funding, groupMultiplier, reservedMicros }
  })

const subscribe = Effect.fnUntraced(function*(userId: UserId, group: string | null) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
      limit_30d_micros, multiplier_micros, group_code, starts_at, ends_at, fence)
    VALUES (${userId}, 'p', 'P', 0, 0, 0, 0, 500000, ${group}::text, now() - interval '1 day', now() + interval '9 days', 7)`
  yield* announceAccount(sql, userId)
})

/** Sets the user's own group and that of a code; the next question to the accounts is answered by them. */
const setGroups = Effect.fnUntraced(function*(userId: UserId, own: string | null, redeemed: string | null) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`UPDATE users SET group_code = ${own}::text, redeemed_group_code = ${redeemed}::text WHERE id = ${userId}`
  ;(yield* Accounts).invalidate(userId)
})

/** Accounts of a process that no message reaches. */
const unheard = Effect.gen(function*() {
  const url = yield* databaseUrl
  return yield* accountsAt(
    url,
    yield* scratchFolder,
    PolicyLayer,
    Layer.succeed(Notifications)({
      subscribe: () => Effect.void,
      isUp: () => false
    })
  )
})

layer(TestLayer, { excludeTestServices: true })("prices by group", (it) => {
  const test = audited(it)

  test("are those of the user's own group, else of the plan that pays, else of a code", function*() {
    const accounts = yield* Accounts
    const groups = yield* GroupAdmin
    for (const [code, multiplierMicros] of [["own", 200_000n], ["plan", 3_000_000n], ["code", 800_000n]] as const) {
      yield* groups.create(cliActor, { code, name: code, multiplierMicros })
    }
    const table: ReadonlyArray<
      readonly [own: string | null, plan: string | null, code: string | null, balance: bigint, subscription: bigint]
    > = [
      [null, null, null, 100n, 50n],
      [null, null, "code", 80n, 40n],
      [null, "plan", null, 100n, 150n],
      [null, "plan", "code", 80n, 150n],
      ["own", "plan", "code", 20n, 10n],
      ["own", null, "code", 20n, 10n],
      ["own", "plan", null, 20n, 10n]
    ]
    for (const [own, plan, code, balance, subscription] of table) {
      const user = yield* makeUser(1_000n)
      yield* setGroups(user, own, code)
      assert.deepInclude(yield* heldOf(user, accounts), { funding: "balance", reservedMicros: balance })
      yield* subscribe(user, plan)
      accounts.invalidate(user)
      assert.deepInclude(yield* heldOf(user, accounts), { funding: "subscription", reservedMicros: subscription })
    }
  })

  test("change for calls to come alone, in every process, while calls of many users run", function*() {
    const sql = yield* SqlClient.SqlClient
    const groups = yield* GroupAdmin
    const [one, two] = [yield* Accounts, yield* anotherProcess()]
    const id: GroupId = yield* groups.create(cliActor, { code: "moving", name: "Moving", multiplierMicros: 1_000_000n })
    const users = yield* Effect.forEach(Array.from({ length: 6 }), () => makeUser(1_000_000n))
    yield* sql`UPDATE users SET group_code = 'moving' WHERE id = ANY(${`{${users.join(",")}}`}::bigint[])`
    const call = (index: number) =>
      Effect.gen(function*() {
        const accounts = index % 2 === 0 ? one : two
        const user = users[index % users.length] ?? (yield* Effect.die(new Error("no user")))
        const command = reserveOf(700n)
        const { groupMultiplier, reservedMicros } = yield* accounts.reserve(user, command, ignoreLoss)
        assert.strictEqual(reservedMicros, (700n * groupMultiplier + 999_999n) / 1_000_000n)
        yield* Effect.yieldNow
        const tokens = 100 + index
        const { chargedMicros, costMicros } = yield* accounts.commit(user, commitOf(command.id, tokens))
        assert.strictEqual(costMicros, (BigInt(tokens) * groupMultiplier + 999_999n) / 1_000_000n)
        assert.strictEqual(chargedMicros, costMicros)
        return groupMultiplier
      })
    const change = Effect.forEach([333_333n, 0n, 2_000_001n, 750_000n], (multiplierMicros) =>
      Effect.gen(function*() {
        yield* groups.edit(cliActor, yield* groups.get(id), { name: "Moving", multiplierMicros })
        yield* Effect.forEach([0, 1, 2, 3], call, { concurrency: "unbounded" })
      }))
    const [seen] = yield* Effect.all(
      [Effect.forEach(Array.from({ length: 240 }, (_, index) => index), call, { concurrency: 24 }), change],
      { concurrency: "unbounded" }
    )
    assert.isAbove(new Set(seen).size, 0)
    // Everybody hears of the last change.
    for (const accounts of [one, two]) {
      const held = heldOf(users[0] ?? (yield* Effect.die(new Error("no user"))), accounts)
      yield* until("the last price is that of new calls", Effect.map(held, (now) => now.groupMultiplier === 750_000n))
    }
    const sums = yield* sql<{ id: UserId; spent: bigint }>`SELECT user_id AS id, sum(charged_micros)::bigint AS spent
      FROM calls WHERE user_id = ANY(${`{${users.join(",")}}`}::bigint[]) GROUP BY 1`
    for (const { id, spent } of sums) {
      assert.deepStrictEqual(yield* balanceOf(id), { usd: 1_000_000n - spent, owed: 0n })
    }
  })

  test("are read before each call while no messages arrive", function*() {
    const sql = yield* SqlClient.SqlClient
    const deaf = yield* unheard
    const user = yield* makeUser(1_000n)
    assert.deepInclude(yield* heldOf(user, deaf), { reservedMicros: 100n })
    yield* (yield* GroupAdmin).create(cliActor, { code: "dear", name: "Dear", multiplierMicros: 5_000_000n })
    yield* sql`UPDATE users SET group_code = 'dear' WHERE id = ${user}`
    yield* announceAccount(sql, user)
    assert.deepInclude(yield* heldOf(user, deaf), { reservedMicros: 500n })
    yield* sql`UPDATE user_groups SET multiplier_micros = 2000000 WHERE code = 'dear'`
    assert.deepInclude(yield* heldOf(user, deaf), { reservedMicros: 200n })
  })

  test("count for what a call may hold, at its refusal too", function*() {
    const accounts = yield* Accounts
    yield* (yield* GroupAdmin).create(cliActor, { code: "triple", name: "Triple", multiplierMicros: 3_000_000n })
    const user = yield* makeUser(299n)
    yield* setGroups(user, "triple", null)
    const refused = yield* Effect.flip(accounts.reserve(user, reserveOf(100n), ignoreLoss))
    assert.deepInclude({ ...refused }, { _tag: "InsufficientFunds", neededMicros: 300n, availableMicros: 299n })
    const command = reserveOf(0n, { tokenNumerator: 1_000_000n, tokensMin: 1, tokensMax: 500 })
    assert.deepInclude(yield* accounts.reserve(user, command, ignoreLoss), { outputTokens: 99, reservedMicros: 297n })
    const more = { _tag: "Extend", id: command.id, numerator: 100_000_000n, outputTokens: 100, atMs: 1_000 } as const
    assert.deepInclude({ ...yield* Effect.flip(accounts.extend(user, more)) }, {
      neededMicros: 3n,
      availableMicros: 2n
    })
    yield* accounts.commit(user, commitOf(command.id, 99))
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 2n, owed: 0n })
  })
})
