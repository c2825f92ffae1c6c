/**
 * The figures of the whole service that root looks at first, besides what calls came to and what waits for review: who came,
 * what was paid, and what is open. All are read as they are now, by index, in one statement.
 */
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { Fen } from "../domain/Money.ts"
import { Count, Row } from "../domain/Row.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import { bounded } from "./UsageRefused.ts"

/** Since some moment. */
export interface PeriodFigures {
  readonly newUsers: number
  /** Top-ups that are paid and not clawed back. */
  readonly topupsFen: bigint
  /** Plans that are paid and not clawed back. */
  readonly plansFen: bigint
}

export interface ServiceFigures {
  readonly today: PeriodFigures
  readonly month: PeriodFigures
  readonly users: number
  readonly ordersPending: number
  /** Calls that are under way, at most {@link OPEN_CALLS_COUNTED_MAX}. */
  readonly callsOpen: number
}

export class ServiceOverview extends Context.Service<ServiceOverview, {
  /** Since the start of today and the start of a month's first day, ms since the epoch. */
  figures(todayMs: number, monthMs: number): Effect.Effect<ServiceFigures, DatabaseUnavailable>
}>()("realms/usage/ServiceOverview") {
  static readonly layer = Layer.effect(ServiceOverview)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const figures = Effect.fn("ServiceOverview.figures")(function*(todayMs: number, monthMs: number) {
      const now = yield* bounded(oneRowOf(
        Figures,
        sql`
      WITH since AS (
        SELECT to_timestamp(${todayMs}::bigint / 1000.0) AS today, to_timestamp(${monthMs}::bigint / 1000.0) AS month
      ), people AS (
        SELECT count(*) AS users, count(*) FILTER (WHERE u.created_at >= s.today) AS users_today,
            count(*) FILTER (WHERE u.created_at >= s.month) AS users_month
          FROM users u, since s
      ), topups AS (
        SELECT coalesce(sum(amount_fen) FILTER (WHERE settled_at >= s.today), 0)::bigint AS topups_today,
            coalesce(sum(amount_fen), 0)::bigint AS topups_month
          FROM topup_orders, since s WHERE state = 'paid' AND settled_at >= s.month
      ), plans AS (
        SELECT coalesce(sum(amount_fen) FILTER (WHERE settled_at >= s.today), 0)::bigint AS plans_today,
            coalesce(sum(amount_fen), 0)::bigint AS plans_month
          FROM subscription_orders, since s WHERE state = 'active' AND settled_at >= s.month
      )
      SELECT people.*, topups.*, plans.*,
          (SELECT count(*) FROM topup_orders WHERE state = 'pending')
            + (SELECT count(*) FROM subscription_orders WHERE state = 'pending') AS pending,
          (SELECT count(*) FROM (
            SELECT FROM open_holds LIMIT ${OPEN_CALLS_COUNTED_MAX}) o) AS open
        FROM people, topups, plans`
      ))
      return {
        today: { newUsers: now.usersToday, topupsFen: now.topupsToday, plansFen: now.plansToday },
        month: { newUsers: now.usersMonth, topupsFen: now.topupsMonth, plansFen: now.plansMonth },
        users: now.users,
        ordersPending: now.pending,
        callsOpen: now.open
      }
    })

    return ServiceOverview.of({ figures })
  }))
}

/** More are not told apart. */
export const OPEN_CALLS_COUNTED_MAX = 10_000

const Figures = Row({
  users: Count,
  usersToday: Count,
  usersMonth: Count,
  topupsToday: Fen,
  topupsMonth: Fen,
  plansToday: Fen,
  plansMonth: Fen,
  pending: Count,
  open: Count
})
