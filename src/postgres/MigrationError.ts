/**
 * The failure of bringing a database to this version's schema: one message that says which migration, and why.
 * @internal
 */
import { Schema } from "effect"

/** The schema cannot be brought up to date. `message` says which migration and why. */
export class MigrationError extends Schema.TaggedError<MigrationError>()("MigrationError", {
  message: Schema.String
}) {}
