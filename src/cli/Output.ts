/**
 * How commands speak: the result on standard output - as text, or with `--json` as one JSON value in which micros and ids are
 * decimal strings - and failures as one line on standard error with exit code 1.
 */
import { Console, Data, Effect } from "effect"
import { Flag } from "effect/cli"

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Print one JSON value"),
  Flag.withDefault(false)
)

/** A command that could not do its work. `message` is for people and says what to do. */
export class CommandFailed extends Data.TaggedError("CommandFailed")<{ readonly message: string }> {}

/** JSON with every bigint as a decimal string. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => typeof inner === "bigint" ? inner.toString() : inner)

/** Prints a result as JSON or as text. */
export const print = (json: boolean, value: unknown, text: string): Effect.Effect<void> =>
  json ? Console.log(toJson(value)) : text === "" ? Effect.void : Console.log(text)

/** Turns a failure into a `CommandFailed` with a readable message. */
export const failWith = (describe: string) => (error: { readonly message: string }): CommandFailed =>
  new CommandFailed({ message: error.message === "" ? describe : `${describe}: ${error.message}` })
