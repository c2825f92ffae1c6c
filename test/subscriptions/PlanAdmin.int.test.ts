/**
 * Plans managed by two administrators at once and beside a configuration file. That what was bought keeps its terms is seen
 * in the pages' test, with a real payment.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { PlanId } from "../../src/domain/Ids.ts"
import type { PlanField, PlanOffer } from "../../src/domain/Plan.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { PlanAdmin } from "../../src/subscriptions/PlanAdmin.ts"
import { writeConfigPlans } from "../../src/subscriptions/ConfigPlans.ts"
import { PlansForSale } from "../../src/subscriptions/PlansForSale.ts"
import { ada, bob, tagOf, trail } from "../support/AuditTrail.ts"
import { type OutOfBounds, refusesEach } from "../support/CodedRefusals.ts"
import { unlimited } from "../support/PlanTerms.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const TestLayer = Layer.mergeAll(PlanAdmin.layer, PlansForSale.layer).pipe(
  Layer.provideMerge(Notifications.layer),
  Layer.provideMerge(TestDatabase.layer)
)

const basic: PlanOffer = {
  name: "Basic",
  priceFen: 1_200n,
  ...unlimited,
  limit5hMicros: 6_000_000n,
  limit7dMicros: 20_000_000n,
  multiplierMicros: 500_000n,
  groupCode: null,
  requestsPerMinute: 0,
  tokensPerMinute: 0,
  concurrentCalls: 0,
  descriptionEn: "",
  descriptionZh: "适合日常使用",
  recommended: false,
  position: 0
}

const outOfBounds: ReadonlyArray<OutOfBounds<PlanOffer, PlanField>> = [
  ["", {}, "code"],
  ["Basic", {}, "code"],
  ["a_b", {}, "code"],
  ["a".repeat(41), {}, "code"],
  ["p", { name: " " }, "name"],
  ["p", { name: "a\nb" }, "name"],
  ["p", { name: "x".repeat(101) }, "name"],
  ["p", { priceFen: -1n }, "priceFen"],
  ["p", { priceFen: 100_000_001n }, "priceFen"],
  ["p", { durationDays: 0 }, "durationDays"],
  ["p", { durationDays: 0.5 }, "durationDays"],
  ["p", { durationDays: 36_501 }, "durationDays"],
  ["p", { limit5hMicros: -1n }, "limit5hMicros"],
  ["p", { limit1dMicros: 10n ** 18n }, "limit1dMicros"],
  ["p", { limit7dMicros: -1n }, "limit7dMicros"],
  ["p", { limit30dMicros: -1n }, "limit30dMicros"],
  ["p", { multiplierMicros: -1n }, "multiplierMicros"],
  ["p", { multiplierMicros: 1_000_000_001n }, "multiplierMicros"],
  ["p", { groupCode: "VIP" }, "groupCode"],
  ["p", { groupCode: "nowhere" }, "groupCode"],
  ["p", { descriptionEn: "x".repeat(301) }, "descriptionEn"],
  ["p", { descriptionZh: "a\nb" }, "descriptionZh"],
  ["p", { position: -1 }, "position"],
  ["p", { position: 1_001 }, "position"]
]

const declare = (codes: ReadonlyArray<string>) =>
  writeConfigPlans.pipe(Effect.provideService(
    AppConfig,
    testConfig({ plans: codes.map((code) => ({ code, name: code, price_cny: "5", duration_days: 3 })) })
  ))

describe("PlanAdmin", () => {
  it.live("makes, changes, disables and enables a plan, each on record", () =>
    Effect.gen(function*() {
      const plans = yield* PlanAdmin
      const sale = Effect.flatMap(PlansForSale, ({ list }) => list)
      const id = yield* plans.create(ada, { code: "basic", ...basic })
      const made = yield* plans.get(id)
      assert.deepInclude(made, { code: "basic", ...basic, declared: false, disabledAt: null, revision: 1n })
      assert.deepInclude(made, { subscriptions: 0, pendingOrders: 0 })
      yield* plans.edit(ada, made, { ...basic, priceFen: 1_500n })
      assert.strictEqual((yield* sale)[0]?.priceFen, 1_500n)
      const changed = yield* plans.get(id)
      yield* plans.edit(ada, changed, changed)
      assert.strictEqual((yield* plans.get(id)).revision, changed.revision)
      yield* plans.setEnabled(bob, changed, false)
      assert.deepStrictEqual(yield* sale, [])
      yield* plans.setEnabled(bob, yield* plans.get(id), true)
      // What is for nothing is not for sale.
      yield* plans.edit(ada, yield* plans.get(id), { ...basic, priceFen: 0n })
      assert.deepStrictEqual(yield* sale, [])
      assert.deepStrictEqual(yield* trail, [
        `user:1 plan.created plan:${id}`,
        `user:1 plan.changed plan:${id}`,
        `user:2 plan.disabled plan:${id}`,
        `user:2 plan.enabled plan:${id}`,
        `user:1 plan.changed plan:${id}`
      ])
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("offers plans in the order that root has given them, and those of one place the cheapest first", () =>
    Effect.gen(function*() {
      const plans = yield* PlanAdmin
      const offered = [["late", 2, 100n], ["dear", 1, 900n], ["cheap", 1, 300n], ["first", 0, 5_000n]] as const
      for (const [code, position, priceFen] of offered) {
        yield* plans.create(ada, { code, ...basic, position, priceFen, recommended: code === "dear" })
      }
      const sale = yield* (yield* PlansForSale).list
      assert.deepStrictEqual(sale.map(({ code }) => code), ["first", "cheap", "dear", "late"])
      assert.deepStrictEqual(sale.map(({ recommended }) => recommended), [false, false, true, false])
      // 20 USD in each of five weeks.
      assert.deepInclude(sale[0], { countedMicros: 100_000_000n, description: { en: "", zh: "适合日常使用" } })
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("tells the second of two administrators, and overwrites nothing", () =>
    Effect.gen(function*() {
      const plans = yield* PlanAdmin
      const id = yield* plans.create(ada, { code: "basic", ...basic })
      const seen = yield* plans.get(id)
      const outcomes = yield* Effect.forEach(
        [plans.edit(ada, seen, { ...basic, name: "A" }), plans.edit(bob, seen, { ...basic, name: "B" })],
        (attempt) => Effect.result(attempt),
        { concurrency: 2 }
      )
      assert.strictEqual(outcomes.filter(({ _tag }) => _tag === "Success").length, 1)
      const now = yield* plans.get(id)
      assert.strictEqual(yield* tagOf(plans.edit(bob, seen, basic)), "ChangedMeanwhile")
      assert.strictEqual(yield* tagOf(plans.setEnabled(bob, seen, false)), "ChangedMeanwhile")
      assert.strictEqual(yield* tagOf(plans.create(bob, { code: "basic", ...basic })), "PlanExists")
      assert.strictEqual(yield* tagOf(plans.get(PlanId.make(id + 1n))), "PlanUnknown")
      assert.deepStrictEqual(yield* plans.get(id), now)
      assert.strictEqual((yield* trail).length, 2)
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("refuses what is out of bounds, and names the fields", () =>
    Effect.gen(function*() {
      yield* refusesEach(yield* PlanAdmin, { good: basic, tag: "PlanRefused", table: outOfBounds })
      assert.deepStrictEqual(yield* trail, [])
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))

  it.live("leaves alone what config.yaml declares, takes over what has left it, and lists both page by page", () =>
    Effect.gen(function*() {
      const plans = yield* PlanAdmin
      yield* declare(["kept", "gone"])
      const codes = (filter: Partial<Parameters<typeof plans.list>[0]>) =>
        Effect.map(plans.list({ limit: 10, ...filter }), (found) => found.map(({ code }) => code))
      const [gone, kept] = yield* plans.list({ limit: 10 })
      if (kept === undefined || gone === undefined) return assert.fail("no plans")
      assert.strictEqual(yield* tagOf(plans.edit(ada, kept, basic)), "ConfigManaged")
      assert.strictEqual(yield* tagOf(plans.setEnabled(ada, kept, false)), "ConfigManaged")
      assert.deepStrictEqual(yield* codes({ before: gone.id }), ["kept"])
      yield* declare(["kept"])
      assert.deepStrictEqual(yield* codes({ state: "disabled" }), ["gone"])
      yield* plans.setEnabled(ada, yield* plans.get(gone.id), true)
      yield* declare(["kept"])
      assert.deepStrictEqual(yield* codes({ state: "enabled" }), ["gone", "kept"])
      assert.deepInclude(yield* plans.get(gone.id), { declared: false, code: "gone" })
    }).pipe(Effect.scoped, Effect.provide(TestLayer)))
})
