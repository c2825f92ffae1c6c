/**
 * The entry: gives the command line the application and runs it.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { CliServices, migrate, serve } from "./App.ts"
import { makeCli, reportFailure } from "./cli/Cli.ts"
import { AppConfig } from "./platform/Config.ts"
import { Telemetry } from "./platform/Telemetry.ts"
import { version } from "./platform/Version.ts"

const cli = makeCli({
  services: CliServices.pipe(
    Layer.provide(Telemetry.layerOf({ format: "pretty", level: "Warn" })),
    Layer.provide(AppConfig.layer)
  ),
  serve,
  migrate,
  demo: Effect.void
})

NodeRuntime.runMain(
  Command.run(cli, { version, renderErrors: true }).pipe(
    Effect.provide(NodeServices.layer),
    Effect.tapError(reportFailure)
  ),
  { disableErrorReporting: true }
)
