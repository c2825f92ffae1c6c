/**
 * What orders and payments of all users are found by alike, as root types it: whose they are, a number that they have, and when.
 */
import { idIn } from "../domain/Ids.ts"
import { type IdPage, msOrNull } from "../postgres/Rows.ts"

/** Rows found at once, at most. */
export const FOUND_MAX = 201

/** What is left out does not matter. */
export interface FoundBy {
  /** A user's id, or a whole e-mail address in any case. */
  readonly user?: string | undefined
  /** The order's id, or a reference of a payment: the provider's, or ours. */
  readonly text?: string | undefined
  /** From this moment on and before that one, ms since the epoch. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** As parameters of a statement: the user's id or e-mail address, the order's id, the reference, both ends, and the page. */
export const foundByParameters = ({ fromMs, text, toMs, user }: FoundBy, { before, limit }: IdPage) => {
  const userId = idIn(user) ?? null
  return [
    userId,
    userId === null ? user ?? null : null,
    idIn(text) ?? null,
    // Trade numbers are digits too.
    text ?? null,
    msOrNull(fromMs),
    msOrNull(toMs),
    before ?? null,
    Math.min(limit, FOUND_MAX)
  ] as const
}
