/**
 * Every schema that was released, with rows in it, comes to the newest one: the ledger check finds nothing, and the schema is what a new
 * installation has. Until something is released the same is done with the schema of now, so that what does it is tried.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted, References } from "effect"
import { SqlClient } from "effect/sql"
import { copyFile, readFile } from "node:fs/promises"
import { join } from "node:path"
import { Database, SqlLayer } from "../../src/postgres/Database.ts"
import { MigrationsFolder, runMigrations } from "../../src/postgres/Migrations.ts"
import { paymentAudit } from "../../src/events/PaymentAudit.ts"
import { booksAudit } from "../../src/finance/BooksAudit.ts"
import { redemptionAudit } from "../../src/redemption/RedemptionAudit.ts"
import { makeRun } from "../support/PaymentRun.ts"
import { PaymentWorld } from "../support/PaymentWorld.ts"
import { checksumsNow, isOfMigration, migrationsFolder, readReleased, rowFilesOf } from "../support/ReleasedSchemas.ts"
import { catalogOf, decodeRows, encodeRows, readRows, type TableRows, writeRows } from "../support/SchemaRows.ts"
import { scratchFolder } from "../support/ScratchFolder.ts"
import { problemsIn } from "../support/TestAccounts.ts"
import { makeDatabase, makeEmptyDatabase, queryAt } from "../support/TestDatabase.ts"

const TEST_TIMEOUT_MS = 300_000

/** Migrations say what they do. */
const quiet = Effect.provideService(References.MinimumLogLevel, "Error")

const over = <A, E>(url: string, use: Effect.Effect<A, E, SqlClient.SqlClient>) =>
  Effect.provide(
    use,
    Layer.fresh(SqlLayer).pipe(Layer.provide(Database.layerOf(Redacted.make(url))), Layer.provide(NodeServices.layer))
  )

const problemsAt = (url: string) =>
  over(
    url,
    Effect.flatMap(SqlClient.SqlClient, (sql) => problemsIn(sql, [paymentAudit, redemptionAudit, booksAudit]))
  )

/** A database with these migrations alone, and rows. */
const databaseOf = Effect.fnUntraced(function*(names: ReadonlyArray<string>, rows: ReadonlyArray<TableRows>) {
  const folder = yield* scratchFolder
  yield* Effect.promise(() =>
    Promise.all(names.map((name) => copyFile(join(migrationsFolder, name), join(folder, name))))
  )
  const url = yield* makeEmptyDatabase()
  yield* Effect.provideService(over(url, runMigrations), MigrationsFolder, folder)
  yield* writeRows(url, rows)
  return url
})

/** Migrates it to the newest schema, and checks what came of it. */
const comesToNow = Effect.fnUntraced(function*(url: string) {
  yield* over(url, runMigrations)
  assert.deepStrictEqual((yield* problemsAt(url)).filter(isOfMigration), [])
  assert.deepStrictEqual(yield* catalogOf(url), yield* catalogOf(yield* makeDatabase()))
})

describe("released schemas", { timeout: TEST_TIMEOUT_MS }, () => {
  for (const [version, released] of Object.entries(readReleased())) {
    for (const file of rowFilesOf(version)) {
      it.live(
        `${version} with the rows of ${file.slice(file.lastIndexOf("/") + 1)} comes to the schema of now`,
        () =>
          Effect.gen(function*() {
            const rows = decodeRows(yield* Effect.promise(() => readFile(file, "utf8")))
            yield* comesToNow(yield* databaseOf(Object.keys(released), rows))
          }).pipe(quiet),
        TEST_TIMEOUT_MS
      )
    }
  }

  it.live(
    "the rows of an installation that took and gave back money are the same in a database that is made of them",
    () =>
      Effect.gen(function*() {
        const world = yield* PaymentWorld
        const run = yield* makeRun([world, world])
        for (let step = 0; step < STEPS; step++) {
          yield* run.command({ which: step % 24, pick: step * 7, more: step * 3, when: step % 4, server: step })
        }
        yield* run.finish
        const { url } = world.options
        const rows = decodeRows(encodeRows(yield* readRows(url)))
        const names = rows.map(({ table }) => table)
        for (
          const table of ["users", "usage_events", "ledger_entries", "payments", "payment_events", "cash_movements"]
        ) {
          assert.include(names, table)
        }
        const copy = yield* databaseOf(Object.keys(checksumsNow()), rows)
        assert.deepStrictEqual(yield* readRows(copy), rows)
        yield* comesToNow(copy)
        // A new row does not get the id of an old one.
        yield* queryAt(copy, "INSERT INTO users (email) VALUES ('new@example.com')")
      }).pipe(Effect.provide(PaymentWorld.layerOf()), quiet),
    TEST_TIMEOUT_MS
  )

  it.live("a schema that differs in any part is seen", () =>
    Effect.gen(function*() {
      const fresh = yield* makeDatabase()
      const catalog = yield* catalogOf(fresh)
      assert.isAbove(catalog.length, 500)
      for (
        const change of [
          "ALTER TABLE users ADD COLUMN more text",
          "DROP INDEX users_group",
          "ALTER TABLE ledger_entries DROP CONSTRAINT ledger_entries_after",
          "DROP TRIGGER keep_usage_events ON usage_events",
          "CREATE OR REPLACE FUNCTION realms_uuid_on_v1(p_day date) RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'",
          "ALTER TABLE usage_hours SET (fillfactor = 90)"
        ]
      ) {
        const changed = yield* makeDatabase()
        yield* queryAt(changed, change)
        assert.notDeepEqual(yield* catalogOf(changed), catalog, change)
      }
    }), TEST_TIMEOUT_MS)
})

/** Commands of the run: enough for each of them to have come once or twice. */
const STEPS = 72
