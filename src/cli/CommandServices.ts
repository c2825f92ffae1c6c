/** What commands need is built for the one that runs, not for help about it. */
import type { Layer } from "effect"
import { Command } from "effect/cli"

/** Gives commands these services. */
export const providing =
  <Provided, E1, R1>(services: Layer.Layer<Provided, E1, R1>) =>
  <const Name extends string, Input, Context, E2, R2>(command: Command.Command<Name, Input, Context, E2, R2>) =>
    Command.provide(command, services)
