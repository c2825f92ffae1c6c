/**
 * How long an answer of PostgreSQL is waited for on the way of a call.
 *
 * @internal
 */
import { DATABASE_WAIT_MS_MAX } from "../postgres/DatabaseUnavailable.ts"

/** A reserve, an extend and whatever else a caller waits for is answered within this time, in ms, or refused. */
export const ANSWER_MS_MAX = DATABASE_WAIT_MS_MAX

/** Reading an account takes no longer, in ms: less than its caller waits, so that the caller hears why. */
export const READ_MS_MAX = 1_500
