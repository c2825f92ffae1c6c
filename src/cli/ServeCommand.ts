/**
 * `realms serve`: runs the server until a signal stops it. The server is a parameter, because commands do not import the
 * layers of the application.
 */
import { type Effect, Layer, Logger, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { readRunnerCount, RUNNERS_EXPECTED } from "../config/RunnerCount.ts"

const runnersFlag = Flag.String("runners").pipe(
  Flag.withMetavar("N|auto"),
  Flag.withDescription("Processes that serve together; auto: one for each core, at most 8 (default: server.runners)"),
  Flag.filterMap((text) => Option.fromUndefinedOr(readRunnerCount(text)), () => RUNNERS_EXPECTED),
  Flag.optional
)

/** Runs a server. Without a number of runners the configuration decides. */
export type Serve<E, R> = (runners: Option.Option<number>) => Effect.Effect<void, E, R>

export const serveCommand = <E, R>(serve: Serve<E, R>) =>
  Command.make("serve", { runners: runnersFlag }, ({ runners }) => serve(runners)).pipe(
    // For what is logged before the configuration has said how.
    Command.provide(Layer.succeed(Logger.LogToStderr, true)),
    Command.withDescription("Run the gateway until it is stopped (SIGTERM or SIGINT)")
  )
