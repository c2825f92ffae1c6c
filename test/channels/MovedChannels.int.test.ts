/**
 * Stored keys of a channel are sent to another server only for somebody who has proved who they are.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { writeConfigModels } from "../../src/catalog/ConfigModels.ts"
import { ChannelAdmin } from "../../src/channels/ChannelAdmin.ts"
import type { ChannelInput } from "../../src/channels/ChannelInput.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { defaultChannelTerms } from "../../src/domain/ChannelTerms.ts"
import { UserId } from "../../src/domain/Ids.ts"
import type { Actor } from "../../src/platform/AuditLog.ts"
import { SecretBox } from "../../src/platform/SecretBox.ts"
import { TestDatabase } from "../support/TestDatabase.ts"

const config = testConfig({
  models: [{ id: "mini", input_usd_per_1m: "1", output_usd_per_1m: "1" }]
}, { REALMS_MASTER_KEY: "a master key of thirty-two letters" })

const TestLayer = ChannelAdmin.layer.pipe(
  Layer.provideMerge(Layer.effectDiscard(writeConfigModels)),
  Layer.provideMerge(SecretBox.layer),
  Layer.provideMerge(Layer.mergeAll(AppConfig.layerOf(config), NodeServices.layer)),
  Layer.provideMerge(TestDatabase.layer)
)

const actor: Actor = { name: "user:1", userId: UserId.make(1n), address: "127.0.0.1" }

const input = (name: string, more: Partial<ChannelInput> = {}): ChannelInput => ({
  ...defaultChannelTerms,
  name,
  baseUrl: "https://upstream.example/v1",
  apiKeys: [Redacted.make("sk-canary-4711")],
  priority: 0,
  weight: 1,
  models: { mini: "upstream-mini" },
  ...more
})

const unchanged = { apiKeys: [] }

describe("a channel whose address changes", () => {
  layer(TestLayer, { excludeTestServices: true })((it) => {
    it.effect("sends keys that stay to another server only for somebody who has proved who they are", () =>
      Effect.gen(function*() {
        const admin = yield* ChannelAdmin
        const id = yield* admin.create(actor, input("moved"))
        const edit = (baseUrl: string, more: Partial<ChannelInput> = unchanged, mayMoveKeys?: boolean) =>
          Effect.gen(function*() {
            const { revision } = yield* admin.get(id)
            const change = { id, revision, input: input("moved", { baseUrl, ...more }) }
            return yield* admin.edit(actor, mayMoveKeys === undefined ? change : { ...change, mayMoveKeys })
          })
        for (
          const elsewhere of [
            "https://evil.example/v1",
            "http://upstream.example/v1",
            "https://upstream.example:8443/v1",
            "https://upstream.example.evil.example/v1",
            // On a server that many share the path says whose it is.
            "https://upstream.example/somebody-else/v1"
          ]
        ) {
          for (const may of [undefined, false]) {
            assert.strictEqual((yield* Effect.flip(edit(elsewhere, unchanged, may)))._tag, "ChannelKeysStay", elsewhere)
          }
        }
        assert.strictEqual((yield* admin.get(id)).baseUrl, "https://upstream.example/v1")
        const sql = yield* SqlClient.SqlClient
        assert.lengthOf(yield* sql`SELECT FROM audit_log WHERE target = ${`channel:${id}`}`, 1)
        // The same address, and keys that do not stay.
        yield* edit("https://UPSTREAM.example:443/v1")
        yield* edit("https://other.example/v1", { apiKeys: [Redacted.make("sk-other")] })
        yield* edit("https://third.example/v1", unchanged, true)
        assert.strictEqual((yield* admin.get(id)).baseUrl, "https://third.example/v1")
      }))
  })
})
