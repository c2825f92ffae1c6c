/**
 * Settled calls of the past, for pages that show many: the same ones each time, unevenly over days, hours and models.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { ApiKeyId, UserId } from "../../src/domain/Ids.ts"

/** Writes `calls` calls of a user over the last `days` days. They cost what their tokens cost, and moved no money. */
export const writeHistory = (
  sql: SqlClient.SqlClient,
  { calls, days, firstNumber = 1, keyId, userId }: {
    readonly userId: UserId
    readonly keyId: ApiKeyId
    readonly calls: number
    readonly days: number
    /** Histories with numbers of their own have ids of their own. */
    readonly firstNumber?: number
  }
) =>
  Effect.asVoid(sql`
    INSERT INTO usage_events (id, user_id, key_id, state, funding, reserved_micros, cost_micros, charged_micros,
        input_micros_per_1m, cached_input_micros_per_1m, output_micros_per_1m, input_tokens, cached_input_tokens,
        output_tokens, reserved_at, lease_expires_at, settled_at, status, latency_ms, ttft_ms, stream, usage_source, endpoint,
        model, channel)
      SELECT (lpad(to_hex(floor(extract(epoch FROM h.at) * 1000)::bigint), 12, '0') || '7' || substr(h.noise, 1, 3) || '8'
            || substr(h.noise, 4, 15))::uuid, ${userId}, ${keyId}, 'committed', 'balance', h.cost + 500, h.cost, h.cost,
          h.price, h.price / 2, h.price * 4, h.input, h.cached, h.output, h.at, h.at, h.at + interval '1 second', 200,
          400 + h.output * 8, 120 + h.cached % 300, h.i % 3 <> 0, 'upstream', 'chat.completions', h.model, 'simulator'
        FROM (
          SELECT g.*, ((g.input * g.price + g.cached * g.price / 2 + g.output * g.price * 4) / 1000000)::bigint AS cost FROM (
            SELECT i, md5((i + ${firstNumber}::integer - 1)::text) AS noise,
                now() - make_interval(secs => ${days}::integer * 86400.0 * power(i::float8 / ${calls}::integer, 1.25)
                  + abs(hashint4(i)) % 5400) AS at,
                200 + abs(hashint4(i + 1)) % 2800 AS input, abs(hashint4(i + 2)) % 900 AS cached,
                40 + abs(hashint4(i + 3)) % 900 AS output,
                (ARRAY['gpt-4o-mini', 'gpt-4o-mini', 'gpt-4o-mini', 'gpt-4o', 'o4-mini'])[1 + abs(hashint4(i + 4)) % 5] AS model,
                (ARRAY[150000, 150000, 150000, 2500000, 1100000])[1 + abs(hashint4(i + 4)) % 5]::bigint AS price
              FROM generate_series(1, ${calls}::integer) AS i
          ) g
        ) h`)
