/**
 * Groups of users as administrators make and change them: each change on record, the second of two told, what config.yaml manages
 * left alone, and nothing that is out of bounds.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { CHOICES_MAX } from "../../src/accounts/UserGroups.ts"
import { writeConfigGroups } from "../../src/catalog/ConfigGroups.ts"
import { GroupAdmin } from "../../src/catalog/GroupAdmin.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { GroupId } from "../../src/domain/Ids.ts"
import type { GroupField, GroupTerms } from "../../src/domain/UserGroup.ts"
import { writeConfigPlans } from "../../src/subscriptions/ConfigPlans.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { ada, bob, tagOf, trail } from "../support/AuditTrail.ts"
import { type OutOfBounds, refusesEach } from "../support/CodedRefusals.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const TestLayer = GroupAdmin.layer.pipe(
  Layer.provideMerge(Notifications.layer),
  Layer.provideMerge(TestDatabase.layer)
)

const vip: GroupTerms = { name: "VIP", multiplierMicros: 800_000n }

const outOfBounds: ReadonlyArray<OutOfBounds<GroupTerms, GroupField>> = [
  ["", {}, "code"],
  ["VIP", {}, "code"],
  ["a".repeat(41), {}, "code"],
  ["g", { name: " " }, "name"],
  ["g", { name: "a\nb" }, "name"],
  ["g", { multiplierMicros: -1n }, "multiplierMicros"],
  ["g", { multiplierMicros: 1_000_000_001n }, "multiplierMicros"]
]

const declare = (document: object) =>
  Effect.andThen(writeConfigGroups, writeConfigPlans).pipe(
    Effect.provideService(AppConfig, testConfig(document))
  )

describe("GroupAdmin", () => {
  it.live("makes, changes, disables and enables a group, each on record", () =>
    Effect.gen(function*() {
      const groups = yield* GroupAdmin
      const id = yield* groups.create(ada, { code: "vip", ...vip })
      const made = yield* groups.get(id)
      assert.deepInclude(made, {
        code: "vip",
        ...vip,
        declared: false,
        disabledAt: null,
        users: 0,
        redeemed: 0,
        plans: 0
      })
      yield* groups.edit(bob, made, { ...vip, multiplierMicros: 0n })
      const changed = yield* groups.get(id)
      yield* groups.edit(bob, changed, changed)
      assert.strictEqual((yield* groups.get(id)).revision, changed.revision)
      assert.deepStrictEqual((yield* groups.choices(null)).map(({ code }) => code), ["vip"])
      yield* groups.setEnabled(ada, changed, false)
      assert.deepStrictEqual(yield* groups.choices(null), [])
      assert.strictEqual((yield* groups.choices("vip")).length, 1)
      assert.strictEqual((yield* groups.list({ limit: 9, state: "enabled" })).length, 0)
      yield* groups.setEnabled(ada, yield* groups.get(id), true)
      assert.deepStrictEqual(
        yield* trail,
        [`user:1 group.created`, `user:2 group.changed`, `user:1 group.disabled`, `user:1 group.enabled`].map((line) =>
          `${line} group:${id}`
        )
      )
      assert.strictEqual(yield* tagOf(groups.edit(ada, made, vip)), "ChangedMeanwhile")
      assert.strictEqual(yield* tagOf(groups.create(ada, { code: "vip", ...vip })), "GroupExists")
      assert.strictEqual(yield* tagOf(groups.get(GroupId.make(id + 1n))), "GroupUnknown")
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("refuses what is out of bounds, and names the fields", () =>
    Effect.flatMap(GroupAdmin, (groups) => refusesEach(groups, { good: vip, tag: "GroupRefused", table: outOfBounds }))
      .pipe(
        Effect.provide(TestLayer)
      ))

  it.live("offers a group that is chosen already, even when it is disabled and many others come before it", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`INSERT INTO user_groups (code, name, disabled_at) VALUES ('old', 'Z', now())`
      yield* sql`INSERT INTO user_groups (code, name)
        SELECT 'g-' || n, 'A' || n FROM generate_series(1, ${CHOICES_MAX}::integer) n`
      const groups = yield* GroupAdmin
      const offered = yield* groups.choices("old")
      assert.lengthOf(offered, CHOICES_MAX)
      assert.strictEqual(offered.at(-1)?.code, "old")
      assert.isTrue((yield* groups.choices(null)).every(({ code }) => code !== "old"))
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("shows what config.yaml manages, which plans of the file may name, and takes over what has left it", () =>
    Effect.gen(function*() {
      const groups = yield* GroupAdmin
      const plan = { code: "basic", name: "Basic", price_cny: "5", duration_days: 3, group: "vip" }
      const file = { groups: [{ code: "vip", name: "VIP", multiplier: "0.8" }], plans: [plan] }
      yield* declare(file)
      const [first] = yield* groups.list({ limit: 9 })
      if (first === undefined) return yield* Effect.die(new Error("no group"))
      assert.deepInclude(first, { ...vip, declared: true, plans: 1, revision: 1n })
      assert.strictEqual(yield* tagOf(groups.edit(ada, first, vip)), "ConfigManaged")
      yield* declare(file)
      assert.strictEqual((yield* groups.get(first.id)).revision, 1n)
      yield* declare({})
      const gone = yield* groups.get(first.id)
      assert.isFalse(gone.declared)
      assert.isNotNull(gone.disabledAt)
      yield* groups.setEnabled(ada, gone, true)
      const sql = yield* SqlClient.SqlClient
      assert.strictEqual(yield* tagOf(sql`DELETE FROM user_groups`), "SqlError")
      assert.throws(() => testConfig({ plans: [plan] }), /plans\[0\]\.group/)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))
})
