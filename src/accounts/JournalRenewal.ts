/**
 * How the leases of open reservations are pushed: through the journal, so that a renewal is ordered with what else is written of
 * them.
 *
 * @internal
 */
import type { Effect } from "effect"
import type { AccountUnavailable } from "./AccountError.ts"

/** A renewal that waits for its turn. */
export interface Renewal {
  readonly ids: () => ReadonlyArray<string>
  readonly leaseSeconds: number
  readonly resume: (result: Effect.Effect<ReadonlyArray<string>, AccountUnavailable>) => void
}

/**
 * $1 ids, $2 the lease in seconds; answers the ids that are not open. A row that another transaction has locked is skipped, not
 * waited for, and is not lost for that.
 */
export const renewSql = `WITH open AS (
    SELECT l.id FROM open_holds l WHERE l.id = ANY ($1::uuid[]) ORDER BY l.id FOR UPDATE SKIP LOCKED
  ), renewed AS (
    UPDATE open_holds h SET lease_expires_at = now() + make_interval(secs => $2::integer)
      FROM open WHERE h.id = open.id RETURNING h.id
  )
  SELECT t.id FROM unnest($1::uuid[]) AS t (id) WHERE NOT EXISTS (SELECT FROM open_holds h WHERE h.id = t.id)`
