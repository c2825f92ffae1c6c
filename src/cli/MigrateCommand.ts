/**
 * `realms migrate`: brings the database to the schema of this version and says what it applied. Every other command that
 * needs the database does the same when it starts; this one is for those who want it to be a step of its own.
 */
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { Database, SqlLayer } from "../platform/Database.ts"
import { runMigrations } from "../platform/Migrations.ts"
import { print } from "./Output.ts"

/** What was done, for people. */
export const describeApplied = (applied: ReadonlyArray<string>): string =>
  applied.length === 0
    ? "nothing to apply: the database is up to date"
    : applied.map((name) => `applied ${name}`).join("\n")

const migrate = Effect.gen(function*() {
  const { applied } = yield* runMigrations
  yield* print({ applied }, describeApplied(applied))
})

/** `config` gives the configuration and the logs of a command. */
export const migrateCommand = <A, E, R>(config: Layer.Layer<A, E, R>) =>
  Command.make("migrate", {}, () => migrate).pipe(
    Command.provide(SqlLayer.pipe(Layer.provide(Database.layer), Layer.provideMerge(config))),
    Command.withDescription("Bring the database to the schema of this version")
  )
