/**
 * What tools that poll are told of a key: what it has spent, its limit, and what is left of the account behind it. A read is a few
 * look-ups by index, whatever the account has done; polls of one key share the read that is under way, and all keys together never take
 * more than two connections of the database.
 */
import { Context, Deferred, Effect, Layer, Schema, Semaphore } from "effect"
import { SqlClient } from "effect/sql"
import { AccountOverview, type AccountView } from "../accounts/AccountOverview.ts"
import type { ApiKeyId } from "../domain/Ids.ts"
import { Micros, minimum } from "../domain/Money.ts"
import { Row, RowWith } from "../domain/Row.ts"
import { ListedApiKey } from "../identity/ApiKey.ts"
import type { ApiKeyIdentity } from "../identity/ApiKeys.ts"
import { keyUsageSql } from "../identity/KeySpentSql.ts"
import { DatabaseUnavailable, withinDatabaseWait } from "../postgres/DatabaseUnavailable.ts"
import { oneRowOf } from "../postgres/Rows.ts"
import { Settings } from "../settings/Settings.ts"

/** Reads under way at once: the pool has ten connections, and calls need theirs. */
const READS_MAX = 2

/** Keys whose polls wait for their turn, at most. */
const WAITING_MAX = 1_000

const KeyRow = RowWith(Row(ListedApiKey.fields), {
  usdMicros: Micros,
  owedMicros: Micros,
  /** What came into the account and was not given back, ever. */
  creditedMicros: Micros,
  hasPlan: Schema.Boolean,
  /** Charged to the key and held by its open calls, in all and in the periods of now. */
  dayMicros: Micros,
  weekMicros: Micros,
  monthMicros: Micros,
  totalMicros: Micros
})

/** Amounts in USD micros. */
export interface FiguresOfKey extends Schema.Schema.Type<typeof KeyRow> {
  /** What the running plans have room for; null: one of them has no limit. */
  readonly planMicros: bigint | null
  /** Calls are paid for at all, and from the balance where no plan pays. */
  readonly isBilled: boolean
  readonly paysAsYouGo: boolean
}

export class KeyFigures extends Context.Service<KeyFigures, {
  read(key: Pick<ApiKeyIdentity, "keyId" | "userId">): Effect.Effect<FiguresOfKey, DatabaseUnavailable>
}>()("realms/usage/KeyFigures") {
  static readonly layer = Layer.effect(KeyFigures)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const overview = yield* AccountOverview
    const settings = yield* Settings
    const scope = yield* Effect.scope
    const turns = yield* Semaphore.make(READS_MAX)
    const underWay = new Map<ApiKeyId, Deferred.Deferred<FiguresOfKey, DatabaseUnavailable>>()

    const figures = Effect.fnUntraced(function*({ keyId, userId }: Pick<ApiKeyIdentity, "keyId" | "userId">) {
      const row = yield* oneRowOf(KeyRow, sql.unsafe(figuresSql, [keyId]))
      const planMicros = row.hasPlan ? roomOfPlans(yield* overview.view(userId)) : 0n
      const { enabled, payAsYouGo } = settings.current().billing
      return { ...row, planMicros, isBilled: enabled, paysAsYouGo: payAsYouGo } satisfies FiguresOfKey
    })

    const readNow = (key: Pick<ApiKeyIdentity, "keyId" | "userId">) =>
      turns.withPermits(1)(withinDatabaseWait(figures(key))).pipe(
        Effect.mapError((error) =>
          error._tag === "DatabaseUnavailable" ? error : new DatabaseUnavailable({ reason: error.message })
        )
      )

    return KeyFigures.of({
      read: (key) =>
        Effect.suspend(() => {
          const shared = underWay.get(key.keyId)
          if (shared !== undefined) return Deferred.await(shared)
          if (underWay.size >= WAITING_MAX) return Effect.fail(busy)
          const made = Deferred.makeUnsafe<FiguresOfKey, DatabaseUnavailable>()
          underWay.set(key.keyId, made)
          const reading = Effect.onExit(readNow(key), (exit) => {
            underWay.delete(key.keyId)
            return Deferred.done(made, exit)
          })
          // A fiber of its own: when the client of this poll goes away, the other polls still get the figures.
          return Effect.andThen(Effect.forkIn(reading, scope, { startImmediately: true }), Deferred.await(made))
        })
    })
  }))
}

const busy = new DatabaseUnavailable({ reason: "too many keys are asked about" })

/**
 * $1 key. A range of users is always read by its index; written as `=`, the planner might read the whole table for a user who has most
 * of its rows.
 */
export const figuresSql = `
  SELECT k.*, b.usd_micros, b.owed_micros,
      (SELECT coalesce(sum(l.amount_micros), 0) FROM ledger_entries l
        WHERE l.user_id BETWEEN k.user_id AND k.user_id AND l.kind <> 'recovery')::bigint AS credited_micros,
      EXISTS (SELECT FROM user_subscriptions s
        WHERE s.user_id = k.user_id AND s.status = 'active' AND s.starts_at <= now() AND s.ends_at > now()) AS has_plan,
      used.day_micros, used.week_micros, used.month_micros, used.total_micros
    FROM api_keys k JOIN user_balances b ON b.user_id = k.user_id
    CROSS JOIN LATERAL (${keyUsageSql({ key: "k.id", user: "k.user_id" })}) used
    WHERE k.id = $1`

/** What the running plans have room for together: of each, what its fullest window has. */
const roomOfPlans = ({ subscriptions }: AccountView): bigint | null => {
  let room = 0n
  for (const { windows } of subscriptions) {
    let left: bigint | undefined
    for (const { limitMicros, openMicros, usedMicros } of windows) {
      const free = limitMicros - usedMicros - openMicros
      left = left === undefined ? free : minimum(left, free)
    }
    if (left === undefined) return null
    if (left > 0n) room += left
  }
  return room
}
