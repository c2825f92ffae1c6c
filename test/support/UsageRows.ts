/**
 * Calls written straight into the table, for tests of what reports make of them: with a history of any kind, at any time.
 */
import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { ApiKeyId, UserId } from "../../src/domain/Ids.ts"
import type { seeded } from "./Seeded.ts"

export interface CallFields {
  readonly id: string
  readonly user_id: UserId
  readonly key_id: ApiKeyId | null
  readonly state: "reserved" | "committed" | "voided" | "expired"
  readonly funding: "balance" | "subscription" | "free"
  readonly model: string
  readonly channel: string | null
  readonly status: number | null
  readonly reason: string | null
  readonly latency_ms: number | null
  readonly ttft_ms: number | null
  readonly reserved_micros: bigint
  readonly cost_micros: bigint | null
  readonly charged_micros: bigint | null
  readonly input_tokens: bigint | null
  readonly output_tokens: bigint | null
  /** Reserve time. */
  readonly atMs: number
}

let made = 0

/** A UUIDv7 of a moment; those of one moment ascend. */
export const idAt = (ms: number): string => {
  const time = ms.toString(16).padStart(12, "0")
  const rest = (++made).toString(16).padStart(15, "0")
  return `${time.slice(0, 8)}-${time.slice(8)}-7${rest.slice(0, 3)}-8${rest.slice(3, 6)}-${rest.slice(3)}`
}

/** A committed call of the balance. */
export const callAt = (userId: UserId, atMs: number, fields: Partial<CallFields> = {}): CallFields => ({
  id: idAt(atMs),
  user_id: userId,
  key_id: null,
  state: "committed",
  funding: "balance",
  model: "m",
  channel: "c",
  status: 200,
  reason: null,
  latency_ms: 100,
  ttft_ms: 50,
  reserved_micros: 20n,
  cost_micros: 10n,
  charged_micros: 10n,
  input_tokens: 3n,
  output_tokens: 7n,
  atMs,
  ...fields
})

/** The id of one of a user's keys: no row has it. */
export const keyIdOf = (userId: UserId, number: number) => ApiKeyId.make(userId * 10n + BigInt(number))

/** A call of any kind. */
export const anyCall = (below: ReturnType<typeof seeded>, userId: UserId, atMs: number): CallFields => {
  const state = (["committed", "committed", "voided", "expired", "reserved"] as const)[below(5)] ?? "committed"
  const funding = (["balance", "free"] as const)[below(2)] ?? "balance"
  const reserved = funding === "free" ? 0n : BigInt(below(500))
  const charged = funding === "free" || (state !== "committed" && below(2) === 0) || state === "voided" ? 0n : reserved
  return callAt(userId, atMs, {
    // The id is made up to a minute before the reserve time.
    id: idAt(atMs - below(60_000)),
    key_id: below(3) === 0 ? null : keyIdOf(userId, below(3) + 1),
    state,
    funding,
    model: `model-${below(4)}`,
    // What has not been committed knows no channel, as a rule, and what is open never does.
    channel: state === "committed" || (state !== "reserved" && below(4) === 0) ? `channel-${below(3)}` : null,
    reserved_micros: reserved,
    cost_micros: state === "reserved" ? null : state === "committed" ? BigInt(below(600)) : charged,
    charged_micros: state === "reserved" ? null : charged,
    input_tokens: state === "committed" ? BigInt(below(1_000)) : null,
    output_tokens: state === "committed" ? BigInt(below(1_000)) : null
  })
}

/** Calls of the model `common`, one a millisecond from a moment on: more than are worth writing one by one. */
export const insertCommonCalls = Effect.fnUntraced(
  function*(userId: UserId, { atMs, many }: { readonly atMs: number; readonly many: number }) {
    const sql = yield* SqlClient.SqlClient
    yield* sql`INSERT INTO usage_events (id, user_id, state, funding, reserved_micros, cost_micros, charged_micros,
        endpoint, model, reserved_at, lease_expires_at, settled_at)
      SELECT (substr(realms_uuid_at_v1(${atMs}::bigint + i)::text, 1, 24) || lpad(to_hex(i), 12, '0'))::uuid,
          ${userId}, 'committed', 'balance', 1, 1, 1, 'responses', 'common', to_timestamp(${atMs}::bigint / 1000.0), now(), now()
        FROM generate_series(1, ${many}::integer) i`
  }
)

/** Open calls, and calls that have ended. */
export const insertCalls = Effect.fnUntraced(function*(calls: ReadonlyArray<CallFields>) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`WITH c AS MATERIALIZED (
      SELECT r.*, to_timestamp(r.at_ms / 1000.0) AS at FROM jsonb_to_recordset(${
    JSON.stringify(calls.map(({ atMs, ...call }) => ({ ...call, at_ms: atMs })), (_, value) =>
      typeof value === "bigint" ? value.toString() : value)
  }::jsonb) AS r (id uuid, user_id bigint, key_id bigint, state text, funding text, model text, channel text, status integer,
        reason text, latency_ms integer, ttft_ms integer, reserved_micros bigint,
        cost_micros bigint, charged_micros bigint, input_tokens bigint, output_tokens bigint, at_ms bigint)
    ), open AS (
      INSERT INTO open_holds (id, user_id, key_id, funding, model, reserved_micros, endpoint, reserved_at, lease_expires_at)
        SELECT id, user_id, key_id, funding, model, reserved_micros, 'chat.completions', at, at FROM c WHERE state = 'reserved'
    )
    INSERT INTO usage_events (id, user_id, key_id, state, funding, model, channel, status, reason, latency_ms, ttft_ms,
        reserved_micros, cost_micros, charged_micros, input_tokens, output_tokens, endpoint, reserved_at, lease_expires_at,
        settled_at)
      SELECT id, user_id, key_id, state, funding, model, channel, status, reason, latency_ms, ttft_ms, reserved_micros,
          cost_micros, charged_micros, input_tokens, output_tokens, 'chat.completions', at, at, now()
        FROM c WHERE state <> 'reserved'`
})

/** Ends an open call, as the journal does. `micros`: what it cost; null: its hold. */
export const endCall = Effect.fnUntraced(function*(id: string, state: "committed" | "expired", micros: bigint | null) {
  const sql = yield* SqlClient.SqlClient
  const kept = sql.literal(
    `id, user_id, key_id, funding, subscription_id, reserved_micros, counted, input_micros_per_1m,
    cached_input_micros_per_1m, cache_write_micros_per_1m, output_micros_per_1m, price_extras, billing_multiplier_micros,
    plan_multiplier_micros, group_multiplier_micros, output_limit, reserved_at, lease_expires_at, stream, endpoint, model`
  )
  yield* sql`WITH h AS (DELETE FROM open_holds WHERE id = ${id} RETURNING *)
    INSERT INTO usage_events (${kept}, state, cost_micros, charged_micros, input_tokens, output_tokens, settled_at)
      SELECT ${kept}, ${state}, coalesce(${micros}::bigint, reserved_micros),
          CASE funding WHEN 'free' THEN 0 ELSE coalesce(${micros}::bigint, reserved_micros) END,
          CASE WHEN ${state} = 'committed' THEN 3 END, CASE WHEN ${state} = 'committed' THEN 7 END, now()
        FROM h`
})

/** Commits an expired call late, as the journal does. */
export const commitLate = Effect.fnUntraced(function*(id: string, micros: bigint) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`UPDATE usage_events SET state = 'committed', cost_micros = ${micros},
    late_charged_micros = CASE funding WHEN 'free' THEN 0 ELSE ${micros} - charged_micros END, late = true, late_at = now(),
    input_tokens = 5, output_tokens = 6, channel = 'late-channel' WHERE id = ${id}`
})

/** The id of no user. */
export const nobody = UserId.make(0n)

/** Users without anything but an id. */
export const makeUsers = Effect.fnUntraced(function*(count: number) {
  const sql = yield* SqlClient.SqlClient
  const rows = yield* sql<{ id: UserId }>`INSERT INTO users (email)
    SELECT gen_random_uuid()::text || '@example.com' FROM generate_series(1, ${count}::integer) RETURNING id`
  return rows.map((row) => row.id)
})
