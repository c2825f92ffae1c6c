/**
 * How questions about usage are refused: a range that is none or too long, a cursor that is none, a database that does not
 * answer.
 */
import { Effect, Schema } from "effect"

/** The range is empty or too long, or the cursor is none. */
export class UsageRefused extends Schema.TaggedError<UsageRefused>()("UsageRefused", {
  reason: Schema.Literals(["empty_range", "range_too_long", "bad_cursor"])
}) {}

/** The database could not answer, or not in time. */
export class UsageUnavailable extends Schema.TaggedError<UsageUnavailable>()("UsageUnavailable", {
  reason: Schema.String
}) {
  override get message(): string {
    return this.reason
  }
}

/** A question about usage takes no longer, in milliseconds. */
const QUESTION_MS_MAX = 10_000

/** Bounds a question in time; any failure is {@link UsageUnavailable}. */
export const bounded = <A, E extends { readonly message: string }, R>(
  question: Effect.Effect<A, E, R>
): Effect.Effect<A, UsageUnavailable, R> =>
  question.pipe(
    Effect.timeout(QUESTION_MS_MAX),
    Effect.mapError((error) => new UsageUnavailable({ reason: error.message }))
  )
