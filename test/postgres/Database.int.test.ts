import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { join } from "node:path"
import { inject } from "vitest"
import { AppConfig, testConfig } from "../../src/config/Config.ts"
import { Database, SqlLayer } from "../../src/postgres/Database.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import { makeDatabase, TestDatabase } from "../support/TestDatabase.ts"

layer(TestDatabase.layer)("Database", (it) => {
  it.effect("the pool's sessions are bounded in time and keep column names", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const rows = yield* sql`SELECT current_setting('statement_timeout') AS statement_timeout,
        current_setting('lock_timeout') AS lock_timeout,
        current_setting('idle_in_transaction_session_timeout') AS idle_timeout,
        current_setting('application_name') AS application_name`
      assert.deepStrictEqual(rows, [{
        statement_timeout: "30s",
        lock_timeout: "5s",
        idle_timeout: "10s",
        application_name: "realms"
      }])
    }))

  it.effect("a connection of one's own has the name and settings it asks for, and ends with its scope", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      const database = yield* Database
      const sessions = sql<
        { n: number }
      >`SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'mine'`
      yield* Effect.scoped(Effect.gen(function*() {
        const connection = yield* database.connect({
          applicationName: "mine",
          startupParameters: { statement_timeout: "1234" }
        })
        const { rows } = yield* connection.query("SHOW statement_timeout")
        assert.deepStrictEqual(rows, [{ statement_timeout: "1234ms" }])
        assert.deepStrictEqual(yield* sessions, [{ n: 1 }])
      }))
      yield* Effect.repeat(sessions, { until: (rows) => rows[0]?.n === 0 })
    }))

  it.effect("two test databases share nothing", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient
      yield* sql`CREATE TABLE only_here (n integer)`
      const other = Database.layerOf(Redacted.make(yield* makeDatabase()))
      const found = yield* Effect.flatMap(SqlClient.SqlClient, (sql) => sql`SELECT to_regclass('only_here') AS found`)
        .pipe(Effect.provide(Layer.fresh(SqlLayer).pipe(Layer.provide(other))))
      assert.deepStrictEqual(found, [{ found: null }])
    }))
})

describe("Database.layer", () => {
  const embedded = Effect.map(Database, (database) => database.embedded).pipe(
    Effect.provide(Database.layer)
  )

  it.live("is the configured server when there is one, else the embedded one", () =>
    Effect.gen(function*() {
      const external = testConfig({}, { DATABASE_URL: inject("testServerUrl") })
      assert.isFalse(yield* Effect.provide(embedded, AppConfig.layerOf(external)))
      const own = testConfig({ data_dir: join(yield* scratchFolder, "data") })
      assert.isTrue(yield* Effect.provide(embedded, AppConfig.layerOf(own)))
    }))
})
