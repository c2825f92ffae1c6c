/**
 * The command line: `realms <command>`. What the commands stand on is given by the entry, which knows the whole application.
 */
import { Console, Effect, type Layer } from "effect"
import { Command } from "effect/cli"
import type { SqlClient } from "effect/sql"
import type { Accounts } from "../accounts/Accounts.ts"
import type { ApiKeys } from "../identity/ApiKeys.ts"
import type { Users } from "../identity/Users.ts"
import { load } from "../platform/Config.ts"
import { AuditCommand } from "./AuditCommand.ts"
import { BalanceCommand } from "./BalanceCommand.ts"
import { KeyCommand } from "./KeyCommand.ts"
import { CommandFailed } from "./CommandFailed.ts"
import { jsonFlag, print } from "./Output.ts"
import { UserCommand } from "./UserCommand.ts"

/** What the entry gives. */
export interface CliParts<E, E2, E3, E4> {
  /** The services of commands that work on data. */
  readonly services: Layer.Layer<Users | ApiKeys | Accounts | SqlClient.SqlClient, E>
  /** Runs the server until it is told to stop. */
  readonly serve: Effect.Effect<void, E2>
  /** Applies pending migrations; answers their names. */
  readonly migrate: Effect.Effect<ReadonlyArray<string>, E3>
  /** Runs the demo on a port until it is told to stop. */
  readonly demo: Effect.Effect<void, E4>
}

const checkConfig = Command.make(
  "check",
  { json: jsonFlag },
  Effect.fn(function*({ json }) {
    const config = yield* load({ cwd: process.cwd(), env: process.env })
    const counts = { channels: config.channels.length, models: config.models.length, plans: config.plans.length }
    yield* print(
      json,
      { valid: true, data_dir: config.dataDir, ...counts },
      `the configuration is valid: ${counts.channels} channels, ${counts.models} models, ${counts.plans} plans`
    )
  })
).pipe(Command.withDescription("Check config.yaml without starting anything"))

/** The `realms` command. */
export const makeCli = <E, E2, E3, E4>(parts: CliParts<E, E2, E3, E4>) => {
  const serve = Command.make("serve", {}, () => parts.serve).pipe(Command.withDescription("Run the gateway"))
  const demo = Command.make("demo", {}, () => parts.demo).pipe(
    Command.withDescription("Try everything offline, with a simulated upstream and a funded key")
  )
  const migrate = Command.make(
    "migrate",
    { json: jsonFlag },
    ({ json }) =>
      Effect.flatMap(parts.migrate, (applied) =>
        print(
          json,
          { applied },
          applied.length === 0 ? "the database is up to date" : applied.map((name) => `applied ${name}`).join("\n")
        ))
  ).pipe(
    Command.withDescription("Apply pending migrations")
  )
  const config = Command.make("config").pipe(
    Command.withDescription("The configuration"),
    Command.withSubcommands([checkConfig])
  )
  return Command.make("realms").pipe(
    Command.withDescription("An LLM API gateway that bills"),
    Command.withSubcommands([
      serve,
      migrate,
      UserCommand.pipe(Command.provide(parts.services)),
      KeyCommand.pipe(Command.provide(parts.services)),
      BalanceCommand.pipe(Command.provide(parts.services)),
      AuditCommand.pipe(Command.provide(parts.services)),
      config,
      demo
    ])
  )
}

/** Prints a failure as one readable text. */
export const reportFailure = (error: unknown): Effect.Effect<void> => Console.error(`realms: ${messageOf(error)}`)

const messageOf = (error: unknown): string =>
  error instanceof CommandFailed || error instanceof Error ? error.message : String(error)
