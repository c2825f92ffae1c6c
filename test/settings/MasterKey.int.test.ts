/**
 * The master key of stored secrets, as servers of one database and folder see it: another one, one that is lost, one that is turned.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer, type PlatformError, Redacted, References, Result } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import { cliActor } from "../../src/platform/AuditLog.ts"
import { masterKeyPath, SecretBox } from "../../src/platform/SecretBox.ts"
import { resealAll } from "../../src/settings/SealedRows.ts"
import { Settings } from "../../src/settings/Settings.ts"
import { type SettingChanges, SettingsAdmin } from "../../src/settings/SettingsAdmin.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import { settingsServer } from "../support/SettingsServer.ts"
import { makeDatabase } from "../support/TestDatabase.ts"

const SECRET = `canary-${randomUUID()}`

type Server = Context.Context<Settings | SettingsAdmin | SqlClient.SqlClient | SecretBox>

const secretKeys = ["payment.epay.key", "payment.stripe.webhook_secret"] as const

const textOfKeys = (read: Result.Result<string, PlatformError.PlatformError>): string =>
  Result.match(read, { onSuccess: (text) => text.trim(), onFailure: () => "" })

class World extends Context.Service<World, {
  readonly url: string
  readonly dataDir: string
  readonly a: Server
  readonly b: Server
}>()("realms/test/settings/MasterKey.int.test/World") {
  static readonly layer = Layer.effect(
    World,
    Effect.gen(function*() {
      const at = { url: yield* makeDatabase(), dataDir: yield* scratchFolder }
      return { ...at, a: yield* settingsServer(at), b: yield* settingsServer(at) }
    }).pipe(Effect.orDie)
  )
}

const quiet = Layer.succeed(References.MinimumLogLevel, "None")

const save = (server: Server, changes: SettingChanges) => Context.get(server, SettingsAdmin).save(cliActor, changes)

describe("stored secrets", () => {
  layer(World.layer.pipe(Layer.provideMerge(quiet)), { excludeTestServices: true })((it) => {
    it.effect("do not start with another master key, and lose nothing", () =>
      Effect.gen(function*() {
        const { a, dataDir, url } = yield* World
        yield* save(a, new Map([["payment.epay.key", `${SECRET}-kept`]]))
        const elsewhere = yield* Effect.flip(
          Effect.scoped(Effect.flatMap(scratchFolder, (folder) => settingsServer({ url, dataDir: folder })))
        )
        assert.strictEqual(elsewhere._tag, "MasterKeyWrong")
        assert.include(elsewhere.message, "REALMS_MASTER_KEY")
        assert.notInclude(elsewhere.message, SECRET)
        const short = yield* Effect.flip(
          Effect.scoped(settingsServer({ url, dataDir, env: { REALMS_MASTER_KEY: "short" } }))
        )
        assert.strictEqual(short._tag, "MasterKeyInvalid")
        assert.strictEqual(Redacted.value((yield* Context.get(a, Settings).fresh).payment.epay.key), `${SECRET}-kept`)
      }))

    it.effect("do not start with a key file that is gone or empty, say which, and start once it is back", () =>
      Effect.gen(function*() {
        const { a, dataDir, url } = yield* World
        const fs = yield* FileSystem.FileSystem
        const path = masterKeyPath(dataDir)
        yield* save(a, new Map([["payment.epay.key", `${SECRET}-kept`]]))
        const kept = yield* fs.readFile(path)
        const states: ReadonlyArray<readonly [state: string, make: Effect.Effect<void, PlatformError.PlatformError>]> =
          [
            [`the key file ${path} is empty`, fs.writeFile(path, new Uint8Array())],
            [`the key file ${path} is empty`, fs.writeFileString(path, " \n\n")],
            [`there is no key file ${path}`, fs.remove(path)]
          ]
        for (const [state, make] of states) {
          yield* make
          const refused = yield* Effect.flip(Effect.scoped(settingsServer({ url, dataDir })))
          assert.strictEqual(refused._tag, "MasterKeyWrong")
          assert.include(refused.message, state)
          assert.notInclude(refused.message, "\n")
          // A running server makes no key beside what the lost one has sealed.
          const unsaved = yield* Effect.flip(save(a, new Map([["payment.epay.key", "another"]])))
          assert.include(String(unsaved), "put the file back")
          assert.strictEqual(yield* Effect.map(Effect.result(fs.readFileString(path)), textOfKeys), "")
        }
        yield* fs.writeFile(path, kept)
        yield* Effect.scoped(settingsServer({ url, dataDir }))
        assert.strictEqual(Redacted.value((yield* Context.get(a, Settings).fresh).payment.epay.key), `${SECRET}-kept`)
      }).pipe(Effect.provide(NodeServices.layer)))

    it.effect("are sealed by a new key where the file was left empty and nothing is sealed, also by two at once", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const url = yield* makeDatabase()
        const dataDir = yield* scratchFolder
        const path = masterKeyPath(dataDir)
        yield* fs.writeFile(path, new Uint8Array(), { mode: 0o600 })
        const servers = [yield* settingsServer({ url, dataDir }), yield* settingsServer({ url, dataDir })] as const
        yield* Effect.forEach(servers, (one, at) => save(one, new Map([[secretKeys[at] ?? secretKeys[0], SECRET]])), {
          concurrency: "unbounded"
        })
        assert.match(yield* fs.readFileString(path), /^\n[0-9a-f]{64}\n(?:\n[0-9a-f]{64}\n)?$/)
        assert.strictEqual((yield* fs.stat(path)).mode & 0o777, 0o600)
        yield* Effect.scoped(settingsServer({ url, dataDir }))
        assert.strictEqual(Redacted.value((yield* Context.get(servers[0], Settings).fresh).payment.epay.key), SECRET)
      }).pipe(Effect.provide(NodeServices.layer)))

    it.effect("are sealed again by a rotation that running servers follow", () =>
      Effect.gen(function*() {
        const { a, b } = yield* World
        const sql = Context.get(a, SqlClient.SqlClient)
        const box = Context.get(a, SecretBox)
        yield* save(a, new Map([["payment.epay.key", `${SECRET}-turned`]]))
        const keyId = sql<{ key_id: string }>`SELECT key_id FROM app_settings WHERE key = 'payment.epay.key'`
        const [before] = yield* keyId
        assert.isTrue(yield* box.renew)
        assert.strictEqual(yield* resealAll(sql, box, cliActor), 1)
        const [after] = yield* keyId
        assert.notStrictEqual(after?.key_id, before?.key_id)
        assert.strictEqual(after?.key_id, (yield* box.keyIds)[0])
        assert.strictEqual(Redacted.value((yield* Context.get(b, Settings).fresh).payment.epay.key), `${SECRET}-turned`)
      }))
  })
})
