/** How questions about usage are refused: the range is empty or too long, the cursor is not valid, or the database does not answer. */
import { Effect, Schema } from "effect"
import { type DatabaseUnavailable, databaseUnavailable } from "../postgres/DatabaseUnavailable.ts"

/** The range is empty or too long, or the cursor is not valid. */
export class UsageRefused extends Schema.TaggedError<UsageRefused>()("UsageRefused", {
  reason: Schema.Literals(["empty_range", "range_too_long", "bad_cursor"])
}) {}

/** A question about usage takes no longer, in milliseconds. */
const QUESTION_MS_MAX = 10_000

/** Bounds a question in time; any failure is {@link DatabaseUnavailable}. */
export const bounded = <A, E extends { readonly message: string }, R>(
  question: Effect.Effect<A, E, R>
): Effect.Effect<A, DatabaseUnavailable, R> =>
  question.pipe(
    Effect.timeout(QUESTION_MS_MAX),
    Effect.mapError(databaseUnavailable)
  )
