/**
 * The one way in which the embedded PostgreSQL fails, and the advice that its messages share: each says what is wrong
 * and what to do about it.
 */
import { Schema } from "effect"

/** The embedded PostgreSQL cannot be used. `message` is ready to print and may have several lines. */
export class EmbeddedPostgresError extends Schema.TaggedError<EmbeddedPostgresError>()("EmbeddedPostgresError", {
  dataDir: Schema.String,
  message: Schema.String
}) {}

/** The way out that always works. */
export const USE_OWN_DATABASE = "set DATABASE_URL to a PostgreSQL server of your own"

/** The text of anything thrown. */
export const causeText = (cause: unknown): string => cause instanceof Error ? cause.message : String(cause)
