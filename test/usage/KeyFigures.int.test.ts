/**
 * Polls of one key share a read: what happens to one of them is not what happens to the others.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { randomBytes } from "node:crypto"
import { AccountOverview } from "../../src/accounts/AccountOverview.ts"
import { testConfig } from "../../src/config/Config.ts"
import { ApiKeyId } from "../../src/domain/Ids.ts"
import { KeyFigures } from "../../src/usage/KeyFigures.ts"
import { memorySettings } from "../support/MemoryServices.ts"
import { makeUser } from "../support/TestAccounts.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const TestLayer = KeyFigures.layer.pipe(
  Layer.provide([Layer.mock(AccountOverview, {}), memorySettings(testConfig({}))]),
  Layer.provideMerge(TestDatabase.layer)
)

it.live("answers the other polls of a key when the client of the first one goes away", () =>
  Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const userId = yield* makeUser(1_000n)
    const [row] = yield* sql<{ id: bigint }>`INSERT INTO api_keys (user_id, name, key_hash, hint)
      VALUES (${userId}, 'k', ${randomBytes(32)}, 'h') RETURNING id`
    const key = { keyId: ApiKeyId.make(row?.id ?? 0n), userId }
    const figures = yield* KeyFigures
    const first = yield* Effect.forkChild(figures.read(key), { startImmediately: true })
    const second = yield* Effect.forkChild(figures.read(key), { startImmediately: true })
    yield* Fiber.interrupt(first)
    assert.strictEqual((yield* Fiber.join(second)).usdMicros, 1_000n)
    assert.strictEqual((yield* figures.read(key)).usdMicros, 1_000n)
  }).pipe(Effect.scoped, Effect.provide(TestLayer)))
