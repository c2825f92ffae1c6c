/**
 * Days of the books. A day is closed some minutes after its end, once nothing can be booked in it any more, and what was booked in it
 * is written down for ever. Days are those of the time zone that root has saved; until it is saved, none is closed.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Row } from "../domain/Row.ts"
import { inRounds } from "../platform/Rounds.ts"
import { Singletons } from "../platform/Singletons.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf, rowOf, rowsOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings } from "../settings/Settings.ts"
import type { UnknownKind } from "./FinanceError.ts"
import { movementsIn, unearnedAt } from "./MovementSums.ts"
import { Books, booksAfter, encodeBooks, noBooks } from "./StatementLines.ts"

type Sql = SqlClient.SqlClient

/** A day that is closed. */
export const ClosedDay = Row({
  /** Such as `2026-11-03`. */
  day: Schema.String,
  timeZone: Schema.String,
  startsAt: Schema.Date,
  endsAt: Schema.Date,
  closedAt: Schema.Date,
  books: Books
}, { books: "lines" })
export interface ClosedDay extends Schema.Schema.Type<typeof ClosedDay> {}

const NextDay = Row({ day: Schema.String, startsAt: Schema.Date, endsAt: Schema.Date, due: Schema.Boolean })

const TriedLock = Row({ held: Schema.Boolean })

const Busy = Row({ busy: Schema.Boolean })

export class StatementDays extends Context.Service<StatementDays, {
  /** Closes the days that are over, oldest first, 31 at most; answers them. Several servers at it take turns. */
  readonly closeDue: Effect.Effect<ReadonlyArray<string>, DatabaseUnavailable | UnknownKind>
}>()("realms/finance/StatementDays") {
  static readonly layer = Layer.effect(StatementDays)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings

    /** Closes the next day; undefined if no day is left to close. Each statement of the transaction sees what was committed by then. */
    const closeNext = Effect.gen(function*() {
      const { held } = yield* oneRowOf(
        TriedLock,
        sql`SELECT pg_try_advisory_xact_lock(${CLOSE_LOCK}) AS held`
      )
      if (!held) return undefined
      const saved = yield* sql`SELECT FROM app_settings WHERE key = 'finance.time_zone'`
      if (saved.length === 0) return undefined
      const { finance: { timeZone } } = yield* settings.fresh
      yield* sql`SET LOCAL statement_timeout = 0`
      const next = yield* rowOf(NextDay, sql.unsafe(nextSql, [timeZone]))
      if (next === undefined || !next.due) return undefined
      if (yield* isUnderWay(sql, next.endsAt)) {
        yield* Effect.logInfo(
          `the day ${next.day} is not closed yet: a transaction is under way that began in it, or a session of the database cannot be ` +
            "seen (grant pg_read_all_stats to this server's database user, and leave track_activities on)"
        )
        return undefined
      }
      const before = yield* lastClosedBy(sql, null)
      const stretch = { from: before?.endsAt ?? null, to: next.endsAt }
      const books = booksAfter(
        before?.books ?? noBooks,
        yield* movementsIn(sql, stretch),
        yield* unearnedAt(sql, next.endsAt)
      )
      yield* sql`INSERT INTO statement_days (day, time_zone, starts_at, ends_at, lines)
      VALUES (${next.day}::date, ${timeZone}, ${next.startsAt}, ${next.endsAt}, ${
        JSON.stringify(encodeBooks(books))
      }::jsonb)`
      return next.day
    })

    const closeDue = Effect.gen(function*() {
      const closed: Array<string> = []
      while (closed.length < ROUND_DAYS_MAX) {
        const day = yield* orUnavailable(inTransaction(sql, closeNext))
        if (day === undefined) break
        closed.push(day)
      }
      return closed
    })

    return StatementDays.of({ closeDue })
  }))
}

/** After its end a day is left open so long. */
const GRACE_MINUTES = 10

/** Days closed in one round, at most. */
const ROUND_DAYS_MAX = 31

/** Of the advisory lock under which days are closed. */
const CLOSE_LOCK = 7_304_160_531n

const dayColumns = "to_char(day, 'YYYY-MM-DD') AS day, time_zone, starts_at, ends_at, closed_at, lines"

/** The last day that is closed and had ended by a moment; null: by now. */
export const lastClosedBy = (sql: Sql, at: Date | null): Effect.Effect<ClosedDay | undefined, SqlError.SqlError> =>
  rowOf(
    ClosedDay,
    sql.unsafe(
      `SELECT ${dayColumns} FROM statement_days WHERE $1::timestamptz IS NULL OR ends_at <= $1 ORDER BY starts_at DESC LIMIT 1`,
      [at]
    )
  )

/** The books of every closed day, oldest first. */
export const closedBooks = (sql: Sql): Effect.Effect<ReadonlyArray<Books>, SqlError.SqlError> =>
  Effect.map(
    rowsOf(ClosedDay, sql.unsafe(`SELECT ${dayColumns} FROM statement_days ORDER BY starts_at`)),
    (days) => days.map(({ books }) => books)
  )

/** Days of a range that are closed, oldest first. */
export const closedWithin = (
  sql: Sql,
  range: { readonly from: string; readonly to: string }
): Effect.Effect<ReadonlyArray<ClosedDay>, SqlError.SqlError> =>
  rowsOf(
    ClosedDay,
    sql.unsafe(
      `SELECT ${dayColumns} FROM statement_days WHERE day BETWEEN $1::date AND $2::date ORDER BY day`,
      [range.from, range.to]
    )
  )

/**
 * Whether a transaction of this database is under way, other than this one, that began before a moment: what it writes has the date
 * on which it began. A session whose state this database user may not see, or that does not say it, may have one; so may a prepared
 * transaction, which does not say when it began.
 */
export const isUnderWay = (sql: Sql, before: Date): Effect.Effect<boolean, SqlError.SqlError> =>
  Effect.map(
    oneRowOf(
      Busy,
      sql`SELECT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
          AND (a.xact_start < ${before} OR a.backend_type = 'client backend' AND coalesce(a.state, 'disabled') = 'disabled'))
        OR EXISTS (SELECT FROM pg_prepared_xacts x WHERE x.database = current_database()) AS busy`
    ),
    ({ busy }) => busy
  )

/** The day after the last one: the first, by the zone of now, that ends after it. The books begin with the first user. */
const nextSql = `
  SELECT to_char(d.day, 'YYYY-MM-DD') AS day, d.starts_at, d.ends_at,
    now() >= d.ends_at + make_interval(mins => ${GRACE_MINUTES}) AS due
  FROM (
    SELECT c.day, coalesce(l.ends_at, realms_midnight_v1(c.day, $1)) AS starts_at,
        realms_midnight_v1(c.day + 1, $1) AS ends_at, l.ends_at AS after
      FROM (SELECT max(day) AS day, max(ends_at) AS ends_at FROM statement_days) l
      CROSS JOIN LATERAL (
        SELECT coalesce(l.day + 1, ((SELECT min(created_at) FROM users) AT TIME ZONE $1)::date) + i AS day
          FROM generate_series(0, 1) AS i
      ) c
  ) d
  WHERE d.day IS NOT NULL AND (d.after IS NULL OR d.ends_at > d.after)
  ORDER BY d.day LIMIT 1`

/** Between two rounds of a server, in milliseconds. */
const ROUND_MS = 60_000

/** Closes days as long as the layer lives. */
export const DayCloserLayer = Layer.effectDiscard(Effect.gen(function*() {
  const days = yield* StatementDays
  const close = Effect.tap(
    days.closeDue,
    (closed) => closed.length > 0 ? Effect.logInfo("days of the books were closed", { days: closed }) : Effect.void
  )
  const run = yield* Singletons
  yield* run("day-closer", inRounds(close, { failure: "days of the books could not be closed", everyMs: ROUND_MS }))
}))
