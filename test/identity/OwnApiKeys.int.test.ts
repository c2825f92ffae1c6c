import { assert, describe, it } from "@effect/vitest"
import { Clock, Context, DateTime, Effect, Exit, Layer, Queue, Redacted, Scope } from "effect"
import { SqlClient } from "effect/sql"
import { TestClock } from "effect/testing"
import { ApiKeyId } from "../../src/domain/Ids.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { Users } from "../../src/identity/Users.ts"
import type { Notifications } from "../../src/platform/Notifications.ts"
import { hear } from "../support/Heard.ts"
import { identityLayer, IdentityWorld, outcome } from "../support/TestIdentity.ts"
import { until } from "../support/Until.ts"

type Services = ApiKeys | Notifications | SqlClient.SqlClient | Users

const run = (body: Effect.Effect<void, unknown, Services | Scope.Scope>) =>
  body.pipe(Effect.scoped, Effect.provide(identityLayer(new IdentityWorld())))

const fixture = Effect.gen(function*() {
  const keys = yield* ApiKeys
  const sql = yield* SqlClient.SqlClient
  const users = yield* Users
  const ada = (yield* users.create({ email: "ada@example.com", role: "user" })).id
  const eve = (yield* users.create({ email: "eve@example.com", role: "user" })).id
  return { ada, eve, keys, sql }
})

const date = (text: string): Date => DateTime.toDateUtc(DateTime.makeUnsafe(text))

describe("a user's keys", () => {
  it.live("carry what they were made with", () =>
    run(Effect.gen(function*() {
      const { ada, keys } = yield* fixture
      const rates = { requestsPerMinute: 60, tokensPerMinute: 1_000_000_000, concurrentCalls: 3 }
      const limits = {
        expiresAt: date("2099-01-02T03:04:05Z"),
        spendLimitMicros: 999_999_999_999_999n,
        spendLimitPeriod: "month" as const,
        allowedModels: ["gpt-4o", `o'"{}\\,`],
        allowedNetworks: null,
        dayLimitMicros: 7n,
        monthLimitMicros: 8n,
        ...rates
      }
      const limited = yield* keys.create({ userId: ada, name: "ci", ...limits })
      const plain = yield* keys.create({ userId: ada, name: "", expiresAt: null, allowedModels: null })
      assert.deepStrictEqual(yield* keys.authenticate(Redacted.value(limited.key)), {
        keyId: limited.id,
        userId: ada,
        expiresAtMs: limits.expiresAt.getTime(),
        limits: { ...rates, spend: [{ period: "month", micros: 8n }, { period: "day", micros: 7n }] },
        allowedModels: limits.allowedModels,
        networks: null
      })
      const listed = yield* keys.list(ada)
      assert.deepStrictEqual(listed.map((key) => key.id), [plain.id, limited.id])
      const { createdAt, ...rest } = listed[1] ?? assert.fail("not listed")
      assert.instanceOf(createdAt, Date)
      const never = { revokedAt: null, lastUsedAt: null, pausedAt: null }
      assert.deepStrictEqual(rest, { id: limited.id, name: "ci", hint: limited.hint, ...limits, ...never })
      assert.notInclude(JSON.stringify(listed, (_, value) => String(value)), Redacted.value(limited.key))
    })))

  it.live("are refused when they are not possible", () =>
    run(Effect.gen(function*() {
      const { ada, keys } = yield* fixture
      const refusal = (key: object) =>
        Effect.map(Effect.flip(keys.create({ userId: ada, name: "", ...key })), (error) =>
          error._tag === "ApiKeyRefused" ? error.reason : error._tag)
      const hundred = Array.from({ length: 100 }, (_, index) =>
        `m${index}`)
      const table: ReadonlyArray<readonly [key: object, reason: string]> = [
        [{ name: "x".repeat(101) }, "name"],
        [{ name: "a\u0000b" }, "name"],
        [{ name: "a\nb" }, "name"],
        [{ expiresAt: date("2001-01-01T00:00:00Z") }, "expiry"],
        [{ spendLimitMicros: -1n }, "spend_limit"],
        [{ spendLimitMicros: 1_000_000_000_000_001n }, "spend_limit"],
        [{ allowedModels: [] }, "models"],
        [{ allowedModels: [""] }, "models"],
        [{ allowedModels: ["x".repeat(257)] }, "models"],
        [{ allowedModels: [...hundred, "one more"] }, "models"],
        [{ userId: 999_999n }, "UserNotFound"]
      ]
      for (const [key, reason] of table) assert.strictEqual(yield* refusal(key), reason)
      assert.deepStrictEqual(yield* keys.list(ada), [])
      yield* keys.create({ userId: ada, name: "名".repeat(100), spendLimitMicros: 0n, allowedModels: hundred })
    })))

  it.live("are a hundred that work, also when made at once; those that ended do not count", () =>
    run(Effect.gen(function*() {
      const { ada, eve, keys, sql } = yield* fixture
      yield* sql`INSERT INTO api_keys (user_id, key_hash, hint, name, revoked_at, expires_at)
        SELECT ${ada}, sha256(n::text::bytea), '', n::text, CASE WHEN n % 3 = 1 THEN now() END,
            CASE WHEN n % 3 = 2 THEN now() END FROM generate_series(1, 297) n`
      const make = outcome(keys.create({ userId: ada, name: "" }))
      const ends = yield* Effect.forEach([1, 2, 3], () => make, { concurrency: 3 })
      assert.sameMembers([...ends], ["ok", "TooManyKeys", "TooManyKeys"])
      const listed = yield* keys.list(ada)
      assert.strictEqual(listed.length, 200)
      const live = listed.filter((key) => key.revokedAt === null && key.expiresAt === null)
      assert.strictEqual(live.length, 100, "every live key is listed, however old")
      assert.deepStrictEqual(listed.map((key) => key.id), listed.map((key) => key.id).toSorted((a, b) => Number(b - a)))
      assert.strictEqual(yield* outcome(keys.create({ userId: eve, name: "" })), "ok")
      yield* keys.revokeOwn(ada, live[0]?.id ?? ApiKeyId.make(0n))
      assert.strictEqual(yield* make, "ok")
    })))

  it.live("are nobody else's to see or to revoke", () =>
    run(Effect.gen(function*() {
      const { ada, eve, keys } = yield* fixture
      const made = yield* keys.create({ userId: ada, name: "" })
      assert.deepStrictEqual(yield* keys.list(eve), [])
      const [theirs, none] = yield* Effect.forEach([made.id, ApiKeyId.make(999_999n)], (id) =>
        Effect.flip(keys.revokeOwn(eve, id)))
      assert.deepStrictEqual([theirs?._tag, none?._tag], ["ApiKeyNotFound", "ApiKeyNotFound"])
      assert.isDefined(yield* keys.authenticate(Redacted.value(made.key)))
      yield* keys.revokeOwn(ada, made.id)
      assert.strictEqual(yield* outcome(keys.authenticate(Redacted.value(made.key))), "InvalidApiKey")
      const [listed] = yield* keys.list(ada)
      assert.instanceOf(listed?.revokedAt, Date)
      yield* keys.revokeOwn(ada, made.id)
      assert.deepStrictEqual((yield* keys.list(ada))[0]?.revokedAt, listed?.revokedAt)
    })))
})

/** A service of its own, to be stopped. */
const stoppable = Effect.gen(function*() {
  const scope = yield* Scope.make()
  const context = yield* Effect.context<Notifications | SqlClient.SqlClient>()
  const Own = Layer.fresh(ApiKeys.layer).pipe(Layer.provide(Layer.succeedContext(context)))
  const keys = Context.get(yield* Layer.buildWithScope(Own, scope), ApiKeys)
  return { keys, stop: Scope.close(scope, Exit.void) }
})

describe("the last use of a key", () => {
  it.effect("is written once a minute, is that of the last call, and waits when it cannot be written", () => {
    const world = new IdentityWorld()
    return Effect.gen(function*() {
      const { ada, keys, sql } = yield* fixture
      const used = yield* keys.create({ userId: ada, name: "" })
      yield* keys.create({ userId: ada, name: "" })
      const lastUsed = Effect.map(keys.list(ada), (listed) => listed.map((key) => key.lastUsedAt?.getTime() ?? null))
      const untilWritten = (ms: number) =>
        TestClock.withLive(until(`it is written as ${ms}`, Effect.map(lastUsed, (all) => all[1] === ms)))
      yield* keys.authenticate(Redacted.value(used.key))
      yield* TestClock.adjust("30 seconds")
      yield* keys.authenticate(Redacted.value(used.key))
      assert.deepStrictEqual(yield* lastUsed, [null, null])
      yield* TestClock.adjust("30 seconds")
      yield* untilWritten(30_000)
      yield* keys.authenticate(Redacted.value(used.key))
      yield* sql`ALTER TABLE api_keys RENAME COLUMN last_used_at TO last_used_away`
      yield* TestClock.adjust("1 minute")
      const failed = () => world.logged.some((line) => line.includes("could not be written"))
      yield* TestClock.withLive(until("it could not be written", failed))
      yield* sql`ALTER TABLE api_keys RENAME COLUMN last_used_away TO last_used_at`
      yield* TestClock.adjust("1 minute")
      yield* untilWritten(60_000)
      assert.deepStrictEqual(yield* lastUsed, [null, 60_000])
    }).pipe(Effect.scoped, Effect.provide(identityLayer(world)))
  })

  it.live("is written at the stop, from memory too, and never turned back", () =>
    run(Effect.gen(function*() {
      const { ada, keys, sql } = yield* fixture
      const { keys: own, stop } = yield* stoppable
      const heard = yield* hear
      const made = yield* keys.create({ userId: ada, name: "" })
      const later = yield* keys.create({ userId: ada, name: "" })
      // Each of the two empties the memory when it is heard of.
      yield* Queue.takeN(heard, 2)
      const future = date("2099-01-01T00:00:00Z")
      yield* sql`UPDATE api_keys SET last_used_at = ${future} WHERE id = ${later.id}`
      for (const { key } of [made, later]) yield* own.authenticate(Redacted.value(key))
      const authenticatedMs = yield* Clock.currentTimeMillis
      yield* until("time has passed", Effect.map(Clock.currentTimeMillis, (ms) => ms > authenticatedMs))
      assert.strictEqual(own.cached(Redacted.value(made.key))?.keyId, made.id)
      yield* stop
      const [second, first] = yield* keys.list(ada)
      assert.isAbove(first?.lastUsedAt?.getTime() ?? 0, authenticatedMs)
      assert.deepStrictEqual(second?.lastUsedAt, future)
    })))
})
