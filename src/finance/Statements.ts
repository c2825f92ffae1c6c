/**
 * Statements of days, months or any range of them: closed days as they were written down, and what was booked since then as it is
 * now. One snapshot of the database, so that what users have at this moment is what the lines add up to.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { Row } from "../domain/Row.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings } from "../settings/Settings.ts"
import type { RangeRefused, UnknownKind } from "./FinanceError.ts"
import { type Held, heldNow, movementsIn, unearnedAt } from "./MovementSums.ts"
import { type DayRange, rangeAsked } from "./RangeAsked.ts"
import { type ClosedDay, closedWithin, lastClosedBy } from "./StatementDays.ts"
import { type Books, booksAfter, joinAll, joinBooks, noBooks } from "./StatementLines.ts"

export interface Statement extends DayRange {
  readonly timeZone: string
  readonly startsAt: Date
  readonly endsAt: Date
  /** Every day of it is closed: it never changes again. */
  readonly isClosed: boolean
  readonly closedDays: number
  readonly books: Books
  /**
   * Where it reaches to this moment: what is spendable, held and owed, read in the same snapshot. The closing balance is the first
   * two, the closing debt the third.
   */
  readonly now: Held | null
}

/** What users have paid for and not used, at the end of a day. */
export interface Liability {
  readonly day: string
  readonly timeZone: string
  readonly at: Date
  /** What users have: balances and holds, in micros. */
  readonly prepaidMicros: bigint
  /** What users owe, in micros: a claim, not a part of it. */
  readonly owedMicros: bigint
  /** Of plans, in the minor unit, by currency. */
  readonly unearned: ReadonlyArray<{ readonly currency: string; readonly minor: bigint }>
}

type Failure = UnknownKind | DatabaseUnavailable

export class Statements extends Context.Service<Statements, {
  /** The days that are asked for; see `rangeAsked`. */
  range(asked: Parameters<typeof rangeAsked>[0]): Effect.Effect<DayRange, RangeRefused | DatabaseUnavailable>
  statement(range: DayRange): Effect.Effect<Statement, Failure>
  /** The closed days of a range, oldest first. */
  days(range: DayRange): Effect.Effect<ReadonlyArray<ClosedDay>, DatabaseUnavailable>
  liability(day: string): Effect.Effect<Liability, RangeRefused | Failure>
}>()("realms/finance/Statements") {
  static readonly layer = Layer.effect(Statements)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const settings = yield* Settings

    const inSnapshot = <A, E>(effect: Effect.Effect<A, E | SqlError.SqlError>) =>
      orUnavailable(
        inTransaction(sql, Effect.andThen(sql.unsafe(`SET LOCAL statement_timeout = ${STATEMENT_MS_MAX}`), effect))
          .pipe(
            Effect.provideService(SqlClient.BeginTransaction, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
          )
      )

    /** The books from the beginning up to a moment. */
    const upTo = Effect.fnUntraced(function*(at: Date) {
      const before = yield* lastClosedBy(sql, at)
      if (before !== undefined && before.endsAt.getTime() === at.getTime()) return before.books
      return booksAfter(
        before?.books ?? noBooks,
        yield* movementsIn(sql, { from: before?.endsAt ?? null, to: at }),
        yield* unearnedAt(sql, at)
      )
    })

    const read = Effect.fnUntraced(function*(range: DayRange, timeZone: string) {
      const bounds = yield* oneRowOf(Bounds, sql.unsafe(boundsSql, [range.from, range.to, timeZone]))
      const closed = yield* closedWithin(sql, range)
      const closedTo = closed.at(-1)?.endsAt ?? bounds.startsAt
      const [first] = closed
      const opening = first === undefined
        ? yield* upTo(bounds.startsAt)
        : (yield* lastClosedBy(sql, first.startsAt))?.books ?? noBooks
      // What is not closed of it, up to what this snapshot sees where it is not over.
      const isOpen = closedTo.getTime() < bounds.endsAt.getTime()
      const to = bounds.isOver ? bounds.endsAt : null
      const settled = joinAll(opening, closed.map(({ books }) => books))
      const books = isOpen
        ? joinBooks(
          settled,
          booksAfter(settled, yield* movementsIn(sql, { from: closedTo, to }), yield* unearnedAt(sql, to))
        )
        : settled
      return {
        ...range,
        timeZone,
        startsAt: first?.startsAt ?? bounds.startsAt,
        endsAt: bounds.endsAt,
        isClosed: !isOpen && bounds.isOver,
        closedDays: closed.length,
        books,
        now: bounds.isOver ? null : yield* heldNow(sql)
      } satisfies Statement
    })

    const range = (asked: Parameters<typeof rangeAsked>[0]) =>
      Effect.flatMap(settings.fresh, ({ finance }) => rangeAsked(asked, finance.timeZone))

    const statement = Effect.fn("Statements.statement")(function*(range: DayRange) {
      const { finance } = yield* settings.fresh
      return yield* inSnapshot(read(range, finance.timeZone))
    })

    const days = (range: DayRange) => orUnavailable(closedWithin(sql, range))

    const liability = Effect.fn("Statements.liability")(function*(day: string) {
      const { books, endsAt, timeZone } = yield* statement(yield* range({ from: day }))
      return {
        day,
        timeZone,
        at: endsAt,
        prepaidMicros: books.balances.closing,
        owedMicros: books.debts.closing,
        unearned: books.plans.map(({ currency, unearned }) => ({ currency, minor: unearned }))
      } satisfies Liability
    })

    return Statements.of({ range, statement, days, liability })
  }))
}

/** A statement takes no longer, in ms: where no day is closed yet, every call is summed. */
const STATEMENT_MS_MAX = 120_000

const Bounds = Row({ startsAt: Schema.Date, endsAt: Schema.Date, isOver: Schema.Boolean })

/** When a range begins and ends. One that is not over ends now. */
const boundsSql = `
  SELECT starts_at, greatest(starts_at, ends_at) AS ends_at, ends_at <= now() AS is_over FROM (
    SELECT least(now(), realms_day_starts_v1($1::date, $3)) AS starts_at, realms_day_starts_v1($2::date + 1, $3) AS ends_at
  ) b`
