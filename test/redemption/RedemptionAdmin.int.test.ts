/**
 * Batches of codes as administrators run them: bounds, the record of changes, two administrators at once, and texts that are
 * nowhere but sealed in their batch and with the administrator who asked for them.
 */
import { assert, layer } from "@effect/vitest"
import { Clock, DateTime, Effect, Redacted } from "effect"
import type { NewBatch } from "../../src/redemption/RedemptionBatch.ts"
import type { BatchRefused } from "../../src/redemption/RedemptionError.ts"
import { TestRedemptions } from "../support/TestRedemptions.ts"
import { outcome } from "../support/TestIdentity.ts"

layer(TestRedemptions.layer, { excludeTestServices: true })("batches of codes", (it) => {
  it.effect("are refused for every field that is wrong, and then nothing is made", () =>
    Effect.gen(function*() {
      const world = yield* TestRedemptions
      const past = DateTime.toDateUtc(DateTime.makeUnsafe((yield* Clock.currentTimeMillis) - 1))
      const bad: ReadonlyArray<readonly [batch: Partial<NewBatch>, fields: BatchRefused["fields"]]> = [
        [{ name: " " }, ["name"]],
        [{ name: "x".repeat(101) }, ["name"]],
        [{ name: "a\u0000b", note: "x".repeat(501) }, ["name", "note"]],
        [{ gift: { kind: "balance", usdMicros: 0n } }, ["amount"]],
        [{ gift: { kind: "balance", usdMicros: 10_000_000_001n } }, ["amount"]],
        [{ gift: { kind: "plan", planCode: "none" } }, ["plan"]],
        [{ codes: 0, usesMax: 0 }, ["codes", "uses"]],
        [{ codes: 1_001, usesMax: 100_001, expiresAt: past }, ["codes", "uses", "expiry"]],
        [{ codes: 1.5 }, ["codes"]]
      ]
      for (const [batch, fields] of bad) {
        const refusal = yield* Effect.flip(world.batch(batch))
        assert.deepStrictEqual(refusal._tag === "BatchRefused" ? refusal.fields : refusal._tag, fields)
      }
      assert.deepStrictEqual(yield* world.admin.list({ limit: 10 }), [])
      assert.deepStrictEqual(yield* world.sql`SELECT FROM audit_log`, [])
    }))

  it.effect("are made whole, with a record, and their texts are in no table", () =>
    Effect.gen(function*() {
      const world = yield* TestRedemptions
      const { id, texts } = yield* world.batch({ name: "  Spring ", codes: 1_000, usesMax: 2 })
      assert.strictEqual(new Set(texts.map(Redacted.value)).size, 1_000)
      const batch = yield* world.admin.batch(id)
      assert.deepInclude(batch, { name: "Spring", codes: 1_000, usesMax: 2, uses: 0, state: "active", createdBy: null })
      const page = yield* world.admin.codes(id, { limit: 5_000 })
      assert.strictEqual(page.length, 200, "a page is bounded")
      const next = yield* world.admin.codes(id, { limit: 5, before: page.at(-1)?.id })
      assert.isTrue(next.every((code) => code.id < (page.at(-1)?.id ?? 0n)))
      const log = yield* world.sql<{ action: string; target: string; after: unknown }>`
        SELECT action, target, after FROM audit_log ORDER BY id`
      assert.deepStrictEqual(log, [
        {
          action: "redemption_batch.created",
          target: `redemption_batch:${id}`,
          after: {
            name: "Spring",
            note: "",
            usd_micros: "1000000",
            codes: 1_000,
            uses_max: 2,
            expires_at: null
          }
        },
        { action: "redemption_batch.exported", target: `redemption_batch:${id}`, after: { codes: 1_000 } }
      ])
      const [stored] = yield* world.sql<{ text: string }>`
        SELECT (SELECT string_agg(b::text, '') FROM redemption_batches b) ||
          (SELECT string_agg(c::text, '') FROM redemption_codes c) ||
          (SELECT string_agg(a::text, '') FROM audit_log a) AS text`
      for (const text of texts.slice(0, 50).map(Redacted.value)) {
        assert.notInclude(stored?.text ?? text, text.slice(4))
        assert.notInclude(stored?.text ?? text, Buffer.from(text).toString("hex"))
        assert.isFalse(world.logged.some((line) => line.includes(text.slice(4, 15))))
      }
      assert.isAbove(stored?.text.length ?? 0, 50_000)
    }))

  it.effect("are disabled and enabled only by somebody who has seen their present state", () =>
    Effect.gen(function*() {
      const world = yield* TestRedemptions
      const { id } = yield* world.batch({ codes: 2 })
      const seen = yield* world.admin.batch(id)
      const set = (revision: bigint, isDisabled: boolean) =>
        outcome(world.admin.setDisabled(world.actor, { id, revision }, isDisabled))
      assert.strictEqual(yield* set(seen.revision, true), "ok")
      assert.strictEqual(yield* set(seen.revision, true), "ok", "a second click")
      assert.strictEqual(yield* set(seen.revision, false), "ChangedMeanwhile")
      const now = yield* world.admin.batch(id)
      assert.strictEqual(now.state, "disabled")
      assert.isTrue((yield* world.admin.codes(id, { limit: 10 })).every(({ state }) => state === "disabled"))
      assert.strictEqual(yield* set(now.revision, false), "ok")
      assert.strictEqual(yield* set(seen.revision, true), "ChangedMeanwhile")
      const [code] = yield* world.admin.codes(id, { limit: 10 })
      const codeId = code?.id ?? 0n
      for (const _ of [1, 2]) yield* world.admin.disableCode(world.actor, { batchId: id, codeId })
      assert.strictEqual(
        yield* outcome(world.admin.disableCode(world.actor, { batchId: id + 1n, codeId })),
        "CodeNotFound"
      )
      const unknown = world.admin.setDisabled(world.actor, { id: 999n, revision: 1n }, true)
      assert.strictEqual(yield* outcome(unknown), "BatchNotFound")
      const log = yield* world.sql<{ action: string; after: { readonly disabled: boolean } }>`
        SELECT action, after FROM audit_log WHERE action LIKE '%abled' ORDER BY id`
      assert.deepStrictEqual(log.map(({ action, after }) => [action, after.disabled]), [
        ["redemption_batch.disabled", true],
        ["redemption_batch.enabled", false],
        ["redemption_code.disabled", true]
      ])
    }))

  it.effect("are listed by their state, page by page, with who has redeemed them", () =>
    Effect.gen(function*() {
      const world = yield* TestRedemptions
      const { id, texts: [code] } = yield* world.batch({ usesMax: 3 })
      const users = [yield* world.user(), yield* world.user()]
      for (const userId of users) yield* world.redeem(userId, code)
      const redeemed = yield* world.admin.redemptions(id, { limit: 10 })
      assert.deepStrictEqual(redeemed.map(({ userId }) => userId), users.toReversed())
      assert.deepStrictEqual(
        (yield* world.admin.redemptions(id, { limit: 10, before: redeemed[0]?.id })).map(({ userId }) => userId),
        users.slice(0, 1)
      )
      assert.strictEqual((yield* world.admin.batch(id)).uses, 2)
      yield* world.redeem(yield* world.user(), code)
      const ids = (list: ReadonlyArray<{ readonly id: bigint }>) => list.map((batch) => batch.id)
      assert.deepStrictEqual(ids(yield* world.admin.list({ limit: 10, state: "used" })), [id])
      assert.notInclude(ids(yield* world.admin.list({ limit: 10, state: "active" })), id)
      assert.strictEqual((yield* world.admin.list({ limit: 1, before: id })).length, 1)
    }))

  it.effect("are sealed again with all other secrets", () =>
    Effect.gen(function*() {
      const world = yield* TestRedemptions
      const { id, texts } = yield* world.batch({ codes: 3 })
      const sealed = world.sql`SELECT codes_sealed FROM redemption_batches WHERE id = ${id}`
      const before = yield* sealed
      assert.isAtLeast(yield* world.reseal, 1)
      assert.notDeepEqual(yield* sealed, before)
      const again = yield* world.admin.texts(world.actor, id)
      assert.deepStrictEqual(again.map(({ text }) => Redacted.value(text)), texts.map(Redacted.value))
    }))

  it.effect("say so when their texts cannot be opened", () =>
    Effect.gen(function*() {
      const world = yield* TestRedemptions
      const { id } = yield* world.batch({})
      yield* world.sql`UPDATE redemption_batches SET key_id = 'gone' WHERE id = ${id}`
      assert.strictEqual(yield* outcome(world.admin.texts(world.actor, id)), "CodesUnreadable")
      assert.strictEqual(yield* outcome(world.admin.texts(world.actor, 999n)), "BatchNotFound")
      const [row] = yield* world.sql<{ count: bigint }>`
        SELECT count(*) FROM audit_log WHERE action = 'redemption_batch.exported' AND target = ${`redemption_batch:${id}`}`
      assert.strictEqual(row?.count, 1n, "by the test's own reading alone")
    }))
})
