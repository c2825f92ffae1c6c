/**
 * The entry: gives the command line the application and runs it. No logic beyond that.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { CliServices, demo, migrate, serve } from "./App.ts"
import { makeCli, runCli } from "./cli/Cli.ts"
import { AppConfig } from "./platform/Config.ts"
import { version } from "./platform/Version.ts"

const cli = makeCli({ services: CliServices.pipe(Layer.provide(AppConfig.layer)), serve, migrate, demo })

NodeRuntime.runMain(
  runCli(cli, { version, args: process.argv.slice(2) }).pipe(Effect.provide(NodeServices.layer)),
  { disableErrorReporting: true }
)
