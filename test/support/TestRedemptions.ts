/**
 * Redemption codes over a database of their own, with one plan and everything that was logged: users with an account, batches
 * with their texts at hand, and the audit.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, type Vitest } from "@effect/vitest"
import { Context, Effect, Layer, type Redacted, References } from "effect"
import { SqlClient } from "effect/sql"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import type { UserId } from "../../src/domain/Ids.ts"
import { type Actor, cliActor } from "../../src/platform/AuditLog.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { RedemptionAdmin } from "../../src/redemption/RedemptionAdmin.ts"
import { redemptionAudit } from "../../src/redemption/RedemptionAudit.ts"
import type { NewBatch } from "../../src/redemption/RedemptionBatch.ts"
import { Redemptions } from "../../src/redemption/Redemptions.ts"
import { resealAll } from "../../src/settings/SealedRows.ts"
import { logsTo } from "./LogLines.ts"
import { onePerson } from "./OnePerson.ts"
import { testsOf } from "./Steps.ts"
import { adjustIn, balanceIn, makeUserIn, problemsIn } from "./TestAccounts.ts"
import { TestDatabase } from "./TestDatabase.ts"

const MASTER_KEY = "0123456789abcdef0123456789abcdef"

const start = Effect.fnUntraced(function*(logged: ReadonlyArray<string>) {
  const sql = yield* SqlClient.SqlClient
  const redemptions = yield* Redemptions
  const admin = yield* RedemptionAdmin
  const box = yield* SecretBox
  const actor: Actor = { ...cliActor, address: "192.0.2.7" }
  yield* sql`INSERT INTO subscription_plans (code, name, price_fen, duration_days, limit_5h_micros, limit_1d_micros,
      limit_7d_micros, limit_30d_micros) VALUES ('basic', 'Basic', 0, 30, 6000000, 0, 20000000, 80000000)`

  /** Makes a batch, one code of 1 USD unless told otherwise; answers its texts in order. */
  const batch = Effect.fnUntraced(function*(more: Partial<NewBatch>) {
    const id = yield* admin.create(actor, {
      name: "Batch",
      note: "",
      gift: { kind: "balance", usdMicros: 1_000_000n },
      groupCode: null,
      codes: 1,
      usesMax: 1,
      expiresAt: null,
      ...more
    })
    const texts = (yield* Effect.orDie(admin.texts(actor, id))).map(({ text }) => text)
    const [first, second = first] = texts
    if (first === undefined || second === undefined) return yield* Effect.die(new Error("a batch without codes"))
    return { id, texts: [first, second, ...texts.slice(2)] as const }
  })

  const problems = problemsIn(sql, [redemptionAudit])

  return {
    sql,
    redemptions,
    admin,
    actor,
    logged,
    user: () => makeUserIn(sql, 0n),
    batch,
    redeem: (userId: UserId, text: Redacted.Redacted<string>) => redemptions.redeem({ userId, address: "" }, text),
    /** Books an amount, which may become owed. */
    post: (userId: UserId, amountMicros: bigint) => Effect.orDie(adjustIn(sql, userId, { amountMicros, mode: "owe" })),
    balance: (userId: UserId) => balanceIn(sql, userId),
    /** Seals every secret again. */
    reseal: resealAll(sql, box, actor),
    problems,
    clean: Effect.map(problems, (found) => assert.deepStrictEqual(found, []))
  }
})

const layerOf = (logged: Array<string>) =>
  Layer.effect(TestRedemptions, Effect.orDie(start(logged))).pipe(
    Layer.provide(Layer.mergeAll(Redemptions.layer, RedemptionAdmin.layer).pipe(Layer.provide(onePerson))),
    Layer.provide(SecretBox.layer),
    Layer.provide(AppConfig.layerOf(testConfig({}, { REALMS_MASTER_KEY: MASTER_KEY }))),
    Layer.provide(NodeServices.layer),
    Layer.provide(TestDatabase.layer),
    Layer.provide(Layer.mergeAll(
      logsTo(logged),
      Layer.succeed(References.MinimumLogLevel, "All")
    ))
  )

export class TestRedemptions extends Context.Service<TestRedemptions, Effect.Success<ReturnType<typeof start>>>()(
  "realms/test/support/TestRedemptions"
) {
  static readonly layer = Layer.suspend(() => layerOf([]))
}

/** Tests in this world, whose books are right in the end. */
export const inWorld = <R>(it: Vitest.MethodsNonLive<R | TestRedemptions>) =>
  testsOf<typeof TestRedemptions.Service, R | TestRedemptions>(it.effect, TestRedemptions, (world) => world.clean)
