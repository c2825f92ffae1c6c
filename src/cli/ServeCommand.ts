/**
 * `realms serve`: runs the server until it is told to stop. The server itself is passed in, because the command line
 * stands below the layer graph; here it gets its configuration and its logs.
 */
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { AppConfig, load } from "../platform/Config.ts"
import { Telemetry } from "../platform/Telemetry.ts"

/** Logs first, so that what the configuration has to say is logged as it asks for. */
const Configured = AppConfig.layer.pipe(
  Layer.provideMerge(
    Layer.unwrap(
      Effect.suspend(() => load({ cwd: process.cwd(), env: process.env })).pipe(
        Effect.map((config) => Telemetry.layerOf(config.log))
      )
    )
  )
)

export const serveCommand = <E, R>(serve: Effect.Effect<void, E, R>) =>
  Command.make("serve", {}, () => serve).pipe(
    Command.provide(Configured),
    Command.withDescription("Run the gateway until it is stopped (SIGTERM or SIGINT)")
  )
