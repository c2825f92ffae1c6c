import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, Ref, type Result } from "effect"
import { SqlClient } from "effect/sql"
import type { Reservation, Settlement } from "../../src/accounts/AccountState.ts"
import { makeReservationId, type UserId } from "../../src/domain/Ids.ts"
import { Database } from "../../src/postgres/Database.ts"
import { anotherProcess, commitOf, proxied, untilAvailable, usageOf, voidOf } from "../support/AccountsProcess.ts"
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

/** Accounts behind a proxy, in which everybody but `extra` has an open hold of 500 and 500 left. */
const opened = Effect.gen(function*() {
  const users = yield* makeUsers(FILLED, 1_000n)
  const extra = yield* makeUser(1_000n)
  const world = yield* proxied
  const open = yield* Effect.forEach(users, (user) => {
    const command = reserveOf(500n)
    return Effect.as(world.accounts.reserve(user, command, ignoreLoss), { user, id: command.id })
  })
  const first = reserveOf(1n)
  yield* world.accounts.reserve(extra, first, ignoreLoss)
  yield* world.accounts.void(extra, voidOf(first.id))
  return { ...world, extra, guilty: users[0] as UserId, ahead: open.slice(0, 1), behind: open.slice(1) }
})

/** Sends two batches, which the proxy keeps: one settlement, and behind it as many as fill the next and a hold. */
const sendTwo = Effect.fnUntraced(function*(world: Effect.Success<typeof opened>) {
  const { accounts, ahead, behind, extra, guilty, proxy } = world
  const settle = ({ id, user }: { readonly user: UserId; readonly id: string }) =>
    Effect.forkChild(Effect.result(accounts.commit(user, commitOf(id, 200))), start)
  const hold = (user: UserId, id: string, micros: bigint) =>
    Effect.forkChild(Effect.result(accounts.reserve(user, reserveOf(micros, { id }), ignoreLoss)), start)
  const held = proxy.hold()
  const first = yield* Effect.forEach(ahead, settle)
  yield* Effect.promise(() => held)
  // Of an account whose batch is on its way: it waits for the answer.
  const waiting = { id: makeReservationId() }
  const later = yield* hold(guilty, waiting.id, 300n)
  const others = yield* Effect.forEach(behind, settle)
  assert.strictEqual(proxy.kept, 1)
  const last = { id: makeReservationId() }
  const reserve = yield* hold(extra, last.id, 700n)
  yield* eventually("the second batch is sent", Effect.sync(() => proxy.kept), (kept) => kept === 2)
  return { first, others, later, waiting, reserve, last }
})

const assertSettled = Effect.fnUntraced(
  function*(fibers: ReadonlyArray<Fiber.Fiber<Result.Result<Settlement, unknown>>>) {
    for (const fiber of fibers) {
      const result = yield* Fiber.join(fiber)
      assert.isTrue(result._tag === "Success" && result.success.chargedMicros === 200n)
    }
  }
)

const assertHeld = Effect.fnUntraced(function*(
  fiber: Fiber.Fiber<Result.Result<Reservation, unknown>>,
  micros: bigint
) {
  const result = yield* Fiber.join(fiber)
  assert.isTrue(result._tag === "Success" && result.success.reservedMicros === micros)
})

layer(TestAccounts, { excludeTestServices: true })("Journal, with batches on their way", (it) => {
  it.effect("a filled batch is sent before the one ahead of it is answered; an account has one batch on its way", () =>
    Effect.gen(function*() {
      const world = yield* opened
      const { first, last, later, others, reserve, waiting } = yield* sendTwo(world)
      world.proxy.release()
      yield* assertSettled([...first, ...others])
      yield* assertHeld(reserve, 700n)
      yield* assertHeld(later, 300n)
      const written = yield* Effect.forEach([...world.behind, last], ({ id }) => usageOf(id))
      const writers = new Set(written.map((row) => row?.written_by))
      assert.strictEqual(writers.size, 1)
      for (const { id } of [...world.ahead, waiting]) assert.isFalse(writers.has((yield* usageOf(id))?.written_by))
      assert.deepStrictEqual(yield* balanceOf(world.guilty), { usd: 500n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("when the answers of two batches are lost, settlements land once and holds are voided", () =>
    Effect.gen(function*() {
      const world = yield* opened
      const { first, last, later, others, reserve } = yield* sendTwo(world)
      yield* Effect.promise(() => world.proxy.releaseAndLose(2))
      yield* assertSettled([...first, ...others])
      assert.strictEqual((yield* Fiber.join(reserve))._tag, "Failure")
      const row = yield* eventually("the hold is voided", usageOf(last.id), (found) => found?.state === "voided")
      assert.strictEqual(row?.reserved_micros, 700n)
      // What was not sent goes on when the connection is back, or is refused: nothing is held that nobody knows of.
      const waited = yield* Fiber.join(later)
      if (waited._tag === "Success") yield* world.accounts.void(world.guilty, voidOf(waited.success.id))
      for (const { user } of [...world.ahead, ...world.behind]) {
        yield* eventually("only the settlement is charged", balanceOf(user), ({ usd }) => usd === 800n)
      }
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("a batch that is refused is written again behind the next one, which counts by itself", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const world = yield* opened
      const { guilty } = world
      yield* sql.unsafe(
        `ALTER TABLE usage_events ADD CONSTRAINT poison CHECK (user_id <> ${guilty} OR state <> 'committed')`
      )
      const { first, later, others, reserve } = yield* sendTwo(world)
      world.proxy.release()
      yield* assertSettled(others)
      yield* assertHeld(reserve, 700n)
      for (const fiber of first) assert.strictEqual((yield* Fiber.join(fiber))._tag, "Failure")
      assert.strictEqual((yield* Fiber.join(later))._tag, "Failure")
      assert.deepStrictEqual(yield* balanceOf(guilty), { usd: 500n, owed: 0n })
      yield* sql.unsafe("ALTER TABLE usage_events DROP CONSTRAINT poison")
      yield* world.accounts.replay
      // The account that met it knows what it has.
      yield* world.accounts.reserve(guilty, reserveOf(800n), ignoreLoss)
      assert.deepStrictEqual(yield* balanceOf(guilty), { usd: 0n, owed: 0n })
      assert.deepStrictEqual(yield* problems, [])
    }))

  it.effect("a lock stops the account that it is on, and no other in any batch", () =>
    Effect.gen(function*() {
      const database = yield* Database
      const world = yield* opened
      const foreign = yield* database.connect({ applicationName: "foreign" })
      yield* foreign.query("BEGIN", [], false)
      yield* foreign.query(`SELECT FROM user_balances WHERE user_id = ${world.guilty} FOR UPDATE`, [], false)
      const { first, later, others, reserve } = yield* sendTwo(world)
      world.proxy.release()
      yield* assertSettled(others)
      yield* assertHeld(reserve, 700n)
      assert.strictEqual((yield* Fiber.join(later))._tag, "Failure")
      yield* foreign.query("COMMIT", [], false)
      yield* assertSettled(first)
      assert.deepStrictEqual(yield* balanceOf(world.guilty), { usd: 800n, owed: 0n })
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
