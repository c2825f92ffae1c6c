/**
 * A year of an installation in one go: calls by the million that cost what their tokens cost, paid from balances, of users who call in
 * bouts - some of them much more than others -, folded into hours as a server would have folded them. The books hold: the ledger check
 * passes over all of it.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { UserId } from "../src/domain/Ids.ts"
import { makeUsersWithKeys } from "./growth/users.ts"

const DAYS = 365
/** Users who call in one hour, at most. */
const USERS_PER_HOUR = 300
/** What each user has left, in micros: 1,000 USD. */
const LEFT_MICROS = 1_000_000_000
const ROWS_PER_STEP = 1_000_000
/** The last call began so long ago: the fold has passed it. In ms. */
const LAST_AGO_MS = 600_000
const FOLDED_AGO_MS = 180_000

export interface Millions {
  readonly calls: number
  readonly users: number
  readonly say: (text: string) => void
}

interface Month {
  readonly name: string
  readonly from_ms: bigint
  readonly to_ms: bigint
  readonly from_id: string
  readonly to_id: string
  readonly is_there: boolean
}

const SPAN_MS = DAYS * 86_400_000

/** A number from 0 that is the same for the same number, and looks like any. */
const hashOf = (number: string): string => `(hashint8(${number}) & 2147483647)`

/**
 * $1 and $2: the rows' numbers, of $3 in all; only those from $8 to before $9, in ms. $4: the first user's id, of $5; $6: the first
 * key's. $7: the time of the last. One call in fifty failed and cost
 * nothing. The user of a call is one of those of its hour, and a few of all users are so far more often than others.
 */
const rowsSql = (table: string): string => `
  INSERT INTO ${table} (id, user_id, key_id, state, funding, reserved_micros, cost_micros, charged_micros, input_micros_per_1m,
      cached_input_micros_per_1m, output_micros_per_1m, output_limit, input_tokens, cached_input_tokens, cache_write_tokens,
      output_tokens, reserved_at, lease_expires_at, settled_at, status, latency_ms, ttft_ms, stream, usage_source, endpoint, model,
      upstream_model, channel, reason)
  SELECT (substr(realms_uuid_at_v1(c.ms)::text, 1, 24) || lpad(to_hex(c.i), 12, '0'))::uuid, $4::bigint + c.number, $6::bigint + c.number,
      CASE WHEN c.failed THEN 'voided' ELSE 'committed' END, 'balance', c.cost + 500, CASE WHEN c.failed THEN 0 ELSE c.cost END,
      CASE WHEN c.failed THEN 0 ELSE c.cost END, c.price, c.price / 2, c.price * 4, 4096,
      CASE WHEN NOT c.failed THEN c.input END, CASE WHEN NOT c.failed THEN c.cached END, CASE WHEN NOT c.failed THEN 0 END,
      CASE WHEN NOT c.failed THEN c.output END, c.at, c.at + interval '1 minute', c.at + interval '3 seconds',
      CASE WHEN c.failed THEN 502 ELSE 200 END, 400 + c.output * 8, 120 + c.cached % 300, c.i % 3 <> 0,
      CASE WHEN NOT c.failed THEN 'upstream' END, 'chat.completions', c.model, c.model, 'channel-' || 1 + c.pick % 3,
      CASE WHEN c.failed THEN 'upstream_error' END
    FROM (
      SELECT b.*, (b.input * b.price + b.cached * (b.price / 2) + b.output * b.price * 4 + 999999) / 1000000 AS cost,
          floor($5::integer * power(${hashOf("b.hour * 1000003 + b.slot")}::float8 / 2147483648, 3))::bigint AS number
        FROM (
          SELECT a.*, to_timestamp(a.ms / 1000.0) AS at,
              (ARRAY['gpt-4o-mini', 'gpt-4o-mini', 'gpt-4o', 'o4-mini', 'bench'])[1 + a.pick % 5] AS model,
              (ARRAY[150000, 150000, 2500000, 1100000, 150000])[1 + a.pick % 5]::bigint AS price
            FROM (
              SELECT g.i, g.ms, g.hour, g.slot, ${hashOf("g.hour * 7 + g.slot * 31")} AS pick,
                  200 + ${hashOf("g.i + 1")} % 2800 AS input, ${hashOf("g.i + 2")} % 900 AS cached,
                  40 + ${hashOf("g.i + 3")} % 900 AS output, ${hashOf("g.i + 4")} % 50 = 0 AS failed
                FROM (
                  SELECT n.i, n.ms, n.ms / 3600000 AS hour, (${hashOf("n.i")} % ${USERS_PER_HOUR})::bigint AS slot
                    FROM (
                      SELECT i, $7::bigint - ($3::bigint - i) * ${SPAN_MS}::bigint / $3::bigint AS ms
                        FROM generate_series($1::bigint, $2::bigint) i
                    ) n
                    WHERE n.ms >= $8::bigint AND n.ms < $9::bigint
                ) g
            ) a
        ) b
    ) c`

/** $1: ms since the epoch. */
const monthsSql = `
  SELECT 'usage_events_' || to_char(m, 'YYYYMM') AS name, extract(epoch FROM m)::bigint * 1000 AS from_ms,
      extract(epoch FROM m + interval '1 month')::bigint * 1000 AS to_ms, realms_uuid_on_v1(m::date)::text AS from_id,
      realms_uuid_on_v1((m + interval '1 month')::date)::text AS to_id,
      to_regclass('usage_events_' || to_char(m, 'YYYYMM')) IS NOT NULL AS is_there
    FROM generate_series(date_trunc('month', to_timestamp($1 / 1000.0) - interval '${DAYS} days'), to_timestamp($1 / 1000.0),
      interval '1 month') m ORDER BY m`

/** Writes them into an installation that has no calls yet; answers the id of the first user, who has by far the most of them. */
export const writeMillions = (sql: SqlClient.SqlClient, { calls, say, users }: Millions) =>
  Effect.gen(function*() {
    yield* sql.unsafe("SET statement_timeout = 0")
    yield* sql.unsafe("SET timezone = 'UTC'")
    // As somebody who loads much would have it: both hold for this session and its sorts only.
    yield* sql.unsafe("SET maintenance_work_mem = '512MB'")
    yield* sql.unsafe("SET work_mem = '256MB'")
    const { first, last } = yield* makeUsersWithKeys(sql, 0, users)
    // The books begin with the first user.
    yield* sql`UPDATE users SET created_at = now() - interval '366 days' WHERE id BETWEEN ${first} AND ${last}`
    // Before there is a call: the server that runs beside folds none of them, because they are folded here.
    yield* sql`INSERT INTO usage_folds (user_id, through)
      SELECT id, realms_uuid_at_v1(floor(extract(epoch FROM now()) * 1000)::bigint - ${FOLDED_AGO_MS}::bigint) FROM users
        WHERE id BETWEEN ${first} AND ${last}
      ON CONFLICT (user_id) DO UPDATE SET through = excluded.through`
    const [key] = yield* sql<{ id: bigint }>`SELECT min(id) AS id FROM api_keys WHERE user_id = ${first}`
    yield* sql.withTransaction(writeCalls(sql, { calls, users, say, first, firstKey: key?.id ?? 0n }))
    say("folding them ...")
    yield* foldAll(sql)
    say("balances ...")
    yield* giveBalances(sql, { first, last })
    say("VACUUM ...")
    // Settings of the session do not go with the statement: it may not be in a transaction.
    yield* sql.unsafe("VACUUM (ANALYZE)").unprepared
    yield* sql.unsafe("CHECKPOINT").unprepared
    return first
  })

const writeCalls = (
  sql: SqlClient.SqlClient,
  { calls, first, firstKey, say, users }: Millions & { readonly first: UserId; readonly firstKey: bigint }
) =>
  Effect.gen(function*() {
    const [now] = yield* sql<{ ms: bigint }>`SELECT floor(extract(epoch FROM now()) * 1000)::bigint AS ms`
    const lastMs = Number(now?.ms ?? 0n) - LAST_AGO_MS
    const months = yield* sql.unsafe<Month>(monthsSql, [BigInt(lastMs)])
    /** The number of the call at a time, or one beside it. */
    const numberAt = (ms: number): number => Math.round(calls - (lastMs - ms) * calls / SPAN_MS)
    yield* sql.unsafe("ALTER TABLE usage_events DISABLE TRIGGER USER")
    for (const { from_id, from_ms, is_there, name, to_id, to_ms } of months) {
      // Indexes are made over a whole month at once, when it is attached.
      if (!is_there) {
        yield* sql.unsafe(`CREATE TABLE ${name} (LIKE usage_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`)
      }
      const end = Math.min(numberAt(Number(to_ms)) + 1, calls)
      for (let from = Math.max(numberAt(Number(from_ms)) - 1, 1); from <= end; from += ROWS_PER_STEP) {
        say(`${from} of ${calls} calls ...`)
        const to = Math.min(from + ROWS_PER_STEP - 1, end)
        yield* sql.unsafe(rowsSql(name), [from, to, calls, first, users, firstKey, BigInt(lastMs), from_ms, to_ms])
      }
      if (is_there) continue
      yield* sql.unsafe(
        `ALTER TABLE usage_events ATTACH PARTITION ${name} FOR VALUES FROM ('${from_id}') TO ('${to_id}')`
      )
      yield* sql.unsafe(`CREATE TRIGGER keep_usage_events_all BEFORE TRUNCATE ON ${name}
        FOR EACH STATEMENT EXECUTE FUNCTION realms_refuse_change_v1()`)
    }
    yield* sql.unsafe("ALTER TABLE usage_events ENABLE TRIGGER USER")
  })

interface UserIds {
  readonly first: UserId
  readonly last: UserId
}

/** What the server's folds would have come to. */
const foldAll = (sql: SqlClient.SqlClient) =>
  sql.withTransaction(Effect.gen(function*() {
    yield* sql`INSERT INTO usage_hours (user_id, hour, model, key_id, funding, channel, calls, input_tokens, cached_input_tokens,
        cache_write_tokens, output_tokens, cost_micros, charged_micros)
      SELECT user_id, hour, model, key_id, funding, channel, count(*), sum(input_tokens), sum(cached_input_tokens),
          sum(cache_write_tokens), sum(output_tokens), sum(cost_micros), sum(charged_micros)
        FROM usage_calls WHERE counts GROUP BY user_id, hour, model, key_id, funding, channel
        ORDER BY hour, user_id`
    yield* sql`INSERT INTO usage_days SELECT user_id, date_trunc('day', hour, 'UTC'), sum(calls), sum(input_tokens),
          sum(cached_input_tokens), sum(cache_write_tokens), sum(output_tokens), sum(cost_micros), sum(charged_micros)
        FROM usage_hours GROUP BY 1, 2`
    yield* sql`INSERT INTO usage_totals SELECT hour, model, channel, sum(calls), sum(input_tokens), sum(cached_input_tokens),
          sum(cache_write_tokens), sum(output_tokens), sum(cost_micros), sum(charged_micros)
        FROM usage_hours GROUP BY hour, model, channel`
    yield* sql`INSERT INTO usage_keys (key_id, charged_micros)
      SELECT key_id, sum(charged_micros) FROM usage_hours WHERE key_id <> 0 GROUP BY key_id`
    yield* sql`INSERT INTO usage_fold_rounds (folded_to) VALUES (now() - interval '3 minutes')
      ON CONFLICT (one) DO UPDATE SET folded_to = excluded.folded_to`
  }))

/** Each user was given, a year ago, what the calls have taken and {@link LEFT_MICROS}. */
const giveBalances = (sql: SqlClient.SqlClient, { first, last }: UserIds) =>
  sql.withTransaction(Effect.gen(function*() {
    yield* sql`INSERT INTO user_balances (user_id, usd_micros)
      SELECT id, ${LEFT_MICROS} FROM users WHERE id BETWEEN ${first} AND ${last}
      ON CONFLICT (user_id) DO UPDATE SET usd_micros = excluded.usd_micros`
    yield* sql`INSERT INTO ledger_entries (user_id, seq, kind, amount_micros, usd_after, owed_after, ref_type, ref_id, actor,
        created_at)
      SELECT u.id, 1, 'adjustment', g.micros, g.micros, 0, 'adjustment', 'millions-' || u.id, 'bench', now() - interval '366 days'
        FROM users u CROSS JOIN LATERAL (
          SELECT ${LEFT_MICROS}::bigint + coalesce(sum(h.charged_micros), 0)::bigint AS micros
            FROM usage_hours h WHERE h.user_id = u.id
        ) g
        WHERE u.id BETWEEN ${first} AND ${last}`
    yield* sql`INSERT INTO audit_log (actor, action, target, after)
      SELECT 'bench', 'balance.adjusted', 'user:' || id, jsonb_build_object('key', 'millions-' || id)
        FROM users WHERE id BETWEEN ${first} AND ${last}`
  }))
