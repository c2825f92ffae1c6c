/**
 * Reads an account from PostgreSQL: one statement, hence one snapshot. A whole read has every open reservation; a refresh
 * has only what a resident account must read again for a decision, and reads neither its open reservations nor the windows of
 * subscriptions that nobody else has written. Both have the stored rows of the reservations that commands ask about.
 */
import { Effect, HashMap, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { noRateLimits, type RateLimits } from "../domain/CallLimits.ts"
import { ApiKeyId, idFromText, SubscriptionId, type UserId } from "../domain/Ids.ts"
import { LimitPeriod } from "../domain/LimitPeriod.ts"
import { AccountUnavailable, UnknownAccount } from "./AccountError.ts"
import type { AccountState, ReservationRow, SubscriptionState } from "./AccountState.ts"
import { type CallUse, type CallUses, noUses, unused } from "./CallUses.ts"
import { chargedOf } from "./Charged.ts"
import { PriceExtras, priceSnapshotOf } from "./PriceExtras.ts"
import { fromBuckets } from "./SubscriptionWindows.ts"

/** What is read. */
export interface AccountRead {
  readonly userId: UserId
  /** Reservations whose rows are wanted, whatever their state. */
  readonly ids: ReadonlyArray<string>
  /** Keys whose open calls are limited: those are counted. */
  readonly keyIds: ReadonlyArray<ApiKeyId>
  /** What the reader holds already; absent: a whole read. */
  readonly known?: KnownAccount
}

/** The state that a reader holds, and the fence that it knows of each subscription: where that is unchanged, so are windows. */
export interface KnownAccount {
  readonly state: AccountState
  readonly fences: ReadonlyMap<SubscriptionId, bigint>
}

/** An account as read: its state, the fence of each subscription, and the rows asked for by id. */
export interface LoadedAccount {
  readonly state: AccountState
  readonly fences: ReadonlyMap<SubscriptionId, bigint>
  readonly rows: ReadonlyMap<string, ReservationRow>
}

// Numbers beyond 2^53 do not survive JSON numbers, so every bigint travels as text.
const BigIntText = Schema.BigIntFromString

/** Start in ms, what the bucket counts, and what open calls hold of it. */
const Buckets = Schema.Array(Schema.Tuple([Schema.Number, BigIntText, BigIntText]))

const StoredReservation = Schema.Struct({
  id: Schema.String,
  state: Schema.Literals(["reserved", "committed", "voided", "expired"]),
  funding: Schema.Literals(["balance", "subscription", "free"]),
  subscription_id: Schema.NullOr(idFromText(SubscriptionId)),
  reserved_micros: BigIntText,
  cost_micros: BigIntText,
  charged_micros: BigIntText,
  input: BigIntText,
  cached: BigIntText,
  write: Schema.NullOr(BigIntText),
  output: BigIntText,
  extras: Schema.NullOr(PriceExtras),
  billing: BigIntText,
  plan: BigIntText,
  grp: BigIntText,
  output_limit: Schema.Number,
  reserved_at_ms: Schema.Number,
  counted: Schema.Boolean,
  key_id: Schema.NullOr(idFromText(ApiKeyId)),
  late: Schema.Boolean
})

const storedLimits = {
  rpm: Schema.NullOr(Schema.Int),
  tpm: Schema.NullOr(Schema.Int),
  concurrent: Schema.NullOr(Schema.Int)
}

const StoredSubscription = Schema.Struct({
  id: idFromText(SubscriptionId),
  starts_at_ms: Schema.Number,
  ends_at_ms: Schema.Number,
  limits: Schema.Tuple([BigIntText, BigIntText, BigIntText, BigIntText]),
  multiplier: BigIntText,
  grp: Schema.NullOr(BigIntText),
  ...storedLimits,
  fence: BigIntText,
  /** Null: the fence is the one that the reader knows. */
  windows: Schema.NullOr(Schema.Struct({ minutes: Buckets, hours: Buckets }))
})

/** What is used of the limits of a key, or of the user. */
const StoredUses = Schema.Struct({
  rates: Schema.Array(Schema.Struct({ key_id: BigIntText, requests_us: Schema.Int, tokens_us: Schema.Int })),
  spent: Schema.Array(
    Schema.Struct({ key_id: BigIntText, period: LimitPeriod, start_ms: Schema.Int, micros: BigIntText })
  ),
  open: Schema.Array(Schema.Struct({ key_id: BigIntText, calls: Schema.Int }))
})

const Stored = Schema.Struct({
  usd: BigIntText,
  owed: BigIntText,
  held: BigIntText,
  open_holds: Schema.Number,
  counted_open: Schema.Boolean,
  own_group: Schema.NullOr(BigIntText),
  redeemed_group: Schema.NullOr(BigIntText),
  ...storedLimits,
  uses: StoredUses,
  subscriptions: Schema.Array(StoredSubscription),
  reservations: Schema.Array(StoredReservation)
})

const decodeStored = Schema.decodeUnknownEffect(Stored)

const askedRows = "SELECT * FROM calls WHERE user_id = $1 AND id = ANY ($2::uuid[])"

const openRows = `SELECT * FROM open_calls WHERE user_id = $1
        UNION ALL
        SELECT * FROM usage_events WHERE user_id = $1 AND id = ANY ($2::uuid[])`

const loadSql = (rows: string) => `
  SELECT json_build_object(
    'usd', b.usd_micros::text,
    'owed', b.owed_micros::text,
    'held', b.held_micros::text,
    'open_holds', b.open_holds,
    'counted_open', EXISTS (SELECT FROM open_holds c WHERE c.user_id = $1 AND c.counted),
    'own_group', own.multiplier_micros::text,
    'redeemed_group', redeemed.multiplier_micros::text,
    'rpm', u.requests_per_minute, 'tpm', u.tokens_per_minute, 'concurrent', u.concurrent_calls,
    'uses', json_build_object(
      'rates', coalesce((
        SELECT json_agg(json_build_object('key_id', r.key_id::text, 'requests_us', r.requests_us,
          'tokens_us', r.tokens_us))
        FROM call_rates r WHERE r.user_id = $1), '[]'),
      'spent', coalesce((
        SELECT json_agg(json_build_object('key_id', k.key_id::text, 'period', k.period,
          'start_ms', extract(epoch FROM k.starts_at) * 1000, 'micros', k.spent_micros::text))
        FROM key_spend k WHERE k.user_id = $1 AND (k.period = 'total' OR k.starts_at > now() - 2 * CASE k.period
          WHEN 'day' THEN interval '1 day' WHEN 'week' THEN interval '7 days' ELSE interval '31 days' END)), '[]'),
      'open', coalesce((
        SELECT json_agg(json_build_object('key_id', o.key_id::text, 'calls', o.calls)) FROM (
          SELECT h.key_id, count(*) AS calls FROM open_holds h
            WHERE h.user_id = $1 AND h.key_id = ANY ($5::bigint[]) GROUP BY h.key_id) o), '[]')),
    'reservations', coalesce((
      SELECT json_agg(json_build_object(
        'id', u.id, 'state', u.state, 'funding', u.funding, 'subscription_id', u.subscription_id::text,
        'reserved_micros', u.reserved_micros::text, 'cost_micros', coalesce(u.cost_micros, 0)::text,
        'charged_micros', coalesce(${chargedOf("u")}, 0)::text, 'input', u.input_micros_per_1m::text,
        'cached', u.cached_input_micros_per_1m::text, 'write', u.cache_write_micros_per_1m::text,
        'output', u.output_micros_per_1m::text, 'extras', u.price_extras,
        'billing', u.billing_multiplier_micros::text, 'plan', u.plan_multiplier_micros::text,
        'grp', u.group_multiplier_micros::text, 'output_limit', u.output_limit,
        'reserved_at_ms', floor(extract(epoch FROM u.reserved_at) * 1000),
        'counted', u.counted, 'key_id', u.key_id::text, 'late', u.late))
      FROM (
        ${rows}
      ) u), '[]'),
    'subscriptions', coalesce((
      SELECT json_agg(json_build_object(
        'id', s.id::text, 'starts_at_ms', floor(extract(epoch FROM s.starts_at) * 1000),
        'ends_at_ms', floor(extract(epoch FROM s.ends_at) * 1000),
        'limits', json_build_array(s.limit_5h_micros::text, s.limit_1d_micros::text, s.limit_7d_micros::text,
          s.limit_30d_micros::text),
        'multiplier', s.multiplier_micros::text, 'grp', g.multiplier_micros::text, 'fence', s.fence::text,
        'rpm', nullif(s.requests_per_minute, 0), 'tpm', nullif(s.tokens_per_minute, 0),
        'concurrent', nullif(s.concurrent_calls, 0),
        'windows', CASE WHEN k.fence IS DISTINCT FROM s.fence THEN json_build_object(
          'minutes', coalesce((
            SELECT json_agg(json_build_array(extract(epoch FROM m.bucket_start) * 1000, m.micros::text,
              m.held_micros::text))
            FROM subscription_usage m
            WHERE m.subscription_id = s.id AND m.bucket_start > now() - interval '1 day 2 minutes'), '[]'),
          'hours', coalesce((
            SELECT json_agg(json_build_array(h.start * 1000, h.micros::text, h.held::text)) FROM (
              SELECT extract(epoch FROM date_trunc('hour', m.bucket_start, 'UTC')) AS start, sum(m.micros) AS micros,
                sum(m.held_micros) AS held
              FROM subscription_usage m
              WHERE m.subscription_id = s.id AND m.bucket_start > now() - interval '30 days 2 hours' GROUP BY 1) h
            ), '[]')) END
        ) ORDER BY s.ends_at, s.id)
      FROM user_subscriptions s
      LEFT JOIN user_groups g ON g.code = s.group_code
      LEFT JOIN unnest($3::bigint[], $4::bigint[]) AS k (id, fence) ON k.id = s.id
      WHERE s.user_id = $1 AND s.status = 'active' AND s.ends_at > now() - interval '1 hour'), '[]')
  ) AS account
  FROM user_balances b
  JOIN users u ON u.id = b.user_id
  LEFT JOIN user_groups own ON own.code = u.group_code
  LEFT JOIN user_groups redeemed ON redeemed.code = u.redeemed_group_code
  WHERE b.user_id = $1`

const wholeSql = loadSql(openRows)

const refreshSql = loadSql(askedRows)

/** Reads an account. `nowMs` is the time as of which windows are summed. */
export const loadAccount = (
  sql: SqlClient.SqlClient,
  read: AccountRead,
  nowMs: number
): Effect.Effect<LoadedAccount, AccountUnavailable | UnknownAccount> => {
  const fences = knownFences(read.known)
  return sql.unsafe<{ readonly account: unknown }>(read.known === undefined ? wholeSql : refreshSql, [
    read.userId,
    `{${read.ids.join(",")}}`,
    `{${fences.map(([id]) => id).join(",")}}`,
    `{${fences.map(([, fence]) => fence).join(",")}}`,
    `{${read.keyIds.join(",")}}`
  ]).pipe(
    Effect.mapError((error) => new AccountUnavailable({ reason: error.message })),
    Effect.flatMap(([row]) =>
      row === undefined
        ? Effect.fail(new UnknownAccount({ userId: read.userId }))
        : Effect.orDie(decodeStored(row.account))
    ),
    Effect.map((stored) => toLoaded(stored, read, nowMs))
  )
}

/** Fences of the subscriptions whose windows are held: of another one the windows have to be read. */
const knownFences = (known: KnownAccount | undefined): ReadonlyArray<readonly [id: SubscriptionId, fence: bigint]> =>
  (known?.state.subscriptions ?? []).flatMap(({ id }) => {
    const fence = known?.fences.get(id)
    return fence === undefined ? [] : [[id, fence] as const]
  })

const toLoaded = (stored: typeof Stored.Type, read: AccountRead, nowMs: number): LoadedAccount => {
  const rows = new Map<string, ReservationRow>()
  for (const reservation of stored.reservations) rows.set(reservation.id, toRow(reservation))
  return {
    state: {
      usdMicros: stored.usd,
      owedMicros: stored.owed,
      heldMicros: stored.held,
      openHolds: stored.open_holds,
      countedOpen: stored.counted_open,
      groups: { own: stored.own_group, redeemed: stored.redeemed_group },
      subscriptions: stored.subscriptions.map((subscription) => toSubscription(subscription, read.known, nowMs)),
      open: openAfter(read, rows),
      ownLimits: toLimits(stored),
      uses: usesOf(stored.uses, read)
    },
    fences: new Map(stored.subscriptions.map((subscription) => [subscription.id, subscription.fence])),
    rows
  }
}

/** What is open of the rows read; a refresh keeps what it has not asked about. */
const openAfter = (read: AccountRead, rows: ReadonlyMap<string, ReservationRow>): AccountState["open"] =>
  HashMap.mutate(read.known?.state.open ?? HashMap.empty(), (open) => {
    for (const id of read.ids) HashMap.remove(open, id)
    for (const row of rows.values()) if (row.state === "reserved") HashMap.set(open, row.id, row)
  })

const toLimits = ({ concurrent, rpm, tpm }: Pick<typeof Stored.Type, "rpm" | "tpm" | "concurrent">): RateLimits =>
  rpm === null && tpm === null && concurrent === null
    ? noRateLimits
    : { requestsPerMinute: rpm, tokensPerMinute: tpm, concurrentCalls: concurrent }

/**
 * What limits have used. Open calls of keys that were not asked for stay as the reader knew them, also where nothing else is known of the
 * key: else its next call would be decided as if it had none open, and be rejected with all of its batch.
 */
const usesOf = ({ open, rates, spent }: typeof StoredUses.Type, read: AccountRead): CallUses => {
  const before = read.known?.state.uses ?? noUses
  if (rates.length + spent.length + read.keyIds.length + before.size === 0) return noUses
  const uses = new Map<bigint, CallUse>()
  for (const [keyId, use] of before) if (use.open > 0) uses.set(keyId, { ...unused, open: use.open })
  const change = (keyId: bigint, use: Partial<CallUse>) =>
    void uses.set(keyId, { ...uses.get(keyId) ?? unused, ...use })
  for (const { key_id: keyId, requests_us: requestsUs, tokens_us: tokensUs } of rates) {
    change(keyId, { requestsUs, tokensUs })
  }
  for (const { key_id: keyId, micros, period, start_ms: startMs } of spent) {
    change(keyId, { spent: [...uses.get(keyId)?.spent ?? [], { period, startMs, micros }] })
  }
  for (const keyId of read.keyIds) change(keyId, { open: open.find((one) => one.key_id === keyId)?.calls ?? 0 })
  return uses
}

const toRow = (stored: typeof StoredReservation.Type): ReservationRow => ({
  id: stored.id,
  state: stored.state,
  funding: stored.funding,
  subscriptionId: stored.subscription_id,
  price: priceSnapshotOf({
    inputMicrosPer1m: stored.input,
    cachedInputMicrosPer1m: stored.cached,
    cacheWriteMicrosPer1m: stored.write,
    outputMicrosPer1m: stored.output
  }, stored.extras),
  billingMultiplier: stored.billing,
  planMultiplier: stored.plan,
  groupMultiplier: stored.grp,
  reservedMicros: stored.reserved_micros,
  outputTokens: stored.output_limit,
  reservedAtMs: stored.reserved_at_ms,
  ...(stored.counted ? { counted: true } : {}),
  ...(stored.key_id === null ? {} : { keyId: stored.key_id }),
  costMicros: stored.cost_micros,
  chargedMicros: stored.charged_micros,
  late: stored.late
})

const toSubscription = (
  stored: typeof StoredSubscription.Type,
  known: KnownAccount | undefined,
  nowMs: number
): SubscriptionState => ({
  id: stored.id,
  startsAtMs: stored.starts_at_ms,
  endsAtMs: stored.ends_at_ms,
  limits: stored.limits,
  multiplier: stored.multiplier,
  groupMultiplier: stored.grp,
  rates: toLimits(stored),
  ...windowsOf(stored, known, nowMs)
})

const windowsOf = (
  { id, windows }: typeof StoredSubscription.Type,
  known: KnownAccount | undefined,
  nowMs: number
): Pick<SubscriptionState, "windows" | "held"> => {
  const before = known?.state.subscriptions.find((subscription) => subscription.id === id)
  if (windows === null && before !== undefined) return { windows: before.windows, held: before.held }
  const { hours, minutes } = windows ?? { hours: [], minutes: [] }
  const used = (buckets: typeof Buckets.Type) => buckets.map(([start, micros]) => [start, micros] as const)
  const held = (buckets: typeof Buckets.Type) =>
    buckets.filter(([, , micros]) => micros > 0n).map(([start, , micros]) => [start, micros] as const)
  return {
    windows: fromBuckets({ minutes: used(minutes), hours: used(hours) }, nowMs),
    held: fromBuckets({ minutes: held(minutes), hours: held(hours) }, nowMs)
  }
}

/** Gives a new user an empty account, inside the caller's transaction. */
export const openAccount = (sql: SqlClient.SqlClient, userId: UserId): Effect.Effect<void, SqlError.SqlError> =>
  Effect.asVoid(sql`INSERT INTO user_balances (user_id) VALUES (${userId}) ON CONFLICT DO NOTHING`)
