/**
 * Settled calls of the past in great numbers, so that a table is as large as it would be after months: free ones, evenly over the last
 * 60 days, of users in turn.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { UserId } from "../src/domain/Ids.ts"

/** Rows written in one statement. */
const ROWS_PER_STEP = 500_000

const DAYS = 60
const DAYS_MS = DAYS * 86_400_000

export interface PastCalls {
  /** The rows with the numbers above `from`, up to `to`; of `total` in the whole time. */
  readonly from: number
  readonly to: number
  readonly total: number
  /** Whose they are: `users` ids, from this one on. */
  readonly firstUser: UserId
  readonly users: number
  readonly say: (text: string) => void
}

/** Makes the months of `usage_events` that the last `days` days are in, as a server does before they begin. */
export const makeMonths = (sql: SqlClient.SqlClient, days: number) =>
  sql`SELECT realms_make_usage_month_v1(m::date) FROM generate_series(
    date_trunc('month', now() - make_interval(days => ${days}::integer)), now(), interval '1 month') m`

/** Writes them. No trigger looks at them: they are in no report. */
export const writePastCalls = (
  sql: SqlClient.SqlClient,
  { firstUser, from, say, to, total, users }: PastCalls
) =>
  Effect.gen(function*() {
    yield* makeMonths(sql, DAYS)
    yield* sql`ALTER TABLE usage_events DISABLE TRIGGER USER`
    for (let done = from; done < to; done += ROWS_PER_STEP) {
      say(`${done} of ${to} rows ...`)
      yield* sql`INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros,
          input_tokens, cached_input_tokens, cache_write_tokens, output_tokens, endpoint, model, channel, usage_source, status,
          latency_ms, reserved_at, lease_expires_at, settled_at)
        SELECT (substr(realms_uuid_at_v1(ms)::text, 1, 24) || lpad(to_hex(i), 12, '0'))::uuid,
            ${firstUser}::bigint + i % ${users}::bigint, 'committed', 'free', 0, 0, 0, 12, 0, 0, 20,
            'chat.completions', 'gpt-4o-mini', 'one', 'upstream', 200, 900, to_timestamp(ms / 1000.0),
            to_timestamp(ms / 1000.0), to_timestamp(ms / 1000.0)
          FROM (SELECT i, floor(extract(epoch FROM now()) * 1000)::bigint
                - (${total}::bigint - i) * ${DAYS_MS}::bigint / ${total}::bigint AS ms
            FROM generate_series(${done}::bigint + 1, least(${done}::bigint + ${ROWS_PER_STEP}, ${to}::bigint)) i) c`
    }
    yield* sql`ALTER TABLE usage_events ENABLE TRIGGER USER`
  })
