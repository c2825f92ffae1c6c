/** Commands of which there is only `list`, such as `realms plan list`. */
import { Effect, type Layer } from "effect"
import { Command } from "effect/cli"
import { print, type Printable } from "./Output.ts"

/** `services` are built for the list, not for help about it. */
export const listCommand = <Listed, E, R, Provided, E2, R2>(
  { describe, description, fields, listed, name, services }: {
    readonly name: "model" | "plan"
    readonly description: string
    readonly listed: Effect.Effect<ReadonlyArray<Listed>, E, R>
    /** A row for programs. */
    readonly fields: (one: Listed) => Printable
    /** The list for people. */
    readonly describe: (all: ReadonlyArray<Listed>) => string
    readonly services: Layer.Layer<Provided, E2, R2>
  }
) =>
  Command.make(name).pipe(
    Command.withDescription(`List ${name}s`),
    Command.withExamples([{ command: `realms ${name} list` }]),
    Command.withSubcommands([
      Command.make("list", {}, () => Effect.flatMap(listed, (all) => print(all.map(fields), describe(all)))).pipe(
        Command.withDescription(description),
        Command.provide(services)
      )
    ])
  )
