/**
 * Keys that are changed, paused and resumed, and keys that one form makes, however often it is sent.
 */
import { noKeyLimits } from "../../src/domain/CallLimits.ts"
import { assert, describe } from "@effect/vitest"
import { Context, DateTime, Effect, Layer, Queue, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { ApiKeyId } from "../../src/domain/Ids.ts"
import { ApiKeys } from "../../src/identity/ApiKeys.ts"
import { Users } from "../../src/identity/Users.ts"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { hear } from "../support/Heard.ts"
import { identityTest, outcome } from "../support/TestIdentity.ts"

const people = Effect.gen(function*() {
  const users = yield* Users
  const make = (email: string) => Effect.map(users.create({ email, role: "user" }), ({ id }) => id)
  return {
    keys: yield* ApiKeys,
    sql: yield* SqlClient.SqlClient,
    ada: yield* make("ada@example.com"),
    eve: yield* make("eve@example.com")
  }
})

const reasonOf = (keys: ApiKeys["Service"], token: string) =>
  Effect.map(
    Effect.flip(keys.authenticate(token)),
    (error) => error._tag === "InvalidApiKey" ? error.reason : error._tag
  )

const later = (days: number) => Effect.map(DateTime.now, (now) => DateTime.toDateUtc(DateTime.add(now, { days })))

describe("changes of a key", () => {
  identityTest("count at once, here and wherever they are heard, and only those that are given", function*() {
    const { ada, keys } = yield* people
    const Elsewhere = Layer.fresh(ApiKeys.layer).pipe(
      Layer.provide(Layer.succeed(Notifications, yield* Notifications))
    )
    const elsewhere = Context.get(yield* Layer.build(Elsewhere), ApiKeys)
    const heard = yield* hear
    const made = yield* keys.create({ userId: ada, name: "laptop", spendLimitMicros: 5n, allowedModels: ["a"] })
    const token = Redacted.value(made.key)
    assert.strictEqual(yield* Queue.take(heard), `keys ${made.id}`)
    for (const service of [keys, elsewhere]) yield* service.authenticate(token)
    assert.isDefined(elsewhere.cached(token))
    const paused = yield* keys.change(made.id, { paused: true }, { userId: ada })
    assert.instanceOf(paused.pausedAt, Date)
    assert.isUndefined(keys.cached(token))
    assert.strictEqual(yield* reasonOf(keys, token), "paused")
    assert.strictEqual(yield* Queue.take(heard), `keys ${made.id}`)
    assert.isUndefined(elsewhere.cached(token))
    // The second time from memory, with the same words.
    for (const _ of [1, 2]) assert.strictEqual(yield* reasonOf(elsewhere, token), "paused")
    // Pausing again does not change when it was paused, and is no message.
    assert.deepStrictEqual((yield* keys.change(made.id, { paused: true }, { userId: ada })).pausedAt, paused.pausedAt)
    const change = { paused: false, name: "desk", spendLimitPeriod: "day", allowedModels: null } as const
    const resumed = yield* keys.change(made.id, change, { userId: ada })
    assert.deepInclude(resumed, {
      name: "desk",
      pausedAt: null,
      spendLimitMicros: 5n,
      spendLimitPeriod: "day",
      allowedModels: null
    })
    assert.strictEqual(yield* Queue.take(heard), `keys ${made.id}`)
    assert.deepInclude(yield* elsewhere.authenticate(token), {
      limits: { ...noKeyLimits, spend: [{ period: "day", micros: 5n }] },
      allowedModels: null
    })
  })

  identityTest("are for its owner, or recorded, and refused when they are not possible", function*() {
    const { ada, eve, keys, sql } = yield* people
    const made = yield* keys.create({ userId: ada, name: "mine" })
    const change = (asked: object, by: Parameters<typeof keys.change>[2] = { userId: ada }) =>
      keys.change(made.id, asked, by).pipe(
        Effect.as("ok"),
        Effect.catch((error) => Effect.succeed<string>(error._tag === "ApiKeyRefused" ? error.reason : error._tag))
      )
    assert.strictEqual(yield* change({ name: "hers" }, { userId: eve }), "ApiKeyNotFound")
    assert.strictEqual(
      yield* outcome(keys.change(ApiKeyId.make(999_999n), {}, { userId: ada })),
      "ApiKeyNotFound"
    )
    const past = yield* later(-1)
    const table: ReadonlyArray<readonly [asked: object, reason: string]> = [
      [{ name: "a\nb" }, "name"],
      [{ expiresAt: past }, "expiry"],
      [{ spendLimitMicros: -1n }, "spend_limit"],
      [{ allowedModels: [] }, "models"]
    ]
    for (const [asked, reason] of table) assert.strictEqual(yield* change(asked), reason)
    assert.strictEqual(yield* change({ name: "theirs", paused: true }, { administrator: cliActor }), "ok")
    assert.strictEqual(yield* change({ name: "theirs" }, { administrator: cliActor }), "ok")
    const [log, ...more] = yield* sql<{ actor: string; before: unknown; after: unknown }>`
      SELECT actor, before, after FROM audit_log WHERE action = 'key.changed'`
    assert.deepStrictEqual(log, {
      actor: "cli",
      before: { name: "mine", paused: false },
      after: { name: "theirs", paused: true }
    })
    assert.isEmpty(more)
    yield* keys.revokeOwn(ada, made.id)
    assert.strictEqual(yield* change({ name: "again" }), "revoked")
  })

  identityTest("bring an expired key back only where there is room for one", function*() {
    const { ada, keys, sql } = yield* people
    const made = yield* keys.create({ userId: ada, name: "old" })
    yield* sql`UPDATE api_keys SET expires_at = now() - interval '1 day' WHERE id = ${made.id}`
    yield* sql`INSERT INTO api_keys (user_id, key_hash, hint)
      SELECT ${ada}, sha256(n::text::bytea), '' FROM generate_series(1, 100) n`
    const change = (asked: object) => outcome(keys.change(made.id, asked, { userId: ada }))
    assert.strictEqual(yield* change({ name: "still old" }), "ok")
    assert.strictEqual(yield* change({ expiresAt: null }), "TooManyKeys")
    yield* sql`UPDATE api_keys SET revoked_at = now() WHERE key_hash = sha256('1')`
    assert.strictEqual(yield* change({ expiresAt: yield* later(1) }), "ok")
  })
})

describe("a form that makes a key", () => {
  identityTest("makes one, however often and at once it is sent; another word or session makes another", function*() {
    const { ada, keys, sql } = yield* people
    const form = { secret: Redacted.make("session"), word: "w", perHour: 1_000 }
    const make = (origin: Parameters<typeof keys.create>[1], more: object = {}) =>
      keys.create({ userId: ada, name: "n", ...more }, origin)
    const made = yield* Effect.forEach([1, 2, 3], () => make({ form }), { concurrency: 3 })
    assert.strictEqual(new Set(made.map(({ id }) => id)).size, 1)
    assert.strictEqual(new Set(made.map(({ key }) => Redacted.value(key))).size, 1)
    const token = Redacted.value(made[0]?.key ?? assert.fail("no key"))
    assert.match(token, /^sk-[\w-]{43}$/)
    assert.strictEqual((yield* keys.authenticate(token)).keyId, made[0]?.id)
    const others = yield* Effect.all([
      make({ form: { ...form, word: "v" } }),
      make({ form: { ...form, secret: Redacted.make("other") } }),
      make({ form }, { name: "m" }),
      make({ form }, { spendLimitMicros: 1n }),
      make(undefined)
    ])
    assert.strictEqual(new Set([token, ...others.map(({ key }) => Redacted.value(key))]).size, 6)
    const [row] = yield* sql<{ count: bigint }>`SELECT count(*) FROM api_keys`
    assert.strictEqual(row?.count, 6n)
    const id = made[0]?.id ?? assert.fail("no key")
    yield* keys.revokeOwn(ada, id)
    const refused = yield* Effect.flip(make({ form }))
    assert.strictEqual(refused._tag === "ApiKeyRefused" ? refused.reason : refused._tag, "revoked")
  })

  identityTest("makes so many within an hour and no more, also at once, whatever became of them", function*() {
    const { ada, keys, sql } = yield* people
    const form = { secret: Redacted.make("session"), word: "w", perHour: 3 }
    const make = (word: string) => keys.create({ userId: ada, name: "n" }, { form: { ...form, word } })
    const ends = yield* Effect.forEach(["a", "b", "c", "d", "e"], (word) => outcome(make(word)), { concurrency: 5 })
    assert.sameMembers([...ends], ["ok", "ok", "ok", "TooManyNewKeys", "TooManyNewKeys"])
    const [made] = yield* keys.list(ada)
    yield* keys.revokeOwn(ada, made?.id ?? assert.fail("no key"))
    assert.strictEqual(yield* outcome(make("f")), "TooManyNewKeys")
    // An administrator and the command line are not held to it.
    assert.strictEqual(
      yield* outcome(keys.create({ userId: ada, name: "n" }, { administrator: cliActor })),
      "ok"
    )
    assert.strictEqual(yield* outcome(keys.create({ userId: ada, name: "n" })), "ok")
    yield* sql`UPDATE api_keys SET created_at = created_at - interval '1 hour'`
    assert.strictEqual(yield* outcome(make("f")), "ok")
  })

  identityTest("is not turned away by the key that it has made already", function*() {
    const { ada, keys, sql } = yield* people
    const form = { secret: Redacted.make("session"), word: "w", perHour: 1_000 }
    yield* sql`INSERT INTO api_keys (user_id, key_hash, hint)
      SELECT ${ada}, sha256(n::text::bytea), '' FROM generate_series(1, 99) n`
    const make = (word: string) => keys.create({ userId: ada, name: "n" }, { form: { ...form, word } })
    const first = yield* make("w")
    assert.strictEqual(yield* outcome(make("v")), "TooManyKeys")
    assert.strictEqual((yield* make("w")).id, first.id)
  })
})
