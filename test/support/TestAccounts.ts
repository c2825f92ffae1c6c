/**
 * Accounts over a database of their own, with users that have money, for integration tests.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, type Vitest } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { tmpdir } from "node:os"
import { AccountPolicy } from "../../src/accounts/AccountPolicy.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { CallOutcome, Reserve } from "../../src/accounts/AccountState.ts"
import { emptyOutcome } from "../../src/accounts/AccountState.ts"
import { openAccount } from "../../src/accounts/AccountStore.ts"
import { audit, type AuditCheck } from "../../src/accounts/Audit.ts"
import { type LedgerEntry, postInTransaction } from "../../src/accounts/Ledger.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { makeReservationId, type UserId } from "../../src/domain/Ids.ts"
import { cliActor, recordChange } from "../../src/platform/AuditLog.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
import { testsOf } from "./Steps.ts"
import { TestDatabase } from "./TestDatabase.ts"

const policyOf = (expired: "refund" | "charge") => Layer.succeed(AccountPolicy, { expiredReservation: () => expired })

export const PolicyLayer = policyOf("refund")

/** Collects what expired holds held. */
export const ChargingPolicyLayer = policyOf("charge")

const ConfigLayer = AppConfig.layerOf({ ...testConfig(), dataDir: tmpdir() })

/** Two of these over one database are two processes. */
export const AccountsOver = Accounts.layer.pipe(
  Layer.provide(Notifications.layer),
  Layer.provide(PolicyLayer),
  Layer.provide(ConfigLayer),
  Layer.provide(NodeServices.layer)
)

export const TestAccounts = AccountsOver.pipe(Layer.provideMerge(TestDatabase.layer))

/** A new user with a balance in micros. */
export const makeUserIn = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, usdMicros: bigint) {
  const [row] = yield* sql<{ id: UserId }>`
    INSERT INTO users (email) VALUES (${`${makeReservationId()}@example.com`}) RETURNING id`
  if (row === undefined) return yield* Effect.die(new Error("no user"))
  yield* openAccount(sql, row.id)
  if (usdMicros > 0n) yield* adjustIn(sql, row.id, { amountMicros: usdMicros })
  return row.id
}, Effect.orDie)

export const makeUser = (usdMicros: bigint) => Effect.flatMap(SqlClient.SqlClient, (sql) => makeUserIn(sql, usdMicros))

/** Posts an adjustment with its record, as administrators do; the accounts of every process hear of it. */
export const adjustIn = (sql: SqlClient.SqlClient, userId: UserId, fields: Partial<LedgerEntry>) =>
  sql.withTransaction(Effect.gen(function*() {
    const entry: LedgerEntry = {
      kind: "adjustment",
      amountMicros: 0n,
      refType: "adjustment",
      refId: makeReservationId(),
      actor: cliActor.name,
      note: "",
      mode: "strict",
      ...fields
    }
    const posted = yield* postInTransaction(sql, userId, entry)
    if (posted.outcome === "posted") {
      yield* recordChange(sql, cliActor, {
        action: "balance.adjusted",
        target: `user:${userId}`,
        before: null,
        after: { key: entry.refId }
      })
    }
    return posted
  }))

/** Changes a balance with entry and record, and tells no process of it. */
export const adjustUnheard = Effect.fn("adjustUnheard")(function*(userId: UserId, amountMicros: bigint) {
  const sql = yield* SqlClient.SqlClient
  const key = makeReservationId()
  yield* sql.withTransaction(Effect.gen(function*() {
    yield* sql`SELECT realms_append_entry_v1(${userId}, 'adjustment', ${amountMicros}, 0, 'adjustment', ${key}, 'test', '',
      NULL, NULL)`
    yield* sql`UPDATE user_balances SET usd_micros = usd_micros + ${amountMicros} WHERE user_id = ${userId}`
    yield* recordChange(sql, cliActor, {
      action: "balance.adjusted",
      target: `user:${userId}`,
      before: null,
      after: { key }
    })
  }))
})

/** Posts an adjustment, and these accounts read the user before they next decide. */
export const adjust = Effect.fn("adjust")(function*(userId: UserId, fields: Partial<LedgerEntry>) {
  const posted = yield* adjustIn(yield* SqlClient.SqlClient, userId, fields)
  const accounts = yield* Accounts
  accounts.invalidate(userId)
  return posted
})

/** A reserve of exactly `micros` (a base without tokens). */
export const reserveOf = (micros: bigint, fields: Partial<Reserve> = {}): Reserve => ({
  _tag: "Reserve",
  id: makeReservationId(),
  keyId: null,
  endpoint: "chat.completions",
  model: "m",
  stream: false,
  price: {
    inputMicrosPer1m: 1_000_000n,
    cachedInputMicrosPer1m: 0n,
    cacheWriteMicrosPer1m: null,
    outputMicrosPer1m: 1_000_000n
  },
  billingMultiplier: 1_000_000n,
  billingEnabled: true,
  payAsYouGo: true,
  baseNumerator: micros * 1_000_000n,
  tokenNumerator: 0n,
  tokensMin: 1,
  tokensMax: 1,
  leaseSeconds: 60,
  atMs: 1_000,
  ...fields
})

/** What a call cost: at the prices of `reserveOf`, one micro a token. */
export const used = (outputTokens: number): CallOutcome => ({
  ...emptyOutcome,
  usage: { ...emptyOutcome.usage, outputTokens },
  usageSource: "upstream",
  status: 200
})

export const balanceIn = Effect.fnUntraced(function*(sql: SqlClient.SqlClient, userId: UserId) {
  const [row] = yield* sql<{ usd_micros: bigint; owed_micros: bigint }>`
    SELECT usd_micros, owed_micros FROM user_balances WHERE user_id = ${userId}`
  return { usd: row?.usd_micros, owed: row?.owed_micros }
}, Effect.orDie)

export const balanceOf = (userId: UserId) => Effect.flatMap(SqlClient.SqlClient, (sql) => balanceIn(sql, userId))

/** The problems an audit finds. */
export const problems = Effect.map(audit({}), (report) => report.problems)

/** Tests of accounts that an audit finds nothing wrong with in the end. */
export const audited = <R>(it: Vitest.MethodsNonLive<R | SqlClient.SqlClient>) =>
  testsOf<void, R | SqlClient.SqlClient>(
    it.effect,
    Effect.void,
    () => Effect.map(problems, (found) => assert.deepStrictEqual(found, []))
  )

/** The problems an audit with the checks of other parts finds, a line each. */
export const problemsIn = (sql: SqlClient.SqlClient, checks: ReadonlyArray<AuditCheck>) =>
  Effect.map(
    Effect.provideService(audit({ checks }), SqlClient.SqlClient, sql),
    (report) => report.problems.map((problem) => `${problem.invariant} ${problem.message}`)
  ).pipe(Effect.orDie)

export const ignoreLoss = (): void => undefined
