/**
 * `realms migrate`: brings the database to the schema of this version and says what it applied. Every other command that
 * needs the database does the same when it starts; this one is for those who want it to be a step of its own.
 */
import { Effect } from "effect"
import { Command } from "effect/cli"
import { print } from "./Output.ts"

/** What was done, for people. */
export const describeApplied = (applied: ReadonlyArray<string>): string =>
  applied.length === 0
    ? "nothing to apply: the database is up to date"
    : applied.map((name) => `applied ${name}`).join("\n")

/** `migrate` applies what is pending and answers its names. */
export const migrateCommand = <E, R>(migrate: Effect.Effect<ReadonlyArray<string>, E, R>) =>
  Command.make("migrate", {}, () => Effect.flatMap(migrate, (applied) => print({ applied }, describeApplied(applied))))
    .pipe(
      Command.withDescription("Migrate the database to the schema of this version")
    )
