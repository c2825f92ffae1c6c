/**
 * The command line as a whole: the tree of commands, how wrong use and failures are shown, and which commands stand on
 * the database. What lies above it in the house - the layer graph, the server, the demo's parts - is passed in, so that
 * help, the version and `config check` start nothing.
 */
import { Console, Effect, Layer } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import type { SqlClient } from "effect/sql"
import type { Adjustments } from "../accounts/Adjustments.ts"
import type { ModelAdmin } from "../catalog/ModelAdmin.ts"
import type { ChannelAdmin } from "../channels/ChannelAdmin.ts"
import type { AppConfig } from "../config/Config.ts"
import type { Reconciliation } from "../events/Reconciliation.ts"
import type { BillCheck } from "../finance/BillCheck.ts"
import type { Exports } from "../finance/Exports.ts"
import type { Statements } from "../finance/Statements.ts"
import type { ChannelTest } from "../gateway/ChannelTest.ts"
import type { ApiKeys } from "../identity/ApiKeys.ts"
import type { KeyList } from "../identity/KeyList.ts"
import type { SecondFactors } from "../identity/SecondFactors.ts"
import type { UserAdmin } from "../identity/UserAdmin.ts"
import type { Users } from "../identity/Users.ts"
import type { Checkout } from "../orders/Checkout.ts"
import type { Orders } from "../orders/Orders.ts"
import type { OrderSearch } from "../orders/OrderSearch.ts"
import type { SecretBox } from "../platform/SecretBox.ts"
import { Telemetry } from "../platform/Telemetry.ts"
import type { Redemptions } from "../redemption/Redemptions.ts"
import type { PlanAdmin } from "../subscriptions/PlanAdmin.ts"
import { auditCommand } from "./AuditCommand.ts"
import { backupCommand } from "./BackupCommand.ts"
import { balanceCommand } from "./BalanceCommand.ts"
import { billCommand } from "./BillCommand.ts"
import { channelCommand } from "./ChannelCommand.ts"
import { CliFailure, EXIT_FAILED, EXIT_USAGE, explain } from "./CliFailure.ts"
import { configCommand } from "./ConfigCommand.ts"
import { demoCommand } from "./DemoCommand.ts"
import { exportCommand } from "./ExportCommand.ts"
import { keyCommand } from "./KeyCommand.ts"
import { migrateCommand } from "./MigrateCommand.ts"
import { modelCommand } from "./ModelCommand.ts"
import { orderCommand } from "./OrderCommand.ts"
import { Json } from "./Output.ts"
import { planCommand } from "./PlanCommand.ts"
import { reconcileCommand } from "./ReconcileCommand.ts"
import { redeemCommand } from "./RedeemCommand.ts"
import { restoreCommand } from "./RestoreCommand.ts"
import { secretsCommand } from "./SecretsCommand.ts"
import { type Serve, serveCommand } from "./ServeCommand.ts"
import { statementCommand } from "./StatementCommand.ts"
import { userCommand } from "./UserCommand.ts"

/** What the entry gives. */
export interface CliParts<E1, R1, E2, R2, E3, R3, E4, R4, E5, R5, E6, R6> {
  /** The configuration, for commands that need no more. */
  readonly config: Layer.Layer<AppConfig, E6, R6>
  /** The services of commands that work on data; built for these commands only. */
  readonly services: Layer.Layer<
    | Users
    | SecondFactors
    | UserAdmin
    | ApiKeys
    | KeyList
    | Adjustments
    | Orders
    | OrderSearch
    | Checkout
    | ModelAdmin
    | PlanAdmin
    | Redemptions
    | Reconciliation
    | Statements
    | BillCheck
    | Exports
    | SecretBox
    | SqlClient.SqlClient,
    E1,
    R1
  >
  /** Those of commands about channels. */
  readonly channels: Layer.Layer<ChannelAdmin | ChannelTest, E5, R5>
  /** Runs the server until it is told to stop. */
  readonly serve: Serve<E2, R2>
  /** Applies pending migrations; answers their names. */
  readonly migrate: Effect.Effect<ReadonlyArray<string>, E3, R3>
  /** Runs the demo until it is interrupted: `runDemo` of its parts. */
  readonly demo: Effect.Effect<void, E4, R4>
}

/** A command that is over in a moment says what it did, and logs only what went wrong. */
const Quiet = Telemetry.layerOf({ format: "pretty", level: "Error" })

/** The `realms` command. */
export const makeCli = <E1, R1, E2, R2, E3, R3, E4, R4, E5, R5, E6, R6>(
  parts: CliParts<E1, R1, E2, R2, E3, R3, E4, R4, E5, R5, E6, R6>
) => {
  const config = parts.config.pipe(Layer.provideMerge(Quiet))
  const services = parts.services.pipe(Layer.provideMerge(Quiet))
  return Command.make("realms").pipe(
    Command.withDescription("An LLM API gateway that bills"),
    Command.withExamples([
      { command: "realms serve" },
      { command: "realms user create --email ada@example.com" },
      { command: "realms audit --json" }
    ]),
    Command.withSubcommands([
      {
        group: "The server",
        commands: [
          serveCommand(parts.serve),
          demoCommand(parts.demo),
          migrateCommand(parts.migrate).pipe(Command.provide(Quiet)),
          configCommand,
          secretsCommand(services),
          backupCommand(config),
          restoreCommand(config)
        ]
      },
      {
        group: "Users and what they may spend",
        commands: [userCommand(services), keyCommand(services), balanceCommand(services), redeemCommand(services)]
      },
      {
        group: "What is sold",
        commands: [
          modelCommand(services),
          planCommand(services),
          channelCommand(parts.channels.pipe(Layer.provideMerge(Quiet)))
        ]
      },
      {
        group: "Money in, and the books",
        commands: [
          orderCommand(services),
          reconcileCommand(services),
          statementCommand(services),
          billCommand(services),
          exportCommand(services),
          auditCommand(services)
        ]
      }
    ]),
    Command.withGlobalFlags([Json])
  )
}

const usage = (commandPath: ReadonlyArray<string>, problems: ReadonlyArray<string>): string =>
  `realms: ${problems.map((problem) => problem.replace(/\.$/, "")).join("; ")}. See \`${
    commandPath.join(" ")
  } --help\`.`

/** Help that was asked for is a result; all else about wrong use belongs on standard error, in one line where it can. */
const presenter: CliOutput.Presenter = {
  present: Effect.fnUntraced(function*(event) {
    const formatter = yield* CliOutput.Formatter
    switch (event._tag) {
      case "Version":
        return yield* Console.log(formatter.formatVersion(event.name, event.version))
      case "Help": {
        const help = formatter.formatHelpDoc(event.helpDoc)
        return yield* event.reason === "Requested" ? Console.log(help) : Console.error(help)
      }
      case "InvalidInvocation":
        return yield* Console.error(usage(event.commandPath, event.errors.map((error) => error.message)))
    }
  })
}

const Surroundings = Layer.mergeAll(
  CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version] }),
  CliOutput.layerPresenter(presenter)
)

/** Wrong use has been shown when it comes here; every other failure is still to be said. */
const isShown = (error: unknown): boolean => CliError.isCliError(error) && error._tag === "ShowHelp"

/** Prints a failure as one readable text on standard error. */
export const reportFailure = (error: unknown): Effect.Effect<void> =>
  isShown(error) ? Effect.void : Console.error(`realms: ${explain(error)}`)

const exitCodeOf = (error: unknown): number => {
  if (error instanceof CliFailure) return error.exitCode
  return CliError.isCliError(error) ? EXIT_USAGE : EXIT_FAILED
}

const end = (error: unknown): Effect.Effect<never, CliFailure> =>
  Effect.andThen(
    reportFailure(error),
    Effect.fail(new CliFailure({ message: explain(error), exitCode: exitCodeOf(error) }))
  )

/**
 * Runs a command line. Whatever goes wrong has been printed when this fails, and the failure carries the exit code: 2 for
 * wrong use, else 1.
 */
export const runCli = <const Name extends string, Input, Context, E, R>(
  cli: Command.Command<Name, Input, Context, E, R>,
  options: { readonly version: string; readonly args: ReadonlyArray<string> }
) =>
  Command.runWith(cli, { version: options.version })(options.args).pipe(
    Effect.catch(end),
    Effect.catchDefect((defect) => Effect.andThen(Effect.logDebug("unexpected", defect), end(defect))),
    Effect.provide(Surroundings)
  )
