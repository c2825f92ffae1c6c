/**
 * Watches the books while the server runs: in each round the accounts that have changed since the last one are summed again, and
 * what their balances and debts differ by from their rows is a metric that has to be 0. `realms audit` proves more, and once.
 * Calls that the reports have folded are summed by the hour, so that an account with many calls costs little.
 */
import { Clock, Context, Effect, Layer, Metric, Option, type Schema } from "effect"
import { SqlClient } from "effect/sql"
import { UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { Notifications } from "../platform/Notifications.ts"
import { inRounds } from "../platform/Rounds.ts"
import { withinDatabaseWait } from "../postgres/DatabaseUnavailable.ts"
import { rowsOf } from "../postgres/Rows.ts"
import { Accounts } from "./Accounts.ts"
import { chargedOf } from "./Charged.ts"

/** Between two rounds. */
const ROUND_MS = 30_000

/** Accounts of one round, and of one statement, at most. What is left over comes first in the next round. */
const ROUND_USERS_MAX = 1_000
const STEP_USERS_MAX = 50

/** One statement takes no longer; its accounts wait for the next round. */
const STEP_MS_MAX = 5_000

/** Users of drifting accounts that the log names, at most. */
const LOGGED_USERS_MAX = 20

/** Accounts that wait for their round, at most. What is beyond is not looked at, and the log says how many. */
const WAITING_USERS_MAX = 100_000

const driftMicros = Metric.gauge("realms_ledger_drift_micros", {
  description:
    "What balances and debts of changed accounts differ by from the sum of their rows, in micros; has to be 0",
  bigint: true
})

/** What one account's balance and debt differ by from its rows, in micros. */
export const AccountDrift = Row({ userId: UserId, driftMicros: Micros }, { driftMicros: "drift" })
export interface AccountDrift extends Schema.Schema.Type<typeof AccountDrift> {}

export class LedgerDrift extends Context.Service<LedgerDrift, {
  /**
   * Sums the accounts that have changed since the last round, and those that drifted then; answers those that drift. What
   * cannot be read now waits for the next round.
   */
  readonly round: Effect.Effect<ReadonlyArray<AccountDrift>>
  /** Those that drifted in the last round. */
  current(): ReadonlyArray<AccountDrift>
}>()("realms/accounts/LedgerDrift") {
  /** Runs a round every 30 s. */
  static readonly layer = Layer.effect(LedgerDrift)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const accounts = yield* Accounts
    const notifications = yield* Notifications
    const waiting = new Set<UserId>()
    const drifting = new Map<UserId, bigint>()
    let usedSinceMs = yield* Clock.currentTimeMillis

    const mark = (userId: UserId): boolean => {
      if (waiting.size >= WAITING_USERS_MAX) return false
      waiting.add(userId)
      return true
    }

    // Any server writes ledger entries; the account's actor may be on another one, or on none.
    yield* notifications.subscribe({
      onMessage: (topic, key) => {
        if (topic === "account" && /^\d+$/.test(key)) mark(UserId.make(BigInt(key)))
      },
      onDown: () => undefined,
      onUp: () => undefined
    })

    const collect = Effect.gen(function*() {
      const now = yield* Clock.currentTimeMillis
      const missed = accounts.usedSince(usedSinceMs).filter((userId) => !mark(userId)).length
      usedSinceMs = now
      if (missed > 0) yield* Effect.logWarning("accounts are not looked at for drift: too many wait", { missed })
    })

    const step = Effect.fnUntraced(function*(users: ReadonlyArray<UserId>) {
      // What changes while it is read is marked again; what cannot be read goes behind the others.
      for (const userId of users) waiting.delete(userId)
      const summed = rowsOf(AccountDrift, sql.unsafe(driftSql, [users]))
      const rows = yield* withinDatabaseWait(summed, STEP_MS_MAX).pipe(
        Effect.tapError((error) =>
          Effect.logWarning("accounts wait for the next round that looks for drift", error).pipe(
            Effect.andThen(Effect.sync(() => users.forEach(mark)))
          )
        ),
        Effect.option
      )
      if (Option.isNone(rows)) return
      for (const userId of users) drifting.delete(userId)
      for (const { driftMicros: micros, userId } of rows.value) if (micros !== 0n) drifting.set(userId, micros)
    })

    const current = () => Array.from(drifting, ([userId, micros]): AccountDrift => ({ userId, driftMicros: micros }))

    const round = Effect.gen(function*() {
      yield* collect
      const users = Array.from(new Set([...drifting.keys(), ...waiting])).slice(0, ROUND_USERS_MAX)
      for (let from = 0; from < users.length; from += STEP_USERS_MAX) {
        yield* step(users.slice(from, from + STEP_USERS_MAX))
      }
      const found = current()
      const total = found.reduce((sum, { driftMicros: micros }) => sum + micros, 0n)
      yield* Metric.update(driftMicros, total)
      if (total !== 0n) {
        yield* Effect.logError("balances differ from the sum of their rows: run `realms audit`", {
          drift_micros: String(total),
          users: found.map(({ userId }) => String(userId)).slice(0, LOGGED_USERS_MAX)
        })
      }
      return found
    })

    yield* Metric.update(driftMicros, 0n)
    yield* inRounds(round, { failure: "accounts could not be compared with their rows", everyMs: ROUND_MS }).pipe(
      Effect.delay(ROUND_MS),
      Effect.forkScoped
    )

    return LedgerDrift.of({ round, current })
  }))
}

const ZERO_ID = "'00000000-0000-0000-0000-000000000000'"

/** Sums of rows `e`, whose charge is `charged`. */
const sums = (charged: string) =>
  `coalesce(sum(${charged}) FILTER (WHERE e.funding = 'balance'), 0) AS charged,
      coalesce(sum(e.cost_micros - ${charged}) FILTER (WHERE e.funding <> 'free'), 0) AS short`

const driftSql = `
  SELECT b.user_id,
    (abs(b.usd_micros - (l.amount - f.charged - r.charged - p.charged - h.held))
      + abs(b.owed_micros - (l.owed + l.recovered + f.short + r.short + p.short)) + abs(b.held_micros - h.held))::bigint AS drift
  FROM user_balances b
  LEFT JOIN usage_folds u ON u.user_id = b.user_id
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(e.amount_micros), 0) AS amount, coalesce(sum(e.owed_micros), 0) AS owed,
      coalesce(sum(e.amount_micros) FILTER (WHERE e.kind = 'recovery'), 0) AS recovered
    FROM ledger_entries e WHERE e.user_id = b.user_id
  ) l
  CROSS JOIN LATERAL (SELECT ${sums("e.charged_micros")} FROM usage_hours e WHERE e.user_id = b.user_id) f
  CROSS JOIN LATERAL (
    SELECT ${sums(chargedOf("e"))} FROM usage_events e
    WHERE (e.user_id, e.id) > (b.user_id, coalesce(u.through, ${ZERO_ID})) AND e.user_id <= b.user_id
  ) r
  CROSS JOIN LATERAL (
    SELECT ${sums(chargedOf("e"))} FROM usage_pending q
      CROSS JOIN LATERAL (SELECT v.* FROM usage_events v WHERE v.id = q.id OFFSET 0) e
    WHERE q.user_id = b.user_id
  ) p
  CROSS JOIN LATERAL (
    SELECT coalesce(sum(o.reserved_micros) FILTER (WHERE o.funding = 'balance'), 0) AS held
    FROM open_holds o WHERE o.user_id = b.user_id
  ) h
  WHERE b.user_id = ANY ($1::bigint[])`
