/**
 * A fresh, migrated database for a test file, on the PostgreSQL of the test run; dropped at the end, even while somebody is still
 * connected. Tests that start processes take its URL, tests of services its layer.
 */
import { PgConnection } from "@effect/sql-pg"
import { Effect, Layer, Redacted } from "effect"
import { randomUUID } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { inject } from "vitest"
import { Database, SqlLayer } from "../../src/postgres/Database.ts"
import { encodeRows, readRows } from "./SchemaRows.ts"
import { TEMPLATE_DATABASE, withDatabase } from "./TemplateDatabase.ts"

/** Runs one statement on a connection of its own. */
export const queryAt = Effect.fnUntraced(function*(url: string, statement: string) {
  const connection = yield* PgConnection.make({ url: Redacted.make(url) })
  return (yield* connection.query(statement, [], false)).rows
}, Effect.scoped)

/** Runs one statement on the test server, outside any test database. */
export const onTestServer = (statement: string) => queryAt(inject("testServerUrl"), statement)

/** Where the rows of every database are written at its end, for a release (`test/support/release.ts`). */
const keptIn = process.env["REALMS_KEEP_ROWS"]

const keepRows = (name: string) =>
  keptIn === undefined ? Effect.void : Effect.gen(function*() {
    const rows = yield* readRows(withDatabase(inject("testServerUrl"), name))
    yield* Effect.promise(() => writeFile(join(keptIn, `${name}.jsonl`), encodeRows(rows)))
  }).pipe(Effect.catchCause(() => Effect.void))

const database = (template: string) =>
  Effect.gen(function*() {
    const name = `test_${randomUUID().replaceAll("-", "")}`
    yield* Effect.acquireRelease(
      // Files are copied in half the time that writing each page to the log takes, of which nobody makes use here.
      onTestServer(`CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY FILE_COPY`),
      () => Effect.andThen(keepRows(name), Effect.orDie(onTestServer(`DROP DATABASE ${name} WITH (FORCE)`)))
    )
    return withDatabase(inject("testServerUrl"), name)
  })

/** The URL of a fresh, migrated database that lives as long as the scope. */
export const makeDatabase = () => database(TEMPLATE_DATABASE)

/** The same without any table. */
export const makeEmptyDatabase = () => database("template1")

const layerFrom = (make: typeof makeDatabase) => {
  const fresh = Layer.unwrap(Effect.map(make(), (url) => Database.layerOf(Redacted.make(url))))
  // Layers are built once however often they are provided; this pool must not be another database's.
  return Layer.fresh(SqlLayer).pipe(Layer.provideMerge(fresh))
}

export const TestDatabase = {
  /** `Database`, `PgClient` and `SqlClient` on a fresh, migrated database. */
  layer: layerFrom(makeDatabase),
  /** The same on a database without any table. */
  layerEmpty: layerFrom(makeEmptyDatabase)
}
