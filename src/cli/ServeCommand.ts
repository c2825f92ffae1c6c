/**
 * `realms serve`: runs the server until a signal stops it. The server is a parameter, because commands do not import the
 * layers of the application.
 */
import { type Effect, Layer, Logger } from "effect"
import { Command } from "effect/cli"

export const serveCommand = <E, R>(serve: Effect.Effect<void, E, R>) =>
  Command.make("serve", {}, () => serve).pipe(
    // For what is logged before the configuration has said how.
    Command.provide(Layer.succeed(Logger.LogToStderr, true)),
    Command.withDescription("Run the gateway until it is stopped (SIGTERM or SIGINT)")
  )
