/**
 * The part of the ledger check that compares the tables with one another: windows with calls and limits, ledger entries with
 * what explains them, leases, debts, and the guards against deletion.
 *
 * @internal
 */
import { Effect, Schema } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { rowsOf } from "../postgres/Rows.ts"
import type { AuditList, AuditProblem } from "./Audit.ts"
import { checkOf } from "./AuditFindings.ts"
import { chargedOf } from "./Charged.ts"
import { ledgerKinds } from "./LedgerKinds.ts"

/** Debts that are listed, at most. */
const DEBTS_MAX = 20

/** An open hold may outlive its lease by this, in seconds, before it counts as leaked: sweeps are not instant. */
const OVERDUE_SECONDS = 60

/** What a user owes, in micros. */
export interface Debt {
  readonly userId: UserId
  readonly owedMicros: bigint
}

const ListedDebt = Row({ userId: UserId, owedMicros: Micros, debts: Schema.BigInt })

const Guard = Row({ name: Schema.String }, { name: "tgname" })

/** Every minute of every subscription, against its calls; minutes that retention has passed are in no window any more. */
const bucketsSql = `
  SELECT s.user_id, format('the windows of subscription %s and its calls differ in %s minutes, first at %s: %s is counted and '
      '%s held, its calls have %s and hold %s micros', s.id, count(*), min(d.bucket_start),
      sum(d.counted), sum(d.counted_held), sum(d.used), sum(d.used_held)) AS message
  FROM (
    SELECT subscription_id, bucket_start, coalesce(w.micros, 0) AS counted, coalesce(w.held_micros, 0) AS counted_held,
      coalesce(c.micros, 0) AS used, coalesce(c.held, 0) AS used_held
    FROM subscription_usage w FULL JOIN (
      SELECT subscription_id, date_trunc('minute', reserved_at) AS bucket_start,
        sum(CASE WHEN state = 'reserved' THEN reserved_micros ELSE ${chargedOf("calls")} END) AS micros,
        sum(CASE WHEN state = 'reserved' THEN reserved_micros ELSE 0 END) AS held
      FROM calls WHERE funding = 'subscription' GROUP BY 1, 2
    ) c USING (subscription_id, bucket_start)
  ) d JOIN user_subscriptions s ON s.id = d.subscription_id
  WHERE d.bucket_start >= coalesce((SELECT kept_from FROM subscription_usage_kept), '-infinity')
    AND (d.counted <> d.used OR d.counted_held <> d.used_held)
  GROUP BY s.id, s.user_id ORDER BY s.id`

/**
 * Whatever is added to a window - a hold, an extension, the collected part of a cost above the hold, a late commit - is added
 * while it has room, and time only takes away. So no window as of now is above its limit; one of the past may be, because a
 * late commit is counted at the time of its reserve. The clocks of runners may be off a little: the last minute is left out.
 */
const limitsSql = `
  SELECT s.user_id, format('subscription %s has used %s of %s micros in its window of %s hours', s.id, u.micros, w.limit_micros,
      w.hours) AS message
  FROM user_subscriptions s
  CROSS JOIN LATERAL (VALUES (5, 'minute', s.limit_5h_micros), (24, 'minute', s.limit_1d_micros),
    (168, 'hour', s.limit_7d_micros), (720, 'hour', s.limit_30d_micros)) AS w (hours, bucket, limit_micros)
  CROSS JOIN LATERAL (
    SELECT sum(b.micros) AS micros FROM subscription_usage b
    WHERE b.subscription_id = s.id
      AND b.bucket_start > now() - make_interval(hours => w.hours + 1)
      AND date_trunc(w.bucket, b.bucket_start, 'UTC') + ('1 ' || w.bucket)::interval
        > now() + interval '1 minute' - make_interval(hours => w.hours)
  ) u
  WHERE w.limit_micros > 0 AND u.micros > w.limit_micros ORDER BY s.id, w.hours`

const overdueSql = `
  SELECT user_id, format('reservation %s is open past its lease: is a server running to sweep it?', id) AS message
  FROM open_holds WHERE lease_expires_at < now() - make_interval(secs => ${OVERDUE_SECONDS})`

/** A debt that a call's end has paid: by what was held and not charged, or by the balance for what no window had room for. */
const recoveriesSql = `
  SELECT l.user_id, format('entry %s recovers %s micros from call %s, which gave less', l.id, -l.amount_micros, l.ref_id)
    AS message
  FROM ledger_entries l
  LEFT JOIN usage_events e ON e.user_id = l.user_id
    AND e.id = CASE WHEN l.ref_id ~ '^[0-9a-f-]{36}(:late)?$' THEN left(l.ref_id, 36)::uuid END
  WHERE l.kind = 'recovery' AND l.ref_type = 'usage' AND (e.id IS NULL OR -l.amount_micros > CASE
      WHEN l.ref_id LIKE '%:late' AND NOT e.late THEN 0
      WHEN e.funding = 'balance' AND e.late THEN e.reserved_micros
      WHEN e.funding = 'balance' THEN e.reserved_micros - ${chargedOf("e")}
      WHEN e.funding = 'subscription' THEN e.cost_micros - ${chargedOf("e")}
      ELSE 0
    END)`

/**
 * What explains an entry of each kind, and which way it moves the balance. Orders, codes and events are compared with their
 * entries by the checks of those who write them; here every entry has to be of a kind that somebody checks.
 */
const kinds = `(VALUES ${
  Object.entries(ledgerKinds).flatMap(([kind, { direction, refType }]) =>
    refType === null ? [] : [`('${kind}', '${refType}', ${direction})`]
  ).join(", ")
}) AS k (kind, ref_type, direction)`

/** A call is open or has ended. */
const twiceSql = `
  SELECT h.user_id, format('call %s is open and has ended', h.id) AS message
  FROM open_holds h JOIN usage_events e ON e.id = h.id`

/** Calls that the fold has passed and counted, of users and of keys, against what reports and limits of keys read. */
const foldedSql = (() => {
  const passed = `SELECT c.user_id, c.key_id, c.charged_micros FROM usage_folds f
      JOIN usage_calls c ON c.user_id = f.user_id AND c.id <= f.through
      WHERE c.counts AND NOT EXISTS (SELECT FROM usage_pending p WHERE p.user_id = c.user_id AND p.id = c.id)`
  return `
  SELECT coalesce(h.user_id, e.user_id) AS user_id, format('reports count %s folded calls of %s micros, there are %s of %s micros',
      coalesce(h.calls, 0), coalesce(h.charged, 0), coalesce(e.calls, 0), coalesce(e.charged, 0)) AS message
  FROM (SELECT user_id, sum(calls) AS calls, sum(charged_micros) AS charged FROM usage_days GROUP BY 1) h
  FULL JOIN (SELECT user_id, count(*) AS calls, sum(charged_micros) AS charged FROM (${passed}) c GROUP BY 1) e USING (user_id)
  WHERE h.calls IS DISTINCT FROM e.calls OR h.charged IS DISTINCT FROM e.charged
  UNION ALL
  SELECT k.user_id, format('key %s counts %s micros of folded calls, there are %s micros', coalesce(h.key_id, e.key_id),
      coalesce(h.charged, 0), coalesce(e.charged, 0))
  FROM (SELECT key_id, charged_micros AS charged FROM usage_keys) h
  FULL JOIN (SELECT key_id, sum(charged_micros) AS charged FROM (${passed}) c WHERE key_id <> 0 GROUP BY 1) e USING (key_id)
  LEFT JOIN api_keys k ON k.id = coalesce(h.key_id, e.key_id)
  WHERE coalesce(h.charged, 0) <> coalesce(e.charged, 0)
  UNION ALL
  SELECT user_id, format('the day of %s counts %s folded calls of %s micros, its hours %s of %s micros', day, coalesce(d.calls, 0),
      coalesce(d.charged, 0), coalesce(h.calls, 0), coalesce(h.charged, 0))
  FROM (SELECT user_id, day, calls, charged_micros AS charged FROM usage_days) d
  FULL JOIN (SELECT user_id, date_trunc('day', hour, 'UTC') AS day, sum(calls) AS calls, sum(charged_micros) AS charged
    FROM usage_hours GROUP BY 1, 2) h USING (user_id, day)
  WHERE coalesce(d.calls, 0) <> coalesce(h.calls, 0) OR coalesce(d.charged, 0) <> coalesce(h.charged, 0)
  UNION ALL
  SELECT NULL, format('the report of all users counts %s calls of %s micros in the hour of %s, their own count %s of %s micros',
      coalesce(t.calls, 0), coalesce(t.charged, 0), hour, coalesce(h.calls, 0), coalesce(h.charged, 0))
  FROM (SELECT hour, model, channel, sum(calls) AS calls, sum(charged_micros) AS charged FROM usage_totals GROUP BY 1, 2, 3) t
  FULL JOIN (SELECT hour, model, channel, sum(calls) AS calls, sum(charged_micros) AS charged FROM usage_hours GROUP BY 1, 2, 3) h
    USING (hour, model, channel)
  WHERE coalesce(t.calls, 0) <> coalesce(h.calls, 0) OR coalesce(t.charged, 0) <> coalesce(h.charged, 0)`
})()

/** What keys have spent of their limits, against their calls. */
const keySpendSql = `
  SELECT s.user_id, format('key %s counts %s micros of its %s from %s, its calls have %s', s.key_id, s.spent_micros, s.period,
      s.starts_at, c.micros) AS message
  FROM key_spend s
  CROSS JOIN LATERAL (SELECT realms_key_spent_v1(s.user_id, s.key_id, s.period, s.starts_at) AS micros) c
  WHERE s.spent_micros <> c.micros ORDER BY s.key_id`

/** The entries of a user are numbered without gaps. */
const numbersSql = `
  SELECT user_id, format('%s entries are numbered up to %s', count(*), max(seq)) AS message
  FROM ledger_entries GROUP BY user_id HAVING count(*) <> max(seq) OR min(seq) <> 1`

const explainedSql = `
  SELECT l.user_id, format('entry %s is a %s of %s micros for %s %s, which nothing explains', l.id, l.kind, l.amount_micros,
      l.ref_type, l.ref_id) AS message
  FROM ledger_entries l LEFT JOIN ${kinds} ON k.kind = l.kind AND k.ref_type = l.ref_type
  WHERE l.kind <> 'recovery' AND (k.kind IS NULL OR l.amount_micros * k.direction < 0)
  UNION ALL
  SELECT l.user_id, format('entry %s, a %s of %s micros (%s), is not in the audit log', l.id, l.kind,
      l.amount_micros - l.owed_micros, l.ref_id)
  FROM ledger_entries l
  WHERE l.kind IN ('adjustment', 'waiver') AND l.ref_type = l.kind AND NOT EXISTS (
    SELECT FROM audit_log a WHERE a.target = 'user:' || l.user_id
      AND a.action = CASE l.kind WHEN 'waiver' THEN 'debt.waived' ELSE 'balance.adjusted' END
      AND a.after ->> 'key' = l.ref_id)
  UNION ALL
  SELECT l.user_id, format('entry %s recovers %s micros from the credit %s %s, which gave less', l.id, -l.amount_micros,
      l.ref_type, l.ref_id)
  FROM ledger_entries l
  WHERE l.kind = 'recovery' AND l.ref_type <> 'usage' AND NOT EXISTS (
    SELECT FROM ledger_entries c WHERE c.user_id = l.user_id AND c.ref_type = l.ref_type
      AND c.ref_id || ':' || c.kind = l.ref_id AND c.kind <> 'recovery' AND c.amount_micros >= -l.amount_micros)`

const debtsSql = `SELECT user_id, owed_micros, count(*) OVER () AS debts FROM user_balances WHERE owed_micros > 0
  ORDER BY user_id DESC LIMIT ${DEBTS_MAX}`

const guards = [
  "keep_ledger_entries",
  "keep_ledger_entries_all",
  "keep_usage_events",
  "keep_usage_events_all",
  "keep_redemption_batches_gift",
  "keep_confirmations_closed",
  ...[
    "user_balances",
    "user_subscriptions",
    "topup_orders",
    "subscription_orders",
    "payment_attempts",
    "payment_events",
    "payments",
    "audit_log",
    "redemption_batches",
    "redemption_codes",
    "redemptions",
    "subscription_grants",
    "payment_refunds",
    "payment_disputes",
    "subscription_changes",
    "cash_movements",
    "statement_days",
    "confirmations"
  ]
    .flatMap((table) => [`keep_${table}`, `keep_${table}_all`])
]

/** Nothing is posted twice because of this index; were it gone, nobody would see that something was. */
const uniqueSql =
  `SELECT FROM pg_index i WHERE i.indrelid = 'ledger_entries'::regclass AND i.indisunique AND i.indisvalid
  AND pg_get_indexdef(i.indexrelid) LIKE '%(ref_type, ref_id, kind)'`

const notUnique: AuditProblem = {
  invariant: "I4",
  userId: null,
  message: "nothing keeps ledger entries from being posted twice: their unique index is missing"
}

/** The guards that hold on each table they are for: those of `usage_events` on each of its partitions too. */
const guardsSql = `SELECT tgname FROM pg_trigger WHERE tgname LIKE 'keep\\_%' GROUP BY tgname
  HAVING bool_and(tgenabled = 'O') AND (tgname NOT IN ('keep_usage_events', 'keep_usage_events_all')
    OR count(*) = (SELECT count(*) FROM pg_partition_tree('usage_events')))`

const missingGuards = Effect.fnUntraced(function*(sql: SqlClient.SqlClient) {
  const enabled = yield* rowsOf(
    Guard,
    sql.unsafe(guardsSql)
  )
  const present = new Set(enabled.map(({ name }) => name))
  const missing = guards.filter((name) => !present.has(name)).map((guard): AuditProblem => ({
    invariant: "I9",
    userId: null,
    message: `the guard ${guard} is missing or switched off`
  }))
  const unique = yield* sql.unsafe(uniqueSql)
  return unique.length > 0 ? missing : [...missing, notUnique]
})

const comparisons = checkOf([
  ["I7", bucketsSql],
  ["I7", limitsSql],
  ["I3", recoveriesSql],
  ["I6", overdueSql],
  ["I3", twiceSql],
  ["I3", foldedSql],
  ["I2", keySpendSql],
  ["I4", explainedSql],
  ["I9", numbersSql]
])

/** Compares the tables, in the snapshot of the transaction under way. */
export const auditBooks = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient
): Effect.fn.Return<ReadonlyArray<AuditProblem>, SqlError.SqlError> {
  return [...yield* comparisons(sql), ...yield* missingGuards(sql)]
})

/** The debts; those of the newest users are listed. */
export const auditDebts = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient
): Effect.fn.Return<AuditList<Debt>, SqlError.SqlError> {
  const listed = yield* rowsOf(ListedDebt, sql.unsafe(debtsSql))
  return {
    count: Number(listed[0]?.debts ?? 0n),
    newest: listed.map(({ owedMicros, userId }) => ({ userId, owedMicros }))
  }
})
