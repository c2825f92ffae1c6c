import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Queue, Redacted, References } from "effect"
import { SqlClient } from "effect/sql"
import { hash } from "node:crypto"
import { ApiKeyId, UserId } from "../../src/domain/Ids.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { Users } from "../../src/identity/Users.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { freeQuestionsMax } from "../../src/postgres/PoolShares.ts"
import { hear, say } from "../support/Heard.ts"
import { TestDatabase } from "../support/TestDatabase.ts"
import { until } from "../support/Until.ts"

/** What is provoked here is also logged; that is not for the report. */
/** Look-ups that are under way at once, at most. */
const AT_ONCE = BigInt(freeQuestionsMax.apiKeys)

const Quiet = Layer.succeed(References.MinimumLogLevel, "None")

const TestLayer = Layer.mergeAll(ApiKeys.layer, Users.layer).pipe(
  Layer.provideMerge(Notifications.layer),
  Layer.provideMerge(TestDatabase.layer),
  Layer.provideMerge(Quiet)
)

/** A key of a new user, its creation already heard of. */
const fixture = Effect.gen(function*() {
  const heard = yield* hear
  const keys = yield* ApiKeys
  const sql = yield* SqlClient.SqlClient
  const user = yield* (yield* Users).create({ email: "ada@example.com", role: "user" })
  const made = yield* keys.create({ userId: user.id, name: "laptop" })
  assert.strictEqual(yield* Queue.take(heard), `keys ${made.id}`)
  return { heard, keys, made, sql, token: Redacted.value(made.key), user }
})

const invalid = (keys: Context.Service.Shape<typeof ApiKeys>, token: string) =>
  Effect.map(Effect.flip(keys.authenticate(token)), (error) => assert.strictEqual(error._tag, "InvalidApiKey"))

describe("ApiKeys", () => {
  it.live("are stored as a hash and a hint, and known by it", () =>
    Effect.gen(function*() {
      const { keys, made, sql, token, user } = yield* fixture
      assert.match(token, /^sk-[A-Za-z0-9_-]{43}$/)
      assert.strictEqual(made.hint, `sk-…${token.slice(-4)}`)
      const [row] = yield* sql<{ key_hash: Uint8Array; hint: string; all: string }>`
        SELECT key_hash, hint, k::text AS all FROM api_keys k`
      assert.strictEqual(Buffer.from(row?.key_hash ?? []).toString("hex"), hash("sha256", token, "hex"))
      assert.notInclude(row?.all, token)
      assert.isUndefined(keys.cached(token))
      const identity = {
        keyId: made.id,
        userId: user.id,
        expiresAtMs: null,
        limits: null,
        allowedModels: null,
        networks: null
      }
      assert.deepStrictEqual(yield* keys.authenticate(token), identity)
      assert.deepStrictEqual(keys.cached(token), identity)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that many ask for at once are looked up by the first ones", () =>
    Effect.gen(function*() {
      const { keys, sql, token } = yield* fixture
      const waiting = Effect.map(
        Effect.orDie(sql<{ waiting: bigint }>`SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted`),
        ([row]) => row?.waiting ?? 0n
      )
      const lock = Effect.fnUntraced(function*() {
        const done = yield* Deferred.make<void>()
        const locking = yield* Deferred.make<void>()
        yield* Effect.forkScoped(
          sql.withTransaction(
            sql`LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE`.pipe(
              Effect.andThen(Deferred.succeed(locking, undefined)),
              Effect.andThen(Deferred.await(done))
            )
          ),
          { startImmediately: true }
        )
        return { done, locking }
      })
      const first = yield* lock()
      yield* Deferred.await(first.locking)
      const asked = yield* Effect.forkScoped(
        Effect.forEach(Array.from({ length: 40 }), () => keys.authenticate(token), { concurrency: "unbounded" }),
        { startImmediately: true }
      )
      yield* until("the first ones wait", Effect.map(waiting, (count) => count === AT_ONCE))
      // The next one in the line of the table: those behind it find the table locked again.
      const second = yield* lock()
      yield* until("it waits behind them", Effect.map(waiting, (count) => count === AT_ONCE + 1n))
      yield* Deferred.succeed(first.done, undefined)
      yield* Deferred.await(second.locking)
      const identities = yield* Fiber.join(asked)
      assert.strictEqual(new Set(identities.map(({ keyId }) => keyId)).size, 1)
      yield* Deferred.succeed(second.done, undefined)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that are looked up by the dozen leave others connections of the database", () =>
    Effect.gen(function*() {
      const { keys, sql } = yield* fixture
      const done = yield* Deferred.make<void>()
      const locking = yield* Deferred.make<void>()
      const lock = sql.withTransaction(
        sql`LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE`.pipe(
          Effect.andThen(Deferred.succeed(locking, undefined)),
          Effect.andThen(Deferred.await(done))
        )
      )
      const locked = yield* Effect.forkScoped(lock, { startImmediately: true })
      yield* Deferred.await(locking)
      const strangers = yield* Effect.forkScoped(
        Effect.forEach(Array.from({ length: 40 }), (_, index) => invalid(keys, `sk-${"x".repeat(40)}${index}`), {
          concurrency: "unbounded",
          discard: true
        }),
        { startImmediately: true }
      )
      // Asked over the same pool, while all of them wait.
      yield* until(
        "they wait",
        Effect.map(
          Effect.orDie(sql<{ waiting: bigint }>`SELECT count(*) AS waiting FROM pg_locks WHERE NOT granted`),
          ([row]) => (row?.waiting ?? 0n) >= AT_ONCE
        )
      )
      yield* Deferred.succeed(done, undefined)
      yield* Fiber.join(locked)
      yield* Fiber.join(strangers)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that are unknown are invalid, from memory the second time", () =>
    Effect.gen(function*() {
      const { heard, keys, sql, token, user } = yield* fixture
      const other = `${token.slice(0, -1)}${token.endsWith("A") ? "Q" : "A"}`
      for (const wrong of ["", "sk-", "hello", other, `sk-${"x".repeat(300)}`]) yield* invalid(keys, wrong)
      // Written behind the service's back, it stays unknown until a message says that keys have changed.
      yield* sql`INSERT INTO api_keys (user_id, key_hash, hint)
        VALUES (${user.id}, ${Buffer.from(hash("sha256", other, "hex"), "hex")}, '')`
      yield* invalid(keys, other)
      yield* say("keys", "all")
      assert.strictEqual(yield* Queue.take(heard), "keys all")
      assert.strictEqual((yield* keys.authenticate(other)).userId, user.id)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that are revoked are invalid at once, here and wherever it is heard", () =>
    Effect.gen(function*() {
      const { heard, keys, made, token } = yield* fixture
      const Elsewhere = Layer.fresh(ApiKeys.layer).pipe(
        Layer.provide(Layer.succeed(Notifications, yield* Notifications))
      )
      const elsewhere = Context.get(yield* Layer.build(Elsewhere), ApiKeys)
      const heardElsewhere = yield* hear
      yield* keys.authenticate(token)
      yield* elsewhere.authenticate(token)
      assert.isDefined(elsewhere.cached(token))
      yield* keys.revoke(made.id)
      assert.isUndefined(keys.cached(token))
      yield* invalid(keys, token)
      assert.strictEqual(yield* Queue.take(heardElsewhere), `keys ${made.id}`)
      assert.isUndefined(elsewhere.cached(token))
      yield* invalid(elsewhere, token)
      assert.strictEqual(yield* Queue.take(heard), `keys ${made.id}`)
      yield* keys.revoke(made.id)
      assert.strictEqual((yield* Effect.flip(keys.revoke(ApiKeyId.make(999_999n))))._tag, "ApiKeyNotFound")
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that expired, or whose user is disabled, are invalid", () =>
    Effect.gen(function*() {
      const { keys, made, sql, token, user } = yield* fixture
      yield* sql`UPDATE api_keys SET expires_at = now() + interval '1 hour', allowed_models = ARRAY['m'] WHERE id = ${made.id}`
      const { allowedModels, expiresAtMs } = yield* keys.authenticate(token)
      assert.deepStrictEqual(allowedModels, ["m"])
      assert.isNumber(expiresAtMs)
      yield* sql`UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE id = ${made.id}`
      // Revoking another key empties the memory.
      yield* keys.revoke((yield* keys.create({ userId: user.id, name: "" })).id)
      yield* invalid(keys, token)
      const third = yield* keys.create({ userId: user.id, name: "" })
      yield* sql`UPDATE users SET disabled_at = now() WHERE id = ${user.id}`
      yield* invalid(keys, Redacted.value(third.key))
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("are not served from memory while messages may be missed", () =>
    Effect.gen(function*() {
      const { heard, keys, made, sql, token } = yield* fixture
      yield* keys.authenticate(token)
      yield* sql`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name = 'realms-notifications' AND datname = current_database()`
      assert.strictEqual(yield* Queue.take(heard), "down")
      yield* sql`UPDATE api_keys SET revoked_at = now() WHERE id = ${made.id}`
      assert.isUndefined(keys.cached(token))
      yield* invalid(keys, token)
      assert.strictEqual(yield* Queue.take(heard), "up")
      assert.isUndefined(keys.cached(token))
      yield* invalid(keys, token)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("that cannot be looked up are not called invalid", () =>
    Effect.gen(function*() {
      const { keys, sql, token } = yield* fixture
      yield* sql`ALTER TABLE api_keys RENAME TO api_keys_away`
      assert.strictEqual((yield* Effect.flip(keys.authenticate(token)))._tag, "DatabaseUnavailable")
      yield* sql`ALTER TABLE api_keys_away RENAME TO api_keys`
      assert.isDefined(yield* keys.authenticate(token))
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("belong to a user that exists", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip((yield* ApiKeys).create({ userId: UserId.make(999_999n), name: "" }))
      assert.strictEqual(error._tag, "UserNotFound")
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))
})
