/**
 * The filters that the search for orders and the search for payments share, as root types them: a user, an id or reference, a time.
 */
import { idIn } from "../domain/Ids.ts"
import { type IdPage, msOrNull } from "../postgres/Rows.ts"

/** Rows of one page of a search, at most. */
export const FOUND_MAX = 201

/** What is left out does not matter. */
export interface SearchFilter {
  /** A user's id, or a whole e-mail address in any case. */
  readonly user?: string | undefined
  /** The order's id, or a reference of a payment: the provider's, or ours. */
  readonly text?: string | undefined
  /** From this moment on and before that one, ms since the epoch. */
  readonly fromMs?: number | undefined
  readonly toMs?: number | undefined
}

/** The filter as parameters of a statement, in this order: the user's id, the e-mail address, the order's id, the reference, both ends of the time, and the page. */
export const searchParameters = ({ fromMs, text, toMs, user }: SearchFilter, { before, limit }: IdPage) => {
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
