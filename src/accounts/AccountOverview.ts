/**
 * An account as its owner sees it: what can be spent, what open calls hold, and how full each window of each subscription
 * is. Read from PostgreSQL as committed, never from an actor: looking at an account neither wakes nor delays it.
 */
import { Clock, Context, DateTime, Effect, HashMap, Layer } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { AccountUnavailable, type UnknownAccount } from "./AccountError.ts"
import type { AccountState, SubscriptionState } from "./AccountState.ts"
import { loadAccount } from "./AccountStore.ts"
import { nextRelief, rolled, windowHours } from "./SubscriptionWindows.ts"

/** Subscriptions shown, at most: the ones that end soonest. */
const SUBSCRIPTIONS_SHOWN_MAX = 20

/** Amounts in USD micros. */
export interface Balance {
  readonly usdMicros: bigint
  readonly owedMicros: bigint
}

/** One limited window. `usedMicros` is settled spend, `openMicros` what open calls hold; together they meet the limit. */
export interface WindowOverview {
  readonly hours: number
  readonly limitMicros: bigint
  readonly usedMicros: bigint
  readonly openMicros: bigint
  /** When the oldest spend leaves the window; undefined when there is none, or the subscription ends before. */
  readonly reliefAt: Date | undefined
}

export interface SubscriptionOverview {
  readonly id: bigint
  readonly planCode: string
  readonly planName: string
  readonly startsAt: Date
  readonly endsAt: Date
  /** Of the plan, scaled by 10^6. */
  readonly multiplierMicros: bigint
  /** The limited ones; empty: spend is not limited. */
  readonly windows: ReadonlyArray<WindowOverview>
}

export interface AccountView extends Balance {
  /** What open calls hold from the balance. */
  readonly heldMicros: bigint
  readonly openCalls: number
  /** Running and coming ones; the one that ends soonest first. */
  readonly subscriptions: ReadonlyArray<SubscriptionOverview>
  /** Those whose time stands still, because their price is disputed or on its way back. */
  readonly suspended: ReadonlyArray<SuspendedOverview>
}

export interface SuspendedOverview {
  readonly id: bigint
  readonly planName: string
  /** What is left of its time, in ms. */
  readonly leftMs: number
}

export class AccountOverview extends Context.Service<AccountOverview, {
  balance(userId: bigint): Effect.Effect<Balance, SqlError.SqlError>
  view(userId: bigint): Effect.Effect<AccountView, AccountUnavailable | SqlError.SqlError>
}>()("realms/accounts/AccountOverview") {
  static readonly layer = Layer.effect(
    AccountOverview,
    Effect.gen(function*() {
      const sql = yield* SqlClient.SqlClient

      const balance = Effect.fn("AccountOverview.balance")(function*(userId: bigint) {
        const [row] = yield* sql<{ usd_micros: bigint; owed_micros: bigint }>`
      SELECT usd_micros, owed_micros FROM user_balances WHERE user_id = ${userId}`
        return { usdMicros: row?.usd_micros ?? 0n, owedMicros: row?.owed_micros ?? 0n }
      })

      const view = Effect.fn("AccountOverview.view")(function*(userId: bigint) {
        const nowMs = yield* Clock.currentTimeMillis
        const read = { userId, ids: [], known: { state: nothingKnown, fences: new Map<bigint, bigint>() } }
        const { state } = yield* loadAccount(sql, read, nowMs).pipe(
          // Every user has an account from the start: one without is a damaged database, which `realms audit` tells of.
          Effect.catchTag(
            "UnknownAccount",
            (error: UnknownAccount) =>
              Effect.fail(new AccountUnavailable({ reason: `user ${error.userId} has no account` }))
          )
        )
        const rows = yield* sql<SubscriptionRow>`
      SELECT id, plan_code, plan_name, starts_at, ends_at FROM user_subscriptions
        WHERE user_id = ${userId} AND status = 'active' AND ends_at > now()
        ORDER BY ends_at, id LIMIT ${SUBSCRIPTIONS_SHOWN_MAX}`
        const suspended = yield* sql<{ id: bigint; plan_name: string; left_ms: number }>`
      SELECT id, plan_name,
          (extract(epoch FROM ends_at - greatest(suspended_at, starts_at)) * 1000)::double precision AS left_ms
        FROM user_subscriptions WHERE user_id = ${userId} AND status = 'suspended'
        ORDER BY id LIMIT ${SUBSCRIPTIONS_SHOWN_MAX}`
        return {
          suspended: suspended.map((row) => ({ id: row.id, planName: row.plan_name, leftMs: row.left_ms })),
          usdMicros: state.usdMicros,
          owedMicros: state.owedMicros,
          heldMicros: state.heldMicros,
          openCalls: state.openHolds,
          subscriptions: rows.flatMap((row) => subscriptionOf(row, state, nowMs))
        }
      })

      return AccountOverview.of({ balance, view })
    })
  )
}

interface SubscriptionRow {
  readonly id: bigint
  readonly plan_code: string
  readonly plan_name: string
  readonly starts_at: Date
  readonly ends_at: Date
}

const windowIndexes = [0, 1, 2, 3] as const

const windowsOf = (subscription: SubscriptionState, nowMs: number) => {
  const windows = rolled(subscription.windows, nowMs)
  const held = rolled(subscription.held, nowMs)
  return windowIndexes.filter((index) => subscription.limits[index] > 0n).map((index): WindowOverview => {
    const reliefMs = nextRelief(windows, index, nowMs)
    return {
      hours: windowHours[index],
      limitMicros: subscription.limits[index],
      usedMicros: windows.used[index] - held.used[index],
      openMicros: held.used[index],
      reliefAt: reliefMs === undefined || reliefMs > subscription.endsAtMs
        ? undefined
        : DateTime.toDateUtc(DateTime.makeUnsafe(reliefMs))
    }
  })
}

const subscriptionOf = (row: SubscriptionRow, state: AccountState, nowMs: number) => {
  const subscription = state.subscriptions.find(({ id }) => id === row.id)
  if (subscription === undefined) return []
  return [{
    id: row.id,
    planCode: row.plan_code,
    planName: row.plan_name,
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    multiplierMicros: subscription.multiplier,
    windows: windowsOf(subscription, nowMs)
  }]
}

/** An account of which nothing is known: a read of it has what open calls hold, and not the calls. */
const nothingKnown: AccountState = {
  usdMicros: 0n,
  owedMicros: 0n,
  heldMicros: 0n,
  openHolds: 0,
  countedOpen: false,
  subscriptions: [],
  open: HashMap.empty()
}
