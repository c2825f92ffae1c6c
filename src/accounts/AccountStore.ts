/**
 * Reads an account from PostgreSQL: one statement, hence one snapshot, for its balance, open reservations,
 * subscriptions with their windows, and the stored rows of reservations that commands ask about.
 */
import { Effect, HashMap, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { AccountUnavailable, UnknownAccount } from "./AccountError.ts"
import type { AccountState, ReservationRow, SubscriptionState } from "./AccountState.ts"
import { fromBuckets } from "./SubscriptionWindows.ts"

/** An account as read: its state, the fence of each subscription, and the rows asked for by id. */
export interface LoadedAccount {
  readonly state: AccountState
  readonly fences: ReadonlyMap<bigint, bigint>
  readonly rows: ReadonlyMap<string, ReservationRow>
}

// Numbers beyond 2^53 do not survive JSON numbers, so every bigint travels as text.
const BigIntText = Schema.BigIntFromString
const Buckets = Schema.Array(Schema.Tuple([Schema.Number, BigIntText]))

const StoredReservation = Schema.Struct({
  id: Schema.String,
  state: Schema.Literals(["reserved", "committed", "voided", "expired"]),
  funding: Schema.Literals(["balance", "subscription", "free"]),
  subscription_id: Schema.NullOr(BigIntText),
  reserved_micros: BigIntText,
  cost_micros: BigIntText,
  charged_micros: BigIntText,
  input: BigIntText,
  cached: BigIntText,
  write: Schema.NullOr(BigIntText),
  output: BigIntText,
  billing: BigIntText,
  plan: BigIntText,
  output_limit: Schema.Number,
  reserved_at_ms: Schema.Number,
  late: Schema.Boolean
})

const StoredSubscription = Schema.Struct({
  id: BigIntText,
  starts_at_ms: Schema.Number,
  ends_at_ms: Schema.Number,
  limits: Schema.Tuple([BigIntText, BigIntText, BigIntText, BigIntText]),
  multiplier: BigIntText,
  fence: BigIntText,
  minutes: Buckets,
  hours: Buckets
})

const Stored = Schema.Struct({
  usd: BigIntText,
  owed: BigIntText,
  subscriptions: Schema.Array(StoredSubscription),
  reservations: Schema.Array(StoredReservation)
})

const decodeStored = Schema.decodeUnknownEffect(Stored)

const loadSql = `
  SELECT json_build_object(
    'usd', b.usd_micros::text,
    'owed', b.owed_micros::text,
    'reservations', coalesce((
      SELECT json_agg(json_build_object(
        'id', u.id, 'state', u.state, 'funding', u.funding, 'subscription_id', u.subscription_id::text,
        'reserved_micros', u.reserved_micros::text, 'cost_micros', coalesce(u.cost_micros, 0)::text,
        'charged_micros', coalesce(u.charged_micros, 0)::text, 'input', u.input_micros_per_1m::text,
        'cached', u.cached_input_micros_per_1m::text, 'write', u.cache_write_micros_per_1m::text,
        'output', u.output_micros_per_1m::text, 'billing', u.billing_multiplier_micros::text,
        'plan', u.plan_multiplier_micros::text, 'output_limit', u.output_limit,
        'reserved_at_ms', floor(extract(epoch FROM u.reserved_at) * 1000), 'late', u.late))
      FROM (
        SELECT * FROM usage_events WHERE user_id = $1 AND state = 'reserved'
        UNION ALL
        SELECT * FROM usage_events WHERE user_id = $1 AND state <> 'reserved' AND id = ANY ($2::uuid[])
      ) u), '[]'),
    'subscriptions', coalesce((
      SELECT json_agg(json_build_object(
        'id', s.id::text, 'starts_at_ms', floor(extract(epoch FROM s.starts_at) * 1000),
        'ends_at_ms', floor(extract(epoch FROM s.ends_at) * 1000),
        'limits', json_build_array(s.limit_5h_micros::text, s.limit_1d_micros::text, s.limit_7d_micros::text,
          s.limit_30d_micros::text),
        'multiplier', s.multiplier_micros::text, 'fence', s.fence::text,
        'minutes', coalesce((
          SELECT json_agg(json_build_array(extract(epoch FROM m.bucket_start) * 1000, m.micros::text))
          FROM subscription_usage m
          WHERE m.subscription_id = s.id AND m.bucket_start > now() - interval '1 day 2 minutes'), '[]'),
        'hours', coalesce((
          SELECT json_agg(json_build_array(h.start * 1000, h.micros::text)) FROM (
            SELECT extract(epoch FROM date_trunc('hour', m.bucket_start, 'UTC')) AS start, sum(m.micros) AS micros
            FROM subscription_usage m
            WHERE m.subscription_id = s.id AND m.bucket_start > now() - interval '30 days 2 hours' GROUP BY 1) h), '[]')
        ) ORDER BY s.ends_at, s.id)
      FROM user_subscriptions s
      WHERE s.user_id = $1 AND s.status = 'active' AND s.ends_at > now() - interval '1 hour'), '[]')
  ) AS account
  FROM user_balances b WHERE b.user_id = $1`

/** Loads an account, with the rows of `ids` in whatever state they are. */
export const loadAccount = (
  sql: SqlClient.SqlClient,
  userId: bigint,
  ids: ReadonlyArray<string>,
  nowMs: number
): Effect.Effect<LoadedAccount, AccountUnavailable | UnknownAccount> =>
  sql.unsafe<{ readonly account: unknown }>(loadSql, [userId, `{${ids.join(",")}}`]).pipe(
    Effect.mapError((error) => new AccountUnavailable({ reason: error.message })),
    Effect.flatMap(([row]) =>
      row === undefined
        ? Effect.fail(new UnknownAccount({ userId }))
        : Effect.orDie(decodeStored(row.account))
    ),
    Effect.map((stored) => toLoaded(stored, nowMs))
  )

const toLoaded = (stored: typeof Stored.Type, nowMs: number): LoadedAccount => {
  const rows = new Map<string, ReservationRow>()
  for (const reservation of stored.reservations) rows.set(reservation.id, toRow(reservation))
  const open = Array.from(rows.values()).filter((row) => row.state === "reserved")
  return {
    state: {
      usdMicros: stored.usd,
      owedMicros: stored.owed,
      subscriptions: stored.subscriptions.map((subscription) => toSubscription(subscription, nowMs)),
      open: HashMap.fromIterable(open.map((row) => [row.id, row] as const))
    },
    fences: new Map(stored.subscriptions.map((subscription) => [subscription.id, subscription.fence])),
    rows
  }
}

const toRow = (stored: typeof StoredReservation.Type): ReservationRow => ({
  id: stored.id,
  state: stored.state,
  funding: stored.funding,
  subscriptionId: stored.subscription_id,
  price: {
    inputMicrosPer1m: stored.input,
    cachedInputMicrosPer1m: stored.cached,
    cacheWriteMicrosPer1m: stored.write,
    outputMicrosPer1m: stored.output
  },
  billingMultiplier: stored.billing,
  planMultiplier: stored.plan,
  reservedMicros: stored.reserved_micros,
  outputTokens: stored.output_limit,
  reservedAtMs: stored.reserved_at_ms,
  costMicros: stored.cost_micros,
  chargedMicros: stored.charged_micros,
  late: stored.late
})

const toSubscription = (stored: typeof StoredSubscription.Type, nowMs: number): SubscriptionState => ({
  id: stored.id,
  startsAtMs: stored.starts_at_ms,
  endsAtMs: stored.ends_at_ms,
  limits: stored.limits,
  multiplier: stored.multiplier,
  windows: fromBuckets(stored.minutes, stored.hours, nowMs)
})

/** Gives a new user an empty account, inside the caller's transaction. */
export const openAccount = (sql: SqlClient.SqlClient, userId: bigint): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`INSERT INTO user_balances (user_id) VALUES (${userId}) ON CONFLICT DO NOTHING`)
