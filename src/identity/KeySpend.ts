/**
 * What has been spent with a key that has a limit. Within a process one call of a key is checked and held at a time, so no two
 * pass on the same room. Between processes there is no lock: each may let one call pass that the hold of another would have
 * refused, so n of them overshoot by the holds of n - 1 calls at most. What a call costs beyond its hold counts against the next
 * one. Keys without a limit are never checked here.
 */
import { Clock, Context, Effect, Layer, Schema, Semaphore } from "effect"
import { SqlClient } from "effect/sql"
import type { ApiKeyId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import {
  DATABASE_WAIT_MS_MAX,
  DatabaseUnavailable,
  databaseUnavailable,
  withinDatabaseWait
} from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { TooBusy } from "./IdentityError.ts"
import { spentSql, unfoldedSql } from "./KeySpentSql.ts"
import { LimitPeriod, periodEnd } from "./LimitPeriod.ts"

/** Amounts in USD micros. */
export interface KeySpending {
  /** As it is now; null: the limit was taken off. */
  readonly limitMicros: bigint | null
  /** What the limit is for. */
  readonly period: LimitPeriod
  /** When the next period begins; null: never. */
  readonly resetsAt: Date | null
  /** Charged by the calls of the key in this period, from any funding, and held by its open ones. */
  readonly spentMicros: bigint
  /** What is left; negative when more was spent. Null without a limit. */
  readonly roomMicros: bigint | null
  /** Of the balance and the running subscriptions, the multipliers of that at which calls cost most, scaled by 10^6. */
  readonly planMultiplier: bigint
  readonly groupMultiplier: bigint
}

const Spending = Row({
  limitMicros: Schema.NullOr(Micros),
  period: LimitPeriod,
  spentMicros: Micros,
  planMultiplier: Schema.BigInt,
  groupMultiplier: Schema.BigInt
})

export class KeySpend extends Context.Service<KeySpend, {
  /**
   * Runs `use` with what the key has spent, durable holds included, while no other `use` of the key runs here: in this period, or in
   * that in which a call that runs began, in ms since the epoch, and in which it counts whenever it ends.
   */
  exclusively<A, E>(
    keyId: ApiKeyId,
    use: (spending: KeySpending) => Effect.Effect<A, E>,
    beganMs?: number
  ): Effect.Effect<A, E | TooBusy | DatabaseUnavailable>
}>()("realms/identity/KeySpend") {
  static readonly layer = Layer.effect(KeySpend)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const clock = yield* Clock.Clock
    const now = () => clock.currentTimeMillisUnsafe()
    const turnsOf = new Map<ApiKeyId, Turns>()

    const read = (keyId: ApiKeyId, beganMs: number | undefined): Effect.Effect<KeySpending, DatabaseUnavailable> =>
      withinDatabaseWait(rowOf(Spending, sql.unsafe(spendingSql, [keyId, beganMs ?? null]))).pipe(
        Effect.mapError(databaseUnavailable),
        Effect.flatMap((row) =>
          row === undefined
            ? Effect.fail(new DatabaseUnavailable({ reason: "there is no such key" }))
            : Effect.succeed(toSpending(row, beganMs ?? now()))
        )
      )

    const enter = (keyId: ApiKeyId) =>
      Effect.suspend(() => {
        const turns = turnsOf.get(keyId) ?? { semaphore: Semaphore.makeUnsafe(1), waiting: 0, stalledMs: -Infinity }
        if (turns.waiting >= WAITING_MAX) return Effect.fail(busy)
        turns.waiting++
        turnsOf.set(keyId, turns)
        return Effect.succeed(turns)
      })

    const leave = (keyId: ApiKeyId, turns: Turns) =>
      Effect.sync(() => {
        turns.waiting--
        if (turns.waiting === 0) turnsOf.delete(keyId)
      })

    return KeySpend.of({
      exclusively: <A, E>(keyId: ApiKeyId, use: (spending: KeySpending) => Effect.Effect<A, E>, callBeganMs?: number) =>
        Effect.acquireUseRelease(
          enter(keyId),
          (turns) => {
            const sinceMs = now()
            // A call that waited too long, or for a turn that PostgreSQL left hanging, gives its own up: all who wait fail at once.
            const turn = Effect.suspend((): Effect.Effect<A, E | TooBusy | DatabaseUnavailable> => {
              const beganMs = now()
              if (turns.stalledMs > sinceMs) return Effect.fail(hanging)
              if (beganMs - sinceMs > WAIT_MS_MAX) return Effect.fail(busy)
              return Effect.ensuring(
                Effect.flatMap(read(keyId, callBeganMs), use),
                Effect.sync(() => {
                  if (now() - beganMs >= DATABASE_WAIT_MS_MAX) turns.stalledMs = now()
                })
              )
            })
            return turns.semaphore.withPermits(1)(turn)
          },
          (turns) => leave(keyId, turns)
        )
    })
  }))
}

/** Calls of one key that wait for their turn, at most, and how long, in milliseconds. */
const WAITING_MAX = 1_000
const WAIT_MS_MAX = 10_000

/** The moment whose periods count. */
const AT = "coalesce(to_timestamp($2::float8 / 1000), now())"

const spendingSql = `
  SELECT k.spend_limit_micros AS limit_micros, k.spend_limit_period AS period, ${
  spentSql("k", "r", AT)
} AS spent_micros,
    m.plan_multiplier, m.group_multiplier
  FROM api_keys k
  LEFT JOIN LATERAL (${unfoldedSql({ user: "k.user_id", key: "k.id", at: AT })}) r ON true
  CROSS JOIN LATERAL (
    SELECT p.plan AS plan_multiplier, g.multiplier AS group_multiplier
      FROM users u
      LEFT JOIN user_groups own ON own.code = u.group_code
      LEFT JOIN user_groups redeemed ON redeemed.code = u.redeemed_group_code
      CROSS JOIN LATERAL (
        SELECT 1000000::bigint AS plan, NULL::bigint AS of_plan
        UNION ALL
        SELECT s.multiplier_micros, o.multiplier_micros
          FROM user_subscriptions s LEFT JOIN user_groups o ON o.code = s.group_code
          WHERE s.user_id = u.id AND s.status = 'active' AND s.starts_at <= now() AND s.ends_at > now()
      ) p
      CROSS JOIN LATERAL (
        SELECT coalesce(own.multiplier_micros, p.of_plan, redeemed.multiplier_micros, 1000000) AS multiplier
      ) g
      WHERE u.id = k.user_id ORDER BY p.plan * g.multiplier DESC LIMIT 1
  ) m
  WHERE k.id = $1`

const toSpending = (spending: typeof Spending.Type, nowMs: number): KeySpending => ({
  ...spending,
  resetsAt: periodEnd(spending.period, nowMs),
  roomMicros: spending.limitMicros === null ? null : spending.limitMicros - spending.spentMicros
})

const busy = new TooBusy({ reason: "too many calls of this key wait for their turn" })
const hanging = new DatabaseUnavailable({ reason: "an earlier call of this key had no answer" })

/** The turns of one key. */
interface Turns {
  readonly semaphore: Semaphore.Semaphore
  waiting: number
  /** When a turn last ended that took as long as PostgreSQL is waited for. */
  stalledMs: number
}
