import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Ref } from "effect"
import { SqlClient } from "effect/sql"
import type { Accounts } from "../../src/accounts/Accounts.ts"
import type { Reservation } from "../../src/accounts/AccountState.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { Database } from "../../src/postgres/Database.ts"
import {
  accountsAt,
  anotherProcess,
  commitOf,
  databaseUrl,
  proxied,
  untilAvailable,
  usageOf,
  voidOf
} from "../support/AccountsProcess.ts"
import {
  adjustIn,
  balanceOf,
  ignoreLoss,
  makeUser,
  problems,
  reserveOf,
  TestAccounts
} from "../support/TestAccounts.ts"
import { eventually } from "../support/Until.ts"

/** So many entries are sent before the batch ahead of them is answered. */
const FILLED = 32

const start = { startImmediately: true }

const makeUsers = (count: number, usdMicros: bigint) =>
  Effect.forEach(Array.from({ length: count }), () => makeUser(usdMicros))

/** An open hold of each user. */
const holdsOf = (accounts: typeof Accounts.Service, users: ReadonlyArray<UserId>, micros: bigint) =>
  Effect.forEach(users, (user) => {
    const command = reserveOf(micros)
    return Effect.as(accounts.reserve(user, command, ignoreLoss), { user, id: command.id })
  })

/** Settlements of these holds, begun in their order. */
const settling = (
  accounts: typeof Accounts.Service,
  holds: ReadonlyArray<{ readonly user: UserId; readonly id: string }>
) =>
  Effect.forEach(
    holds,
    ({ id, user }) => Effect.forkChild(Effect.result(accounts.commit(user, commitOf(id, 200))), start)
  )

layer(TestAccounts, { excludeTestServices: true })("Journal, with batches on their way", (it) => {
  it.effect("a filled batch is sent before the one ahead of it is answered, and both are written in their order", () =>
    Effect.gen(function*() {
      const { accounts, proxy } = yield* proxied
      const users = yield* makeUsers(FILLED, 1_000n)
      const open = yield* holdsOf(accounts, users, 500n)
      const [ahead, ...behind] = open
      const held = proxy.hold()
      const first = yield* settling(accounts, ahead === undefined ? [] : [ahead])
      yield* Effect.promise(() => held)
      const others = yield* settling(accounts, behind)
      assert.strictEqual(proxy.kept, 1)
      // The account of the first batch has the last entry of the second.
      const again = reserveOf(700n)
      const reserve = yield* Effect.forkChild(accounts.reserve(users[0] as UserId, again, ignoreLoss), start)
      yield* eventually("the second batch is sent", Effect.sync(() => proxy.kept), (kept) => kept === 2)
      proxy.release()
      for (const fiber of [...first, ...others]) {
        const result = yield* Fiber.join(fiber)
        assert.isTrue(result._tag === "Success" && result.success.chargedMicros === 200n)
      }
      assert.strictEqual((yield* Fiber.join(reserve)).reservedMicros, 700n)
      const written = yield* Effect.forEach([...behind.map(({ id }) => id), again.id], usageOf)
      assert.strictEqual(new Set(written.map((row) => row?.written_by)).size, 1)
      assert.notStrictEqual((yield* usageOf(ahead?.id ?? ""))?.written_by, written[0]?.written_by)
      assert.deepStrictEqual(yield* balanceOf(users[0] as UserId), { usd: 100n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("when the answers of two batches are lost, settlements land once and holds are voided", () =>
    Effect.gen(function*() {
      const { accounts, proxy } = yield* proxied
      const users = yield* makeUsers(FILLED, 1_000n)
      const [ahead, ...behind] = yield* holdsOf(accounts, users, 500n)
      const held = proxy.hold()
      const first = yield* settling(accounts, ahead === undefined ? [] : [ahead])
      yield* Effect.promise(() => held)
      const others = yield* settling(accounts, behind)
      const again = reserveOf(700n)
      const reserve = yield* Effect.forkChild(
        Effect.flip(accounts.reserve(users[0] as UserId, again, ignoreLoss)),
        start
      )
      yield* eventually("the second batch is sent", Effect.sync(() => proxy.kept), (kept) => kept === 2)
      yield* Effect.promise(() => proxy.releaseAndLose(2))
      for (const fiber of [...first, ...others]) {
        const result = yield* Fiber.join(fiber)
        assert.isTrue(result._tag === "Success" && result.success.chargedMicros === 200n)
      }
      assert.strictEqual((yield* Fiber.join(reserve))._tag, "AccountUnavailable")
      yield* eventually("the hold is voided", usageOf(again.id), (row) => row?.state === "voided")
      assert.strictEqual((yield* usageOf(again.id))?.reserved_micros, 700n)
      for (const user of users) assert.deepStrictEqual(yield* balanceOf(user), { usd: 800n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("a batch that is refused is written again behind the next one, which counts by itself", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const { accounts, dataDir, proxy } = yield* proxied
      const users = yield* makeUsers(FILLED, 1_000n)
      const guilty = users[0] as UserId
      const [ahead, ...behind] = yield* holdsOf(accounts, users, 500n)
      yield* sql.unsafe(
        `ALTER TABLE usage_events ADD CONSTRAINT poison CHECK (user_id <> ${guilty} OR state <> 'committed')`
      )
      const held = proxy.hold()
      const first = yield* settling(accounts, ahead === undefined ? [] : [ahead])
      yield* Effect.promise(() => held)
      const others = yield* settling(accounts, behind)
      // Without the refused settlement there are 500 for it.
      const again = reserveOf(300n)
      const reserve = yield* Effect.forkChild(Effect.result(accounts.reserve(guilty, again, ignoreLoss)), start)
      yield* eventually("the second batch is sent", Effect.sync(() => proxy.kept), (kept) => kept === 2)
      proxy.release()
      for (const fiber of others) {
        const result = yield* Fiber.join(fiber)
        assert.isTrue(result._tag === "Success" && result.success.chargedMicros === 200n)
      }
      const taken: { readonly _tag: string; readonly success?: Reservation } = yield* Fiber.join(reserve)
      assert.strictEqual(taken.success?.reservedMicros, 300n)
      for (const fiber of first) assert.strictEqual((yield* Fiber.join(fiber))._tag, "Failure")
      assert.deepStrictEqual(yield* balanceOf(guilty), { usd: 200n, owed: 0n })
      yield* sql.unsafe("ALTER TABLE usage_events DROP CONSTRAINT poison")
      const next = yield* accountsAt(yield* databaseUrl, dataDir)
      yield* next.replay
      assert.deepStrictEqual(yield* balanceOf(guilty), { usd: 500n, owed: 0n })
      // The account that met it knows what it has.
      yield* accounts.void(guilty, voidOf(again.id))
      yield* accounts.reserve(guilty, reserveOf(800n), ignoreLoss)
      assert.deepStrictEqual(yield* balanceOf(guilty), { usd: 0n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("a lock that stops one account of two batches on their way stops no other", () =>
    Effect.gen(function*() {
      const { accounts, proxy } = yield* proxied
      const database = yield* Database
      const users = yield* makeUsers(FILLED, 1_000n)
      const locked = users[0] as UserId
      const [ahead, ...behind] = yield* holdsOf(accounts, users, 500n)
      const foreign = yield* database.connect({ applicationName: "foreign" })
      yield* foreign.query("BEGIN", [], false)
      yield* foreign.query(`SELECT FROM user_balances WHERE user_id = ${locked} FOR UPDATE`, [], false)
      const held = proxy.hold()
      const first = yield* settling(accounts, ahead === undefined ? [] : [ahead])
      yield* Effect.promise(() => held)
      const others = yield* settling(accounts, behind)
      const reserve = yield* Effect.forkChild(
        Effect.flip(accounts.reserve(locked, reserveOf(700n), ignoreLoss)),
        start
      )
      yield* eventually("the second batch is sent", Effect.sync(() => proxy.kept), (kept) => kept === 2)
      proxy.release()
      for (const fiber of others) {
        const result = yield* Fiber.join(fiber)
        assert.isTrue(result._tag === "Success" && result.success.chargedMicros === 200n)
      }
      assert.strictEqual((yield* Fiber.join(reserve))._tag, "AccountUnavailable")
      yield* foreign.query("COMMIT", [], false)
      for (const fiber of first) {
        const result = yield* Fiber.join(fiber)
        assert.isTrue(result._tag === "Success" && result.success.chargedMicros === 200n)
      }
      assert.deepStrictEqual(yield* balanceOf(locked), { usd: 800n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect(
    "with kills, locks, credits and a second process in between, memory and books agree to the micro",
    () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const database = yield* Database
        const accounts = yield* anotherProcess()
        const second = yield* anotherProcess()
        const users = yield* makeUsers(24, 10_000n)
        const rounds = yield* Ref.make(0)
        const charged = new Map<UserId, bigint>(users.map((user) => [user, 0n]))
        const credited = new Map<UserId, bigint>(users.map((user) => [user, 0n]))
        const call = Effect.fnUntraced(function*(user: UserId, turn: number) {
          const by = turn % 5 === 0 ? second : accounts
          const command = reserveOf(BigInt(turn % 7) + 1n)
          const held = yield* Effect.result(by.reserve(user, command, ignoreLoss))
          if (held._tag === "Failure") {
            assert.include(["AccountUnavailable", "FundsHeld"], held.failure._tag)
            return yield* untilAvailable(by)
          }
          yield* Ref.update(rounds, (count) => count + 1)
          const settled = turn % 3 === 0
            ? yield* by.void(user, voidOf(command.id))
            : yield* by.commit(user, commitOf(command.id, turn % 11))
          charged.set(user, (charged.get(user) ?? 0n) + settled.chargedMicros)
        })
        const calls = Effect.forEach(
          users.flatMap((user) => [user, user, user, user]),
          (user, lane) =>
            Effect.gen(function*() {
              for (let turn = lane; (yield* Ref.get(rounds)) < 6_000; turn++) yield* call(user, turn)
            }),
          { concurrency: "unbounded", discard: true }
        )
        const until = (count: number) => eventually("calls go on", Ref.get(rounds), (seen) => seen >= count)
        const faults = Effect.gen(function*() {
          const foreign = yield* database.connect({ applicationName: "foreign" })
          for (let step = 1; step <= 10; step++) {
            yield* until(step * 500)
            const user = users[step % users.length] as UserId
            if (step % 3 === 0) {
              yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
              WHERE datname = current_database() AND application_name = 'realms-journal-main'`
            } else if (step % 3 === 1) {
              yield* adjustIn(sql, user, { amountMicros: 17n })
              credited.set(user, (credited.get(user) ?? 0n) + 17n)
            } else {
              yield* foreign.query("BEGIN", [], false)
              yield* foreign.query(`SELECT FROM user_balances WHERE user_id = ${user} FOR UPDATE`, [], false)
              yield* until(step * 500 + 250)
              yield* foreign.query("COMMIT", [], false)
            }
          }
        })
        const fiber = yield* Effect.forkChild(faults)
        yield* calls
        yield* Fiber.join(fiber)
        yield* Effect.forEach([accounts, second], untilAvailable)
        for (const user of users) {
          const usd = 10_000n + (credited.get(user) ?? 0n) - (charged.get(user) ?? 0n)
          yield* eventually("nothing is held any more", balanceOf(user), (balance) => balance.usd === usd)
          for (const by of [accounts, second]) {
            // A hold of all of it is possible, of a micro more it is not.
            const all = reserveOf(usd)
            yield* by.reserve(user, all, ignoreLoss)
            assert.strictEqual((yield* Effect.flip(by.reserve(user, reserveOf(1n), ignoreLoss)))._tag, "FundsHeld")
            yield* by.void(user, voidOf(all.id))
          }
        }
        assert.deepStrictEqual(yield* problems, [])
      }),
    120_000
  )
})
