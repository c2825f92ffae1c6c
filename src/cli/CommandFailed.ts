/**
 * The one way in which a command fails: with words for people.
 */
import { Data } from "effect"

/** A command that could not do its work. `message` is for people and says what to do. */
export class CommandFailed extends Data.TaggedError("CommandFailed")<{ readonly message: string }> {}
