/**
 * How a command fails: one readable line that says what is wrong and what to do, and an exit code. Errors of the services
 * below are put into words here, so that every command says the same thing the same way.
 */
import { Predicate, Runtime, Schema } from "effect"
import { SqlError } from "effect/sql"
import { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"

/** Something went wrong while the command ran. */
export const EXIT_FAILED = 1

/** The command line itself was wrong. */
export const EXIT_USAGE = 2

/** Ends the process with `exitCode`; `message` is ready to print. Its printing is not left to the runtime. */
export class CliFailure extends Schema.TaggedError<CliFailure>()("CliFailure", {
  message: Schema.String,
  exitCode: Schema.Number
}) {
  override get [Runtime.errorExitCode](): number {
    return this.exitCode
  }
  override get [Runtime.errorReported](): boolean {
    return false
  }
}

/** A failure of the command, exit code 1. */
export const failed = (message: string): CliFailure => new CliFailure({ message, exitCode: EXIT_FAILED })

/** The command line itself is wrong, exit code 2. */
export const misused = (message: string): CliFailure => new CliFailure({ message, exitCode: EXIT_USAGE })

const DATABASE_ADVICE = "is PostgreSQL running, and does DATABASE_URL (or database.url) name it?"

const withoutFullStop = (text: string): string => text.trim().replace(/\.$/, "")

const whyRefused = ({ message, reason }: SqlError.SqlError): string => {
  const cause = reason.cause instanceof Error ? reason.cause.message : ""
  return withoutFullStop([reason.message ?? message, cause].filter((text) => text !== "").join(": "))
}

/** What to tell the user about an error of any kind. */
export const explain = (error: unknown): string => {
  if (SqlError.isSqlError(error)) return `the database failed (${whyRefused(error)}): ${DATABASE_ADVICE}`
  if (error instanceof DatabaseUnavailable) {
    return `the database did not answer (${withoutFullStop(error.reason)}): ${DATABASE_ADVICE}`
  }
  if (error instanceof Error && error.message !== "") return error.message
  return Predicate.hasProperty(error, "_tag") ? String(error._tag) : String(error)
}
