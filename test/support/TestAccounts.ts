/**
 * Accounts over a database of their own, with users that have money, for integration tests.
 */
import { NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { tmpdir } from "node:os"
import { AccountPolicy } from "../../src/accounts/AccountPolicy.ts"
import { Accounts } from "../../src/accounts/Accounts.ts"
import type { CallOutcome, Post, Reserve } from "../../src/accounts/AccountState.ts"
import { emptyOutcome } from "../../src/accounts/AccountState.ts"
import { openAccount } from "../../src/accounts/AccountStore.ts"
import { audit } from "../../src/accounts/Audit.ts"
import { makeReservationId } from "../../src/domain/Ids.ts"
import { AppConfig, testConfig } from "../../src/platform/Config.ts"
import { Notifications } from "../../src/platform/Notifications.ts"
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

let users = 0

/** A new user with a balance in micros. */
export const makeUser = Effect.fn("makeUser")(function*(usdMicros: bigint) {
  const sql = yield* SqlClient.SqlClient
  const accounts = yield* Accounts
  const [row] = yield* sql<{ id: bigint }>`
    INSERT INTO users (email) VALUES (${`user${++users}-${makeReservationId()}@example.com`}) RETURNING id`
  if (row === undefined) return yield* Effect.die(new Error("no user"))
  yield* openAccount(sql, row.id)
  if (usdMicros > 0n) yield* accounts.post(row.id, entry({ amountMicros: usdMicros }))
  return row.id
})

export const entry = (fields: Partial<Post>): Post => ({
  _tag: "Post",
  kind: "adjustment",
  amountMicros: 0n,
  refType: "test",
  refId: makeReservationId(),
  actor: "test",
  note: "",
  mode: "strict",
  ...fields
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

export const balanceOf = Effect.fn("balanceOf")(function*(userId: bigint) {
  const sql = yield* SqlClient.SqlClient
  const [row] = yield* sql<{ usd_micros: bigint; owed_micros: bigint }>`
    SELECT usd_micros, owed_micros FROM user_balances WHERE user_id = ${userId}`
  return { usd: row?.usd_micros, owed: row?.owed_micros }
})

/** The problems an audit finds. */
export const problems = Effect.map(audit({}), (report) => report.problems)

export const ignoreLoss = (): void => undefined
