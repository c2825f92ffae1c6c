import { assert, layer } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { SqlClient } from "effect/sql"
import type { ApiKeyId } from "../../src/domain/Ids.ts"
import { insertUser } from "../../src/identity/UserStore.ts"
import { cliActor, recordChange } from "../../src/platform/AuditLog.ts"
import { type AuditFilter, AuditTrail } from "../../src/platform/AuditTrail.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const services = AuditTrail.layer.pipe(Layer.provideMerge(TestDatabase.layer))

const targets = (filter: AuditFilter) =>
  Effect.flatMap(
    AuditTrail,
    (trail) => Effect.map(trail.page(filter, { limit: 50 }), (items) => items.map(({ target }) => target))
  )

layer(services, { excludeTestServices: true })("AuditTrail", (it) => {
  it.effect("tells who did what, filtered, page by page and as a whole", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const trail = yield* AuditTrail
      const root = yield* insertUser(sql, { email: "root@example.com", role: "root", passwordHash: null })
      const [key] = yield* sql<{ id: ApiKeyId }>`INSERT INTO api_keys (user_id, name, key_hash, hint, kind)
        VALUES (${root.id}, 'deploy', '\\x00', 'sk-…', 'admin') RETURNING id`
      const record = (name: string, action: string, target: string) =>
        recordChange(sql, { ...cliActor, name }, {
          action,
          target,
          before: null,
          after: { amount: 12_345_678_901_234_567_890n }
        })
      yield* record(`user:${root.id}`, "user.disabled", "user:5")
      yield* record(`key:${key?.id}`, "user.enabled", "user:6")
      yield* record("cli", "user_x.made", "user:7")
      yield* record("user:99999999999999999999", "odd.actor", "odd:1")

      const all = yield* trail.page({}, { limit: 50 })
      assert.deepStrictEqual(all.map(({ actor, email }) => [actor, email]), [
        ["user:99999999999999999999", null],
        ["cli", null],
        [`key:${key?.id}`, "root@example.com"],
        [`user:${root.id}`, "root@example.com"]
      ])
      assert.deepStrictEqual(all[0]?.after, { amount: "12345678901234567890" })
      assert.deepStrictEqual(yield* targets({ actor: "ROOT@example.com" }), ["user:6", "user:5"])
      assert.deepStrictEqual(yield* targets({ actor: "cli" }), ["user:7"])
      assert.deepStrictEqual(yield* targets({ actor: "nobody@example.com" }), [])
      assert.deepStrictEqual(yield* targets({ action: "user." }), ["user:6", "user:5"])
      assert.deepStrictEqual(yield* targets({ action: "user_" }), ["user:7"], "no wildcards")
      assert.deepStrictEqual(yield* targets({ target: "user:6" }), ["user:6"])
      const atMs = all[0]?.at.getTime() ?? 0
      assert.deepStrictEqual(yield* targets({ fromMs: atMs + 1_000 }), [])
      assert.strictEqual((yield* targets({ fromMs: atMs - 60_000, toMs: atMs + 1_000 })).length, 4)
      const below = yield* trail.page({}, { limit: 1, before: all[1]?.id })
      assert.deepStrictEqual(below.map(({ target }) => target), ["user:6"])
    }))

  it.effect("streams more than one page, each row once", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`INSERT INTO audit_log (actor, action, target)
        SELECT 'cli', 'many.made', 'many:' || n FROM generate_series(1, 2500) n`
      const seen = yield* Stream.runCollect((yield* AuditTrail).rows({ action: "many." }))
      assert.strictEqual(seen.length, 2_500)
      assert.strictEqual(new Set(seen.map(({ id }) => id)).size, 2_500)
    }))
})
