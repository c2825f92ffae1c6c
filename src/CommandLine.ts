/**
 * Runs the command line. A server that stops on a signal exits with 0; any other command that is interrupted exits with an error.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Effect, Exit, Layer, type Option, Runtime } from "effect"
import { makeCli, runCli } from "./cli/Cli.ts"
import { CliServices, migrate } from "./CommandApp.ts"
import { AppConfig } from "./config/Config.ts"
import { version } from "./platform/Version.ts"

/** The server's floors are loaded by the commands that run one. */
const app = Effect.promise(() => import("./App.ts"))

const serve = (runners: Option.Option<number>) => Effect.flatMap(app, (loaded) => loaded.serve(runners))

const demo = Effect.flatMap(app, (loaded) => loaded.demo)

const services = CliServices.pipe(Layer.provideMerge(AppConfig.layer))

const channels = Layer.unwrap(Effect.map(app, (loaded) => loaded.ChannelServices)).pipe(Layer.provide(services))

const cli = makeCli({ config: AppConfig.layer, services, channels, serve, migrate, demo })

const args = process.argv.slice(2)

const runsUntilStopped = args.includes("serve") || args.includes("demo")

const teardown: Runtime.Teardown = (exit, onExit) =>
  runsUntilStopped && Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
    ? onExit(0)
    : Runtime.defaultTeardown(exit, onExit)

NodeRuntime.runMain(runCli(cli, { version, args }).pipe(Effect.provide(NodeServices.layer)), {
  disableErrorReporting: true,
  teardown
})
