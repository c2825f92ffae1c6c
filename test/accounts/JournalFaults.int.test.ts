import { assert, layer } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Ref, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { decide } from "../../src/accounts/AccountMachine.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { Reserve } from "../../src/accounts/AccountState.ts"
import { wholeBatch } from "../../src/accounts/JournalBatch.ts"
import { UserId } from "../../src/domain/Ids.ts"
import {
  accountsAt,
  anotherProcess,
  commitOf,
  databaseUrl,
  proxied,
  untilAvailable,
  untilState,
  usageOf,
  voidOf
} from "../support/AccountsProcess.ts"
import { makeProxy } from "../support/JournalProxy.ts"
import { accountState } from "../support/MachineAccount.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import { audited, balanceOf, ignoreLoss, makeUser, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { eventually, until } from "../support/Until.ts"

/** The sessions of journals' main writers in this database. */
const journals = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ pid: number }>`SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'realms-journal-main'`
  return rows.map((row) => row.pid)
})

/** Ends the writers that are not `spared`; answers how many. */
const killJournals = Effect.fnUntraced(function*(spared: ReadonlyArray<number>) {
  const sql = yield* SqlClient.SqlClient
  const doomed = (yield* journals).filter((pid) => !spared.includes(pid))
  yield* Effect.forEach(doomed, (pid) => sql`SELECT pg_terminate_backend(${pid})`)
  return doomed.length
})

/** Opens the account in these accounts, so that the next command goes to the journal at once. */
const warm = Effect.fnUntraced(function*(accounts: typeof Accounts.Service, user: UserId) {
  const first = reserveOf(1n)
  yield* accounts.reserve(user, first, ignoreLoss)
  yield* accounts.void(user, voidOf(first.id))
})

/** What a process that gave up on a reserve may still have on its way to the server. */
const straggler = Effect.fnUntraced(function*(user: UserId, command: Reserve) {
  const sql = yield* SqlClient.SqlClient
  const decision = decide(accountState(1_000_000n), command)
  if (decision._tag !== "Accept") return yield* Effect.die(new Error("the straggler was not decided"))
  return yield* sql.unsafe<{ tag: string; note: string }>(
    wholeBatch.sql,
    wholeBatch.parameters([{ userId: user, events: [decision.event], fences: [] }])
  )
})

/** A reserve of 600 of 1,000 micros that is refused, because its connection dies before it is written or behind its commit. */
const refusedWhere = Effect.fnUntraced(function*(lose: "loseRequest" | "loseAnswer") {
  const { accounts, proxy } = yield* proxied
  const user = yield* makeUser(1_000n)
  yield* warm(accounts, user)
  const command = reserveOf(600n)
  const lost = proxy[lose]()
  const refused = yield* Effect.flip(accounts.reserve(user, command, ignoreLoss))
  yield* Effect.promise(() => lost)
  assert.strictEqual(refused._tag, "AccountUnavailable")
  return { accounts, command, user }
})

layer(TestAccounts, { excludeTestServices: true })("Journal, when connections fail", (it) => {
  const test = audited(it)

  test("killed again and again under load, it recovers and loses nothing that it acknowledged", function*() {
    const killsWanted = 6
    const spared = yield* journals
    const accounts = yield* anotherProcess()
    const users = yield* Effect.forEach(Array.from({ length: 16 }), () => makeUser(1_000_000n))
    const kills = yield* Ref.make(0)
    const settled: Array<{ readonly id: string; readonly charged: bigint }> = []
    const refused: Array<string> = []
    const call = Effect.fnUntraced(function*(user: UserId) {
      const command = reserveOf(10n)
      const held = yield* Effect.result(accounts.reserve(user, command, ignoreLoss))
      if (held._tag === "Failure") {
        assert.strictEqual(held.failure._tag, "AccountUnavailable")
        refused.push(command.id)
        return yield* untilAvailable(accounts)
      }
      assert.strictEqual(held.success.reservedMicros, 10n)
      const { chargedMicros } = yield* accounts.commit(user, commitOf(command.id, 7))
      settled.push({ id: command.id, charged: chargedMicros })
    })
    const killer = Effect.gen(function*() {
      const before = settled.length
      yield* eventually("calls go on", Effect.sync(() => settled.length), (count) => count > before + 20)
      const killed = yield* killJournals(spared)
      if (killed > 0) yield* Ref.update(kills, (count) => count + 1)
    }).pipe(Effect.repeat({ until: () => Effect.map(Ref.get(kills), (count) => count >= killsWanted) }))
    const fiber = yield* Effect.forkChild(killer)
    yield* Effect.forEach(
      users,
      (user) =>
        call(user).pipe(Effect.repeat({ until: () => Effect.map(Ref.get(kills), (count) => count >= killsWanted) })),
      {
        concurrency: "unbounded"
      }
    )
    yield* Fiber.join(fiber)
    // Each hold whose caller was turned away ends as void, or was never written.
    for (const id of refused) {
      yield* eventually("a refused hold ends", usageOf(id), (row) => row === undefined || row.state === "voided")
    }
    for (const { charged, id } of settled) {
      const row = yield* usageOf(id)
      assert.deepStrictEqual([row?.state, row?.charged_micros, charged], ["committed", 7n, 7n])
    }
    const left = yield* Effect.forEach(users, (user) => Effect.map(balanceOf(user), ({ usd }) => usd ?? 0n))
    const spent = BigInt(users.length) * 1_000_000n - left.reduce((sum, usd) => sum + usd, 0n)
    assert.strictEqual(spent, BigInt(settled.length) * 7n)
  })

  test("a connection that dies behind its commit: a settlement lands once", function*() {
    const { accounts, proxy } = yield* proxied
    const user = yield* makeUser(1_000n)
    const command = reserveOf(600n)
    yield* accounts.reserve(user, command, ignoreLoss)
    const lost = proxy.loseAnswer()
    const fiber = yield* Effect.forkChild(accounts.commit(user, commitOf(command.id, 450)))
    yield* Effect.promise(() => lost)
    // It had landed when the answer was lost, and its caller is told all the same.
    assert.strictEqual((yield* usageOf(command.id))?.state, "committed")
    assert.strictEqual((yield* Fiber.join(fiber)).chargedMicros, 450n)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 550n, owed: 0n })
    assert.strictEqual((yield* accounts.commit(user, commitOf(command.id, 450))).chargedMicros, 450n)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 550n, owed: 0n })
  })

  test("a connection that dies behind its commit: a reserve is refused and its hold voided", function*() {
    const { accounts, command, user } = yield* refusedWhere("loseAnswer")
    const row = yield* untilState(command.id, "voided")
    // Not a tombstone: the hold had been written.
    assert.deepStrictEqual([row?.funding, row?.reserved_micros, row?.reason], ["balance", 600n, "reserve_unknown"])
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n, owed: 0n })
    assert.strictEqual(accounts.openCount(), 0)
  })

  test("a whole batch whose answer is lost lands once, every command of it answered", function*() {
    const { accounts, proxy } = yield* proxied
    const users = yield* Effect.forEach(Array.from({ length: 8 }), () => makeUser(1_000n))
    const open = yield* Effect.forEach(users, (user) => {
      const command = reserveOf(500n)
      return Effect.as(accounts.reserve(user, command, ignoreLoss), { user, id: command.id })
    })
    const plug = yield* makeUser(10n)
    yield* warm(accounts, plug)
    // One command waits in the proxy, so that all others meet in the batch behind it.
    const held = proxy.hold()
    const first = yield* Effect.forkChild(accounts.reserve(plug, reserveOf(1n), ignoreLoss))
    yield* Effect.promise(() => held)
    const commits = yield* Effect.forEach(
      open,
      ({ id, user }) => Effect.forkChild(accounts.commit(user, commitOf(id, 200)), { startImmediately: true })
    )
    const reserves = yield* Effect.forEach(
      users,
      (user) =>
        Effect.forkChild(Effect.result(accounts.reserve(user, reserveOf(300n), ignoreLoss)), {
          startImmediately: true
        })
    )
    proxy.release()
    const lost = proxy.loseAnswer()
    yield* Fiber.join(first)
    yield* Effect.promise(() => lost)
    for (const fiber of commits) assert.strictEqual((yield* Fiber.join(fiber)).chargedMicros, 200n)
    for (const [index, fiber] of reserves.entries()) {
      const result = yield* Fiber.join(fiber)
      const user = users[index] ?? UserId.make(0n)
      // What was in the lost batch is refused and voided; what had not been sent may go on.
      if (result._tag === "Success") yield* accounts.void(user, voidOf(result.success.id))
      else assert.strictEqual(result.failure._tag, "AccountUnavailable")
      yield* eventually("only the commit is charged", balanceOf(user), ({ usd }) => usd === 800n)
    }
  })

  test("a reserve lost on its way leaves a tombstone; the straggler finds it and debits nothing", function*() {
    const { command, user } = yield* refusedWhere("loseRequest")
    assert.deepStrictEqual((yield* untilState(command.id, "voided"))?.funding, "free")
    const answers = yield* straggler(user, command)
    assert.deepStrictEqual(answers.map(({ note, tag }) => [tag, note]), [["exists", ""], ["user", ""]])
    assert.strictEqual((yield* usageOf(command.id))?.state, "voided")
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n, owed: 0n })
  })

  it.effect("a reserve abandoned while it is being written is voided behind itself", () =>
    Effect.gen(function*() {
      const { accounts, proxy } = yield* proxied
      const user = yield* makeUser(1_000n)
      yield* warm(accounts, user)
      const command = reserveOf(600n)
      const held = proxy.hold()
      const fiber = yield* Effect.forkChild(accounts.reserve(user, command, ignoreLoss))
      yield* Effect.promise(() => held)
      yield* Fiber.interrupt(fiber)
      proxy.release()
      const row = yield* untilState(command.id, "voided")
      assert.deepStrictEqual([row?.funding, row?.reason], ["balance", "abandoned"])
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n, owed: 0n })
      assert.strictEqual(accounts.openCount(), 0)
    }))

  test("drained with the database away, settlements are kept in the outbox file; replayed, they land once", function*() {
    const url = yield* databaseUrl
    const dataDir = yield* scratchFolder
    const file = join(dataDir, "unsettled.jsonl")
    const proxy = yield* makeProxy(url)
    const user = yield* makeUser(1_000n)
    const [one, two] = [reserveOf(300n), reserveOf(200n)]
    const scope = yield* Scope.make()
    const stopping = yield* Scope.provide(accountsAt(proxy.url, dataDir), scope)
    yield* stopping.reserve(user, one, ignoreLoss)
    yield* stopping.reserve(user, two, ignoreLoss)
    proxy.cut()
    // An idle writer learns of its connection's end when it next writes.
    assert.strictEqual(
      (yield* Effect.flip(stopping.reserve(user, reserveOf(1n), ignoreLoss)))._tag,
      "AccountUnavailable"
    )
    yield* until("it knows that the database is away", () => !stopping.isAvailable())
    yield* Effect.forkIn(stopping.commit(user, commitOf(one.id, 120)), scope, { startImmediately: true })
    yield* Effect.forkIn(stopping.void(user, voidOf(two.id)), scope, { startImmediately: true })
    yield* stopping.drain(100)
    yield* Scope.close(scope, Exit.void)
    assert.isTrue([one, two].every(({ id }) => readFileSync(file, "utf8").includes(id)))
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 500n, owed: 0n })
    const kept = readFileSync(file)

    const next = yield* accountsAt(url, dataDir)
    yield* next.replay
    assert.isFalse(existsSync(file))
    const rows = [yield* usageOf(one.id), yield* usageOf(two.id)]
    assert.deepStrictEqual(rows.map((row) => `${row?.state} ${row?.charged_micros}`), ["committed 120", "voided 0"])
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 880n, owed: 0n })

    // The same file once more, as after a crash behind the replay.
    writeFileSync(file, kept)
    yield* next.replay
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 880n, owed: 0n })
  })

  it.effect("a lease of one second lasts as long as its holder, sweeps or no sweeps", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const user = yield* makeUser(1_000n)
      const command = reserveOf(600n, { leaseSeconds: 1 })
      let lost = 0
      yield* accounts.reserve(user, command, () => {
        lost++
      })
      const seen = new Set<number>()
      const first = (yield* usageOf(command.id))?.lease_ms ?? 0
      // Three times its own length: it would have ended thrice.
      yield* eventually(
        "the lease has moved three seconds",
        Effect.andThen(accounts.sweep, usageOf(command.id)),
        (row) => {
          assert.strictEqual(row?.state, "reserved")
          seen.add(row?.lease_ms ?? 0)
          return (row?.lease_ms ?? 0) >= first + 3_000
        }
      )
      assert.isAbove(seen.size, 3)
      const settled = yield* accounts.commit(user, commitOf(command.id, 450))
      assert.deepStrictEqual([settled.chargedMicros, settled.late, lost], [450n, false, 0])
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 550n, owed: 0n })
    }))

  it.effect("a renewal that finds its reservation ended says so, once", () =>
    Effect.gen(function*() {
      const accounts = yield* Accounts
      const other = yield* anotherProcess()
      const user = yield* makeUser(1_000n)
      const command = reserveOf(600n, { leaseSeconds: 1 })
      const still = reserveOf(100n, { leaseSeconds: 1 })
      const told = yield* Deferred.make<void>()
      let losses = 0
      yield* accounts.reserve(user, command, () => {
        losses++
        Deferred.doneUnsafe(told, Exit.void)
      })
      yield* accounts.reserve(user, still, () => {
        losses += 100
      })
      yield* other.void(user, voidOf(command.id))
      yield* Deferred.await(told).pipe(Effect.timeout("30 seconds"))
      const before = (yield* usageOf(still.id))?.lease_ms ?? 0
      yield* eventually("further renewals", usageOf(still.id), (row) => (row?.lease_ms ?? 0) > before + 500)
      assert.strictEqual(losses, 1)
      yield* accounts.void(user, voidOf(still.id))
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n, owed: 0n })
    }))
})
