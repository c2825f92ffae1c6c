/**
 * Accounts are forgotten when they are idle, and read again by the next command: nothing that is open is forgotten, and
 * nobody can tell from an answer that an account was away.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { AccountIdleMs } from "../../src/accounts/AccountResidents.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { anotherProcess, commitOf, usageOf, voidOf } from "../support/AccountsProcess.ts"
import {
  adjust,
  adjustUnheard,
  audited,
  balanceOf,
  ignoreLoss,
  makeUser,
  reserveOf,
  TestAccounts
} from "../support/TestAccounts.ts"
import { eventually } from "../support/Until.ts"

const IDLE_MS = 60
const USERS = 8
const STEPS = 60

const forgotten = (...users: ReadonlyArray<UserId>) =>
  Effect.gen(function*() {
    const accounts = yield* Accounts
    const resident = Effect.sync(() => users.filter((user) => accounts.isResident(user)))
    yield* eventually("they are forgotten", resident, (left) => left.length === 0)
  })

const accountsIdle = (idleMs: number) => TestAccounts.pipe(Layer.provide(Layer.succeed(AccountIdleMs, idleMs)))

layer(accountsIdle(IDLE_MS), { excludeTestServices: true })("Passivation", (it) => {
  const test = audited(it)

  test("forgets who is idle, keeps who has something open, and decides right when it is asked again", function*() {
    const accounts = yield* Accounts
    const busy = yield* makeUser(1_000n)
    const open = reserveOf(300n)
    yield* accounts.reserve(busy, open, ignoreLoss)
    const idle = yield* makeUser(1_000n)
    const done = reserveOf(600n)
    yield* accounts.reserve(idle, done, ignoreLoss)
    yield* accounts.commit(idle, commitOf(done.id, 450))
    // The busy one was asked first: when the other is forgotten, its time is over too.
    yield* forgotten(idle)
    assert.isTrue(accounts.isResident(busy))

    // What nobody tells this process, which has nothing left that could be out of date.
    yield* adjustUnheard(idle, -250n)
    const refused = yield* Effect.flip(accounts.reserve(idle, reserveOf(301n), ignoreLoss))
    assert.strictEqual(refused._tag === "InsufficientFunds" ? refused.availableMicros : refused._tag, 300n)
    assert.strictEqual((yield* accounts.commit(idle, commitOf(done.id, 1))).chargedMicros, 450n)
    const all = reserveOf(300n)
    yield* accounts.reserve(idle, all, ignoreLoss)
    yield* accounts.void(idle, voidOf(all.id))
    yield* forgotten(idle)
    assert.isTrue(accounts.isResident(busy))

    assert.strictEqual((yield* usageOf(open.id))?.state, "reserved")
    const raised = yield* accounts.extend(busy, {
      _tag: "Extend",
      id: open.id,
      numerator: 400_000_000n,
      outputTokens: 1,
      atMs: 1_000
    })
    assert.strictEqual(raised.reservedMicros, 400n)
    assert.strictEqual((yield* accounts.commit(busy, commitOf(open.id, 350))).chargedMicros, 350n)
    yield* forgotten(busy)
    assert.strictEqual((yield* adjust(busy, { amountMicros: 50n })).usdMicros, 700n)
    assert.deepStrictEqual(yield* balanceOf(busy), { usd: 700n, owed: 0n })
    assert.deepStrictEqual(yield* balanceOf(idle), { usd: 300n, owed: 0n })
  })
})

layer(accountsIdle(IDLE_MS), { excludeTestServices: true })("Passivation beside another process", (it) => {
  const test = audited(it)

  test("forgets an account whose open call was ended elsewhere", function*() {
    const accounts = yield* Accounts
    const other = yield* anotherProcess()
    const user = yield* makeUser(1_000n)
    const call = reserveOf(300n)
    yield* accounts.reserve(user, call, ignoreLoss)
    yield* other.commit(user, commitOf(call.id, 100))
    yield* forgotten(user)
  })
})

layer(accountsIdle(0), { excludeTestServices: true })("Passivation at every chance", (it) => {
  const test = audited(it)

  test("changes no answer", function*() {
    const accounts = yield* Accounts
    const users = yield* Effect.forEach(Array.from({ length: USERS }), () => makeUser(1_000n))
    const step = Effect.fnUntraced(function*(user: UserId, index: number) {
      const command = reserveOf(10n)
      yield* accounts.reserve(user, command, ignoreLoss)
      yield* index % 3 === 0
        ? accounts.void(user, voidOf(command.id))
        : accounts.commit(user, commitOf(command.id, index % 3 === 1 ? 7 : 13))
      // Nothing more is asked of this account before it was forgotten; the others go on.
      if (index % 5 === 0) yield* forgotten(user)
    })
    yield* Effect.forEach(
      users,
      (user) => Effect.forEach(Array.from({ length: STEPS }, (_, index) => index), (index) => step(user, index)),
      {
        concurrency: "unbounded"
      }
    )
    for (const user of users) {
      assert.deepStrictEqual(yield* balanceOf(user), { usd: 1_000n - BigInt(STEPS / 3) * 20n, owed: 0n })
    }
    yield* forgotten(...users)
    assert.strictEqual(accounts.openCount(), 0)
  })
})
