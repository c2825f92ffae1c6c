import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { UserId } from "../../src/domain/Ids.ts"
import { type Attempt, RateLimiter, rateLimits } from "../../src/identity/RateLimiter.ts"
import { cleanIdentity } from "../../src/identity/IdentityCleaner.ts"
import { LoginRefused } from "../../src/identity/IdentityError.ts"
import { Login } from "../../src/identity/Login.ts"
import { Users } from "../../src/identity/Users.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import {
  count,
  identityLayer,
  identityTest,
  IdentityWorld,
  outcome,
  PASSWORD,
  person
} from "../support/TestIdentity.ts"

const LimitsLayer = RateLimiter.layer.pipe(Layer.provideMerge(TestDatabase.layer))

/** A login that fails, as far as the limits are concerned. */
const guess = (limits: Context.Service.Shape<typeof RateLimiter>, who: Partial<Attempt> = {}) =>
  limits.limit(
    { kind: "login", address: "192.0.2.1", account: "ada@example.com", ...who },
    { countsSuccess: false, counted: ["LoginRefused"] },
    Effect.fail(new LoginRefused())
  )

const guesses = (times: number, effect: Effect.Effect<unknown, { readonly _tag: string }>) =>
  Effect.forEach(Array.from({ length: times }), () => outcome(effect))

const refused = (times: number): ReadonlyArray<string> => Array.from({ length: times }, () => "LoginRefused")

const { account, accountFromNetwork, network } = rateLimits.login

describe("RateLimiter", () => {
  it.effect("end guessing at one account from one network, and let it go on by and by", () =>
    Effect.gen(function*() {
      const limits = yield* RateLimiter
      assert.deepStrictEqual(
        yield* guesses(accountFromNetwork.burst, guess(limits)),
        refused(accountFromNetwork.burst)
      )
      const error = yield* Effect.flip(guess(limits))
      assert.deepInclude(error, { _tag: "TooManyAttempts", retryAfterSeconds: accountFromNetwork.refillMs / 1_000 })
      yield* TestClock.adjust(accountFromNetwork.refillMs - 1)
      const almost = yield* Effect.flip(guess(limits))
      assert.deepInclude(almost, { _tag: "TooManyAttempts", retryAfterSeconds: 1 })
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(yield* guesses(2, guess(limits)), ["LoginRefused", "TooManyAttempts"])
      yield* TestClock.adjust(accountFromNetwork.refillMs * accountFromNetwork.burst)
      assert.deepStrictEqual(
        yield* guesses(accountFromNetwork.burst + 1, guess(limits)),
        [...refused(accountFromNetwork.burst), "TooManyAttempts"]
      )
    }).pipe(Effect.provide(LimitsLayer)))

  it.effect("end guessing from one network, whatever accounts, and leave other networks alone", () =>
    Effect.gen(function*() {
      const limits = yield* RateLimiter
      for (let index = 0; index < network.burst; index++) {
        // The addresses of one /64 are one network.
        const who = { address: `2001:db8:1:1::${index.toString(16)}`, account: `${index}@example.com` }
        assert.strictEqual(yield* outcome(guess(limits, who)), "LoginRefused")
      }
      const last = { account: "last@example.com" }
      assert.strictEqual(yield* outcome(guess(limits, { ...last, address: "2001:db8:1:1:f::" })), "TooManyAttempts")
      assert.strictEqual(yield* outcome(guess(limits, { ...last, address: "2001:db8:1:2::1" })), "LoginRefused")
      assert.strictEqual(yield* outcome(guess(limits, { ...last, kind: "registration" })), "LoginRefused")
    }).pipe(Effect.provide(LimitsLayer)))

  it.effect("end guessing at one account from many networks, late", () =>
    Effect.gen(function*() {
      const limits = yield* RateLimiter
      const from = (index: number) => guess(limits, { address: `198.51.100.${index}` })
      for (let index = 0; index < account.burst; index++) {
        assert.strictEqual(yield* outcome(from(index)), "LoginRefused")
      }
      assert.strictEqual(yield* outcome(from(account.burst)), "TooManyAttempts")
      assert.strictEqual(yield* outcome(guess(limits, { account: "eve@example.com" })), "LoginRefused")
      yield* TestClock.adjust(account.refillMs)
      assert.strictEqual(yield* outcome(from(account.burst)), "LoginRefused")
    }).pipe(Effect.provide(LimitsLayer)))

  identityTest("of strangers keep nobody out of networks that they have signed in from", function*() {
    const ada = "ada@example.com"
    const login = yield* Login
    yield* login.register(person(ada, { address: "192.0.2.1" }))
    yield* login.register(person("eve@example.com", { address: "203.0.113.1" }))
    yield* Effect.provide(
      Effect.flatMap(RateLimiter, (limits) =>
        Effect.forEach(
          Array.from({ length: account.burst }, (_, index) => `198.51.100.${index}`),
          (address) => outcome(guess(limits, { address, account: ada }))
        )),
      RateLimiter.layer
    )
    const from = (address: string, password = PASSWORD) => outcome(login.login(person(ada, { address, password })))
    assert.strictEqual(yield* from("203.0.113.1"), "TooManyAttempts", "a network of somebody else")
    assert.strictEqual(yield* from("192.0.2.1"), "ok")
    const wrong = yield* Effect.forEach(
      Array.from({ length: accountFromNetwork.burst + 1 }),
      () => from("192.0.2.1", "wrong password")
    )
    assert.strictEqual(wrong.at(-1), "TooManyAttempts", "the limit of one network holds there, too")
  })

  it.effect("hold for many at once, on several servers", () =>
    Effect.gen(function*() {
      const here = yield* RateLimiter
      const elsewhere = Context.get(
        yield* Layer.build(
          Layer.fresh(RateLimiter.layer).pipe(
            Layer.provide(Layer.succeed(SqlClient.SqlClient, yield* SqlClient.SqlClient))
          )
        ),
        RateLimiter
      )
      const ends = yield* Effect.forEach(
        Array.from({ length: 2 * accountFromNetwork.burst }),
        (_, index) => outcome(guess(index % 2 === 0 ? here : elsewhere)),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(ends.filter((end) => end === "LoginRefused").length, accountFromNetwork.burst)
    }).pipe(Effect.scoped, Effect.provide(LimitsLayer)))

  it.effect("count only what is worth counting, and keep no address and no account", () =>
    Effect.gen(function*() {
      const limits = yield* RateLimiter
      const sql = yield* SqlClient.SqlClient
      const succeed = limits.limit(
        { kind: "login", address: "192.0.2.1", account: "ada@example.com" },
        { countsSuccess: false, counted: [] },
        Effect.void
      )
      yield* guesses(accountFromNetwork.burst - 1, guess(limits))
      assert.deepStrictEqual([...new Set(yield* guesses(20, succeed))], ["ok"])
      // Twenty successes gave no guess back.
      assert.deepStrictEqual(yield* guesses(2, guess(limits)), ["LoginRefused", "TooManyAttempts"])
      assert.strictEqual(yield* outcome(succeed), "TooManyAttempts")
      const rows = yield* sql<{ all: string }>`SELECT l::text AS all FROM attempt_limits l`
      assert.isTrue(rows.length === 3 && rows.every((row) => /^\("\\\\x[0-9a-f]{64}",\d+\)$/.test(row.all)))
    }).pipe(Effect.provide(LimitsLayer)))

  it.effect("are removed once they say nothing any more, not before", () =>
    Effect.gen(function*() {
      const limits = yield* RateLimiter
      yield* outcome(guess(limits))
      yield* cleanIdentity
      assert.strictEqual(yield* count("attempt_limits"), 3)
      yield* TestClock.adjust(network.refillMs)
      yield* cleanIdentity
      assert.strictEqual(yield* count("attempt_limits"), 2)
      yield* TestClock.adjust(accountFromNetwork.refillMs)
      yield* cleanIdentity
      assert.strictEqual(yield* count("attempt_limits"), 0)
    }).pipe(Effect.provide(LimitsLayer)))
})

describe("a limited", () => {
  const test = (what: string, body: (world: IdentityWorld) => Effect.Effect<void, unknown, Login | Users>) =>
    // Time stands still, so that a slow machine refills nothing.
    it.effect(what, () => {
      const world = new IdentityWorld()
      return body(world).pipe(Effect.scoped, Effect.provide(identityLayer(world)))
    })

  test("login tells nothing of whether the account exists, and compares no password any more", (world) =>
    Effect.gen(function*() {
      const login = yield* Login
      yield* login.register(person("ada@example.com"))
      const ends = yield* Effect.forEach(
        ["ada@example.com", "nobody@example.com", "no address"],
        (email, index) =>
          guesses(
            accountFromNetwork.burst + 1,
            login.login(person(email, { password: "wrong password", address: `192.0.2.${index}` }))
          )
      )
      const each = [...refused(accountFromNetwork.burst), "TooManyAttempts"]
      assert.deepStrictEqual(ends, [each, each, each])
      assert.strictEqual(world.compared.length, 3 * accountFromNetwork.burst)
      // The right password does not pass either from there, but does from where its owner is, in any case of the address.
      assert.strictEqual(
        yield* outcome(login.login(person("ADA@example.com", { address: "192.0.2.0" }))),
        "TooManyAttempts"
      )
      assert.strictEqual(yield* outcome(login.login(person("ada@example.com", { address: "192.0.2.9" }))), "ok")
    }))

  test("password change and registration are refused beyond it", () =>
    Effect.gen(function*() {
      const login = yield* Login
      const keepToken = yield* login.register(person("ada@example.com"))
      const [user] = yield* (yield* Users).list
      const changeWrongly = login.changePassword({
        userId: user?.id ?? UserId.make(0n),
        password: Redacted.make("wrong password"),
        code: "",
        next: Redacted.make(PASSWORD),
        keepToken,
        address: "192.0.2.1"
      })
      const changes = yield* guesses(rateLimits.passwordChange.accountFromNetwork.burst + 1, changeWrongly)
      assert.deepStrictEqual(changes.slice(-2), ["WrongPassword", "TooManyAttempts"])
      const registrations = yield* guesses(
        rateLimits.registration.accountFromNetwork.burst,
        login.register(person("ada@example.com"))
      )
      assert.deepStrictEqual(registrations.slice(-2), ["EmailTaken", "TooManyAttempts"])
    }))
})
