/**
 * The figures of metrics that only the database knows: open holds of all processes, debts, reviews, channels, connections, sizes. They
 * are read when metrics are asked for, once in ten seconds at most. A database that hangs keeps nobody waiting for longer than a
 * second: the figures are those of before then, and say how old they are.
 *
 * @internal
 */
import { Clock, Effect, Fiber, FiberSet, Metric, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { type BreakerState, ChannelHealth } from "../../channels/ChannelHealth.ts"
import { AppConfig } from "../../config/Config.ts"
import { ChannelId } from "../../domain/Ids.ts"
import { Count, Row } from "../../domain/Row.ts"
import { withinDatabaseWait } from "../../postgres/DatabaseUnavailable.ts"
import { freeBytes } from "../../postgres/DiskSpace.ts"
import { oneRowOf, rowsOf } from "../../postgres/Rows.ts"
import { GaugeFamily } from "./GaugeFamily.ts"

/** Between two reads, at least, in ms. */
const READ_EVERY_MS = 10_000

/** One read takes no longer, in ms. */
const READ_MS_MAX = 5_000

/** Who asks for metrics waits no longer for a read, in ms. */
const WAIT_MS_MAX = 1_000

/** Channels that have a series, at most. */
const CHANNELS_MAX = 200

const MS_PER_SECOND = 1_000

const Figures = Row({
  openHolds: Count,
  heldMicros: Schema.Number,
  oldestHoldSeconds: Schema.Number,
  overdueHolds: Count,
  owingAccounts: Count,
  owedMicros: Schema.Number,
  openReviews: Count,
  deferredEvents: Count,
  mailsWaiting: Count,
  databaseBytes: Count,
  connectionsMax: Schema.Number
})
type Figures = typeof Figures.Type

/** Holds are few thousands at most; the others have indexes of just these rows. */
const figuresSql =
  `SELECT h.open_holds, h.held_micros, h.oldest_hold_seconds, h.overdue_holds, d.owing_accounts, d.owed_micros,
    (SELECT count(*) FROM payment_events WHERE outcome = 'needs_review' AND resolved_at IS NULL) AS open_reviews,
    (SELECT count(*) FROM payment_events WHERE outcome = 'deferred' AND resolved_at IS NULL) AS deferred_events,
    (SELECT count(*) FROM notice_deliveries WHERE state = 'waiting' AND channel = 'mail' AND attempts > 0) AS mails_waiting,
    pg_database_size(current_database()) AS database_bytes,
    current_setting('max_connections')::float8 AS connections_max
  FROM (SELECT count(*) AS open_holds, coalesce(sum(reserved_micros), 0)::float8 AS held_micros,
      coalesce(extract(epoch FROM now() - min(reserved_at)), 0)::float8 AS oldest_hold_seconds,
      count(*) FILTER (WHERE lease_expires_at < now()) AS overdue_holds FROM open_holds) h,
    (SELECT count(*) AS owing_accounts, coalesce(sum(owed_micros), 0)::float8 AS owed_micros
      FROM user_balances WHERE owed_micros > 0) d`

const ChannelNow = Row({ id: ChannelId, name: Schema.String, enabled: Schema.Boolean })

const ConnectionsNow = Row({ application: Schema.String, state: Schema.String, count: Count })

/** Names that we give; others are not ours to repeat. */
const connectionsSql =
  `SELECT CASE WHEN application_name LIKE 'realms%' THEN left(application_name, 40) ELSE 'other' END AS application,
    coalesce(state, 'unknown') AS state, count(*) AS count
  FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY 1, 2 LIMIT 50`

const gauge = (id: string, description: string) => Metric.gauge(id, { description })

const gauges: Readonly<Record<keyof Figures, Metric.Gauge<number>>> = {
  openHolds: gauge("realms_open_holds", "Holds of calls under way, of all processes"),
  heldMicros: gauge("realms_open_holds_micros", "What those holds hold, in micros"),
  oldestHoldSeconds: gauge("realms_open_holds_oldest_seconds", "Age of the oldest of those holds"),
  overdueHolds: gauge("realms_open_holds_overdue", "Holds whose lease has passed; the sweeper ends them"),
  owingAccounts: gauge("realms_debts_accounts", "Accounts that owe something"),
  owedMicros: gauge("realms_debts_micros", "What they owe, in micros"),
  openReviews: gauge("realms_payment_reviews_open", "Payment events that somebody has to decide on"),
  deferredEvents: gauge("realms_payment_events_deferred", "Payment events that wait for another one"),
  mailsWaiting: gauge("realms_mails_waiting", "Mails that the mail server has not taken yet, after an attempt"),
  databaseBytes: gauge("realms_database_bytes", "Size of the database"),
  connectionsMax: gauge("realms_database_connections_max", "Connections that PostgreSQL takes")
}

const figureNames = Object.keys(Figures.fields).filter((name): name is keyof Figures => name in gauges)

const ageSeconds = gauge("realms_database_figures_age_seconds", "Age of the figures that are read from the database")
const diskBytes = gauge("realms_disk_free_bytes", "Free space in the data folder")

const stateNumbers: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 }

/** Reads the figures where they are too old; does not fail. */
export const makeDatabaseGauges = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const health = yield* ChannelHealth
  const { dataDir } = yield* AppConfig
  const context = yield* Effect.context<never>()
  // A read belongs to nobody's request: it goes on when its asker has gone.
  const run = yield* FiberSet.makeRuntime<never, void>()
  const channels = new GaugeFamily(
    "realms_channel_state",
    "Circuit breaker of a channel: 0 closed, 1 half-open, 2 open"
  )
  const enabled = new GaugeFamily("realms_channel_enabled", "1 while a channel is enabled, else 0")
  const connections = new GaugeFamily(
    "realms_database_connections",
    "Connections to the database, by what they are for"
  )
  let askedMs = Number.NEGATIVE_INFINITY
  let readMs: number | undefined

  const read = Effect.gen(function*() {
    const figures = yield* oneRowOf(Figures, sql.unsafe(figuresSql))
    for (const name of figureNames) gauges[name].updateUnsafe(figures[name], context)
    const nowMs = yield* Clock.currentTimeMillis
    const found = yield* rowsOf(
      ChannelNow,
      sql`SELECT id, name, disabled_at IS NULL AS enabled FROM channels ORDER BY id LIMIT ${CHANNELS_MAX}`
    )
    channels.set(
      found.map(({ id, name }) => [{ channel: name }, stateNumbers[health.stateOf(id, null, nowMs)]]),
      context
    )
    enabled.set(found.map((channel) => [{ channel: channel.name }, channel.enabled ? 1 : 0]), context)
    const open = yield* rowsOf(ConnectionsNow, sql.unsafe(connectionsSql))
    connections.set(open.map(({ application, count, state }) => [{ application, state }, count]), context)
    readMs = nowMs
  })

  const readDisk = Effect.map(freeBytes(dataDir), (free) => {
    if (free !== undefined) diskBytes.updateUnsafe(free, context)
  })

  let reading: Fiber.Fiber<void> | undefined
  const refresh = Effect.gen(function*() {
    const nowMs = yield* Clock.currentTimeMillis
    if (reading === undefined && nowMs - askedMs >= READ_EVERY_MS) {
      askedMs = nowMs
      reading = run(
        Effect.all([Effect.ignore(withinDatabaseWait(read, READ_MS_MAX)), readDisk], { concurrency: 2, discard: true })
          .pipe(
            Effect.catchDefect((defect) => Effect.logError("figures for metrics could not be read", defect)),
            Effect.ensuring(Effect.sync(() => {
              reading = undefined
            }))
          )
      )
    }
    if (reading !== undefined) yield* Effect.timeoutOption(Fiber.await(reading), WAIT_MS_MAX)
    const atMs = yield* Clock.currentTimeMillis
    if (readMs !== undefined) ageSeconds.updateUnsafe((atMs - readMs) / MS_PER_SECOND, context)
  })
  return { refresh }
})
