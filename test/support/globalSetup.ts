/**
 * Starts the PostgreSQL of a test run in a folder of its own, migrates the template database, and stops and removes all of
 * it when the run ends. One server for every kind of tests; nothing in it has to outlive a power loss.
 */
import { PgConnection } from "@effect/sql-pg"
import { Effect, Exit, Layer, Redacted, References, Scope } from "effect"
import { join } from "node:path"
import type { TestProject } from "vitest/node"
import { Database, SqlLayer } from "../../src/postgres/Database.ts"
import { EmbeddedPostgres } from "../../src/postgres/EmbeddedPostgres.ts"
import { runMigrations } from "../../src/postgres/Migrations.ts"
import { OutlivesPowerLoss } from "../../src/postgres/PostgresServer.ts"
import { scratchFolder } from "./ScratchFolder.ts"
import { TEMPLATE_DATABASE, withDatabase } from "./TemplateDatabase.ts"

/** Connections to the server of a run, at most: each world of a test has a pool and more. */
const CONNECTIONS_MAX = 400

const createTemplate = (url: string) =>
  Effect.scoped(Effect.gen(function*() {
    const connection = yield* PgConnection.make({ url: Redacted.make(url) })
    const { password, username } = new URL(url)
    // The thousands of connections of a run are made to this machine alone: their password is hashed once, not 4,096 times.
    yield* connection.query("SET scram_iterations = 1", [], false)
    yield* connection.query(`ALTER ROLE "${username}" PASSWORD '${decodeURIComponent(password)}'`, [], false)
    yield* connection.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`, [], false)
  }))

const start = Effect.gen(function*() {
  const server = yield* EmbeddedPostgres.acquire(join(yield* scratchFolder, "data"), CONNECTIONS_MAX)
  const url = Redacted.value(server.url)
  yield* createTemplate(url)
  const template = Database.layerOf(Redacted.make(withDatabase(url, TEMPLATE_DATABASE)))
  yield* runMigrations.pipe(
    Effect.provide(SqlLayer.pipe(Layer.provide(template))),
    Effect.provideService(References.MinimumLogLevel, "Warn")
  )
  return url
}).pipe(Effect.provideService(OutlivesPowerLoss, false))

export const setup = async (project: TestProject) => {
  const run = project.vitest.getRootProject()
  if ("testServerUrl" in run.getProvidedContext()) return undefined
  const scope = Effect.runSync(Scope.make())
  const stop = () => Effect.runPromise(Scope.close(scope, Exit.void))
  const started = await Effect.runPromiseExit(Scope.provide(start, scope))
  if (Exit.isSuccess(started)) run.provide("testServerUrl", started.value)
  else {
    await stop()
    throw new Error(`The test database did not start: ${String(started.cause)}`)
  }
  return stop
}
