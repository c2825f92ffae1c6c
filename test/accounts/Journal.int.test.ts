import { assert, layer } from "@effect/vitest"
import { Clock, Effect, Exit, Fiber, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Accounts } from "../../src/accounts/Accounts.ts"
import { makeReservationId, SubscriptionId, UserId } from "../../src/domain/Ids.ts"
import { Database } from "../../src/postgres/Database.ts"
import {
  accountsAt,
  anotherProcess,
  commitOf,
  databaseUrl,
  proxied,
  untilState,
  usageOf,
  voidOf
} from "../support/AccountsProcess.ts"
import { makeProxy } from "../support/JournalProxy.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import { audited, balanceOf, ignoreLoss, makeUser, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { eventually } from "../support/Until.ts"

const untilJournalWaits = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  yield* eventually(
    "the journal waits for a lock",
    sql`SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
      AND application_name LIKE 'realms-journal-%' AND wait_event_type = 'Lock'`,
    (rows) => rows.length > 0
  )
})

layer(TestAccounts, { excludeTestServices: true })("Journal", (it) => {
  const test = audited(it)

  test("a guard that fails for one user of a batch rejects that user's reserve and nothing else", function*() {
    const other = yield* Accounts
    const short = yield* makeUser(1_000n)
    const rich = yield* Effect.forEach(Array.from({ length: 5 }), () => makeUser(1_000n))
    const plug = yield* makeUser(10n)
    const { accounts, proxy } = yield* proxied
    const open = reserveOf(100n)
    yield* accounts.reserve(short, open, ignoreLoss)
    for (const user of [...rich, plug]) {
      const first = reserveOf(1n)
      yield* accounts.reserve(user, first, ignoreLoss)
      yield* accounts.void(user, voidOf(first.id))
    }
    // Behind the back of these accounts, which still believe in 900.
    const elsewhere = reserveOf(700n)
    yield* other.reserve(short, elsewhere, ignoreLoss)

    const held = proxy.hold()
    const first = yield* Effect.forkChild(accounts.reserve(plug, reserveOf(1n), ignoreLoss))
    yield* Effect.promise(() => held)
    const ids = rich.map(makeReservationId)
    const start = { startImmediately: true }
    const before = yield* Effect.forEach(
      rich.slice(0, 2),
      (user, index) =>
        Effect.forkChild(accounts.reserve(user, reserveOf(500n, { id: ids[index] ?? "" }), ignoreLoss), start)
    )
    const commit = yield* Effect.forkChild(accounts.commit(short, commitOf(open.id, 60)), start)
    const refused = yield* Effect.forkChild(Effect.flip(accounts.reserve(short, reserveOf(800n), ignoreLoss)), start)
    const after = yield* Effect.forEach(
      rich.slice(2),
      (user, index) =>
        Effect.forkChild(accounts.reserve(user, reserveOf(500n, { id: ids[index + 2] ?? "" }), ignoreLoss), start)
    )
    proxy.release()

    yield* Fiber.join(first)
    for (const fiber of [...before, ...after]) assert.strictEqual((yield* Fiber.join(fiber)).reservedMicros, 500n)
    assert.strictEqual((yield* Fiber.join(commit)).chargedMicros, 60n)
    const error = yield* Fiber.join(refused)
    // With no call open there would be 940.
    assert.isTrue(error._tag === "FundsHeld" && error.availableMicros === 240n && error.openHolds === 1)
    // They were one transaction indeed, the commit of the short user with them.
    const writers = new Set((yield* Effect.forEach([...ids, open.id], usageOf)).map((row) => row?.written_by))
    assert.strictEqual(writers.size, 1)
    yield* other.void(short, voidOf(elsewhere.id))
    assert.deepStrictEqual(yield* balanceOf(short), { usd: 940n, owed: 0n })
  })

  test("a lock on one user's balance stops that user alone", function*() {
    const { accounts, proxy } = yield* proxied
    const database = yield* Database
    const locked = yield* makeUser(1_000n)
    const others = yield* Effect.forEach(Array.from({ length: 6 }), () => makeUser(1_000n))
    const open = reserveOf(300n)
    yield* accounts.reserve(locked, open, ignoreLoss)
    yield* Effect.forEach(others, (user) => accounts.reserve(user, reserveOf(0n), ignoreLoss))
    const foreign = yield* database.connect({ applicationName: "foreign" })
    yield* foreign.query("BEGIN", [], false)
    yield* foreign.query(`SELECT FROM user_balances WHERE user_id = ${locked} FOR UPDATE`, [], false)

    // A command of everybody waits in the proxy, so that the locked user's settlement shares their batch.
    const plug = yield* makeUser(10n)
    const held = proxy.hold()
    const first = yield* Effect.forkChild(accounts.reserve(plug, reserveOf(1n), ignoreLoss))
    yield* Effect.promise(() => held)
    const start = { startImmediately: true }
    const settling = yield* Effect.forkChild(accounts.commit(locked, commitOf(open.id, 120)), start)
    const beside = yield* Effect.forEach(
      others,
      (user) => Effect.forkChild(accounts.reserve(user, reserveOf(0n), ignoreLoss), start)
    )
    proxy.release()
    yield* Fiber.join(first)
    yield* untilJournalWaits
    for (const fiber of beside) {
      yield* Fiber.join(fiber)
    }
    const round = Effect.forEach(others, (user) =>
      Effect.gen(function*() {
        const command = reserveOf(50n)
        yield* accounts.reserve(user, command, ignoreLoss)
        yield* accounts.commit(user, commitOf(command.id, 20))
      }), { concurrency: "unbounded" })
    yield* Effect.repeat(round, { times: 4 })
    const refused = yield* Effect.flip(accounts.reserve(locked, reserveOf(1n), ignoreLoss))
    assert.strictEqual(refused._tag, "AccountUnavailable")
    yield* round
    assert.strictEqual((yield* usageOf(open.id))?.state, "reserved")
    for (const user of others) {
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 880n, owed: 0n })
    }

    yield* foreign.query("COMMIT", [], false)
    assert.strictEqual((yield* Fiber.join(settling)).chargedMicros, 120n)
    const free = reserveOf(100n)
    yield* eventually(
      "the account takes reserves again",
      Effect.result(accounts.reserve(locked, { ...free, id: makeReservationId() }, ignoreLoss)),
      (result) => result._tag === "Success"
    )
    assert.deepStrictEqual(yield* balanceOf(locked), { usd: 780n, owed: 0n })
  })

  test("a settlement that PostgreSQL will not take is set aside after its tries; the others of its batch go on", function*() {
    const sql = yield* SqlClient.SqlClient
    const url = yield* databaseUrl
    const life = yield* Scope.make()
    const [dataDir, proxy] = [yield* scratchFolder, yield* makeProxy(url)]
    const accounts = yield* Scope.provide(accountsAt(proxy.url, dataDir), life)
    const file = join(dataDir, "set-aside.jsonl")
    const users = yield* Effect.forEach(Array.from({ length: 7 }), () => makeUser(1_000n))
    const [guilty = UserId.make(0n)] = users
    const open = yield* Effect.forEach(users, (user) => {
      const command = reserveOf(300n)
      return Effect.as(accounts.reserve(user, command, ignoreLoss), { user, id: command.id })
    })
    const guiltyId = open[0]?.id ?? ""
    yield* sql.unsafe(
      `ALTER TABLE usage_events ADD CONSTRAINT poison CHECK (user_id <> ${guilty} OR state <> 'committed')`
    )
    const plug = yield* makeUser(10n)
    const held = proxy.hold()
    const first = yield* Effect.forkChild(accounts.reserve(plug, reserveOf(1n), ignoreLoss))
    yield* Effect.promise(() => held)
    const commits = yield* Effect.forEach(
      open,
      ({ id, user }) =>
        Effect.forkChild(Effect.result(accounts.commit(user, commitOf(id, 100))), { startImmediately: true })
    )
    proxy.release()
    yield* Fiber.join(first)
    const results = yield* Effect.forEach(commits, Fiber.join)
    assert.deepStrictEqual(
      results.map((result) => result._tag === "Success" ? result.success.chargedMicros : result.failure._tag),
      ["AccountUnavailable", 100n, 100n, 100n, 100n, 100n, 100n]
    )
    yield* eventually(
      "it is set aside",
      Effect.sync(() => existsSync(file) && readFileSync(file, "utf8")),
      (text) => text !== false && text.endsWith("\n")
    )
    assert.isTrue(readFileSync(file, "utf8").includes(guiltyId))
    assert.strictEqual((yield* usageOf(guiltyId))?.state, "reserved")

    // With its cause gone, the next start lands it.
    yield* Scope.close(life, Exit.void)
    yield* sql.unsafe("ALTER TABLE usage_events DROP CONSTRAINT poison")
    const next = yield* accountsAt(url, dataDir)
    yield* next.replay
    assert.isFalse(existsSync(file))
    assert.strictEqual((yield* usageOf(guiltyId))?.charged_micros, 100n)
    assert.deepStrictEqual(yield* balanceOf(guilty), { usd: 900n, owed: 0n })
  })

  test("two processes over one subscription never exceed any of its four windows", function*() {
    const sql = yield* SqlClient.SqlClient
    const one = yield* Accounts
    const two = yield* anotherProcess()
    const user = yield* makeUser(0n)
    const [subscription] = yield* sql<{ id: SubscriptionId }>`
        INSERT INTO user_subscriptions (user_id, plan_code, plan_name, limit_5h_micros, limit_1d_micros, limit_7d_micros,
          limit_30d_micros, starts_at, ends_at, fence)
        VALUES (${user}, 'p', 'P', 1200, 1100, 1000, 1300, now() - interval '1 day', now() + interval '9 days', 7)
        RETURNING id`
    const id = subscription?.id ?? SubscriptionId.make(0n)
    for (const accounts of [one, two]) accounts.invalidate(user)
    const spent = Effect.map(
      sql<{ micros: bigint }>`
          SELECT coalesce(sum(micros), 0)::bigint AS micros FROM subscription_usage WHERE subscription_id = ${id}`,
      ([row]) => row?.micros ?? 0n
    )
    let highest = 0n
    const watch = Effect.forever(Effect.map(spent, (micros) => {
      highest = micros > highest ? micros : highest
    }))
    const watcher = yield* Effect.forkChild(watch)
    const atMs = yield* Clock.currentTimeMillis
    const call = Effect.fnUntraced(function*(index: number) {
      const accounts = index % 2 === 0 ? one : two
      const command = reserveOf(50n, { payAsYouGo: false, atMs })
      const held = yield* Effect.result(accounts.reserve(user, command, ignoreLoss))
      return held._tag === "Success" ? { accounts, id: command.id } : held.failure._tag
    })
    const answers = yield* Effect.forEach(Array.from({ length: 60 }, (_, index) => index), call, {
      concurrency: "unbounded"
    })
    const held = answers.filter((answer) => typeof answer !== "string")
    const refusals = answers.filter((answer) => typeof answer === "string")
    assert.strictEqual(held.length, 20)
    assert.deepStrictEqual([...new Set(refusals)], ["FundsHeld"])
    // All room is held. Over-runs find none: what they cost beyond it is owed, not taken from a window.
    yield* Effect.forEach(held, ({ accounts, id }, index) =>
      index % 4 === 0
        ? accounts.void(user, voidOf(id))
        : accounts.commit(user, commitOf(id, index % 4 === 1 ? 80 : 30, atMs)), { concurrency: "unbounded" })
    yield* Effect.forEach(Array.from({ length: 30 }, (_, index) => index), call, { concurrency: "unbounded" })
    yield* Fiber.interrupt(watcher)
    assert.isAtMost(Number(highest), 1_000)
    assert.isAtLeast(Number(yield* spent), 951)
    assert.isAtMost(Number(yield* spent), 1_000)
  })

  test("ids sent many times at once, to two processes, are one hold and one settlement", function*() {
    const one = yield* Accounts
    const two = yield* anotherProcess()
    const user = yield* makeUser(1_000n)
    const openBefore = one.openCount()
    const command = reserveOf(200n)
    const many = Array.from({ length: 40 }, (_, index) => index % 2 === 0 ? one : two)
    const together = { concurrency: "unbounded" } as const
    const holds = yield* Effect.forEach(many, (accounts) => accounts.reserve(user, command, ignoreLoss), together)
    assert.deepStrictEqual([...new Set(holds.map((hold) => hold.reservedMicros))], [200n])
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 800n, owed: 0n })
    const ends = yield* Effect.forEach(
      many,
      (accounts, index) =>
        index % 3 === 0 ? accounts.void(user, voidOf(command.id)) : accounts.commit(user, commitOf(command.id, 150)),
      together
    )
    assert.strictEqual(new Set(ends.map(({ chargedMicros, state }) => `${state} ${chargedMicros}`)).size, 1)
    const charged = ends[0]?.chargedMicros ?? 0n
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n - charged, owed: 0n })
    assert.deepStrictEqual([one.openCount(), two.openCount()], [openBefore, 0])
  })

  test("an account whose state is forgotten at every step decides as before", function*() {
    const accounts = yield* Accounts
    const user = yield* makeUser(1_000n)
    const command = reserveOf(600n)
    const step = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.suspend(() => {
        accounts.invalidate(user)
        return effect
      })
    yield* step(accounts.reserve(user, command, ignoreLoss))
    yield* step(accounts.reserve(user, command, ignoreLoss))
    const raised = yield* step(
      accounts.extend(user, { _tag: "Extend", id: command.id, numerator: 700_000_000n, outputTokens: 1, atMs: 1_000 })
    )
    assert.strictEqual(raised.reservedMicros, 700n)
    assert.strictEqual(
      (yield* Effect.flip(step(accounts.reserve(user, reserveOf(301n), ignoreLoss))))._tag,
      "FundsHeld"
    )
    yield* accounts.invalidateAll
    assert.strictEqual((yield* step(accounts.commit(user, commitOf(command.id, 640)))).chargedMicros, 640n)
    assert.strictEqual((yield* step(accounts.commit(user, commitOf(command.id, 640)))).chargedMicros, 640n)
    assert.strictEqual((yield* untilState(command.id, "committed"))?.reserved_micros, 700n)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 360n, owed: 0n })
  })
})
