/**
 * The filters that the search for orders and the search for payments share, as root types them: a user, an id or reference, a time.
 */
import type { Schema } from "effect"
import type { SqlClient } from "effect/sql"
import { idIn } from "../domain/Ids.ts"
import { orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { type IdPage, msOrNull, rowsOf } from "../postgres/Rows.ts"

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

/** In this order: the user's id, the e-mail address, the order's id, the reference, both ends of the time, and the page. */
const searchParameters = ({ fromMs, text, toMs, user }: SearchFilter, { before, limit }: IdPage) => {
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

/** Reads a page of what is found by a statement, whose parameters are the search's own, then those that all searches have. */
export const searchRows = <S extends Schema.ConstraintDecoder<unknown>, F extends SearchFilter>(
  sql: SqlClient.SqlClient,
  { own, row, statement }: {
    readonly row: S
    readonly statement: string
    own(filter: F): ReadonlyArray<string | boolean | null>
  }
) =>
(filter: F, page: IdPage) =>
  orUnavailable(rowsOf(row, sql.unsafe(statement, [...own(filter), ...searchParameters(filter, page)])))
