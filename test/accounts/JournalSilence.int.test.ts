/**
 * A PostgreSQL that hangs: connections stay open and nothing answers. Callers that wait for a hold are turned away within the bound
 * and not with the batch, new callers at once; what was settled lands when the server is back.
 */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import type { Accounts } from "../../src/accounts/Accounts.ts"
import { ANSWER_MS_MAX } from "../../src/accounts/Silent.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { commitOf, proxied, untilState, usageOf } from "../support/AccountsProcess.ts"
import { audited, balanceOf, ignoreLoss, makeUser, reserveOf, TestAccounts } from "../support/TestAccounts.ts"
import { eventually } from "../support/Until.ts"

/** A busy machine may be late by this, in ms. */
const SLACK_MS = 1_500

type AccountsService = typeof Accounts.Service

/** How an effect fails, and after how many ms. */
const failureOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const started = performance.now()
    const error = yield* Effect.flip(effect)
    return { tag: error._tag, ms: performance.now() - started }
  })

const untilFailingFast = (accounts: AccountsService, user: UserId) =>
  eventually(
    "reserves fail at once",
    failureOf(accounts.reserve(user, reserveOf(1n), ignoreLoss)),
    ({ ms, tag }) => tag === "AccountUnavailable" && ms < 100
  )

layer(TestAccounts, { excludeTestServices: true })("A database that hangs", (it) => {
  const test = audited(it)

  test("turns callers away within the bound, and new ones at once; a settlement lands when it is back", function*() {
    const { accounts, proxy } = yield* proxied
    const [user, other, cold] = [yield* makeUser(1_000n), yield* makeUser(1_000n), yield* makeUser(1_000n)]
    const open = reserveOf(600n)
    for (const owner of [user, other]) yield* accounts.reserve(owner, reserveOf(1n), ignoreLoss)
    yield* accounts.reserve(user, open, ignoreLoss)
    proxy.silence()
    const start = { startImmediately: true }
    const settling = yield* Effect.forkChild(accounts.commit(user, commitOf(open.id, 450)), start)
    const abandoned = reserveOf(10n)
    const waiting = yield* Effect.forEach([
      accounts.reserve(other, abandoned, ignoreLoss),
      accounts.reserve(cold, reserveOf(1n), ignoreLoss),
      accounts.extend(user, { _tag: "Extend", id: open.id, numerator: 700_000_000n, outputTokens: 1, atMs: 1_000 }),
      accounts.standing(cold)
    ], (asked) => Effect.forkChild(failureOf<unknown, { readonly _tag: string }, never>(asked), start))
    for (const fiber of waiting) {
      const { ms, tag } = yield* Fiber.join(fiber)
      assert.strictEqual(tag, "AccountUnavailable")
      assert.isBelow(ms, ANSWER_MS_MAX + SLACK_MS)
    }
    yield* untilFailingFast(accounts, other)
    for (const owner of [user, other, cold]) {
      assert.isBelow((yield* failureOf(accounts.reserve(owner, reserveOf(1n), ignoreLoss))).ms, 100)
    }
    proxy.speak()
    const settled = yield* Fiber.join(settling)
    assert.deepStrictEqual([settled.chargedMicros, settled.late], [450n, false])
    // What its caller gave up on, and what may have landed since, is returned.
    yield* untilState(abandoned.id, "voided")
    yield* eventually(
      "it holds again",
      Effect.result(accounts.reserve(cold, reserveOf(5n), ignoreLoss)),
      ({ _tag }) => _tag === "Success"
    )
    assert.strictEqual((yield* usageOf(open.id))?.charged_micros, 450n)
    yield* eventually("only the holds that stand are held", balanceOf(other), ({ usd }) => usd === 999n)
  })

  test("for longer than the journal waits for a batch, loses no settlement", function*() {
    const { accounts, proxy } = yield* proxied
    const user = yield* makeUser(1_000n)
    const open = reserveOf(600n)
    yield* accounts.reserve(user, open, ignoreLoss)
    proxy.silence()
    const settling = yield* Effect.forkChild(accounts.commit(user, commitOf(open.id, 450)), {
      startImmediately: true
    })
    yield* eventually(
      "the journal has given its connection up",
      Effect.sync(() => accounts.isAvailable()),
      (is) => !is
    )
    proxy.speak()
    assert.strictEqual((yield* Fiber.join(settling)).chargedMicros, 450n)
    assert.deepStrictEqual(yield* balanceOf(user), { usd: 550n, owed: 0n })
  })
})
