/**
 * An account as its owner sees it: what can be spent, what open calls hold, and how full each window of each subscription
 * is. Read from PostgreSQL as committed, never from an actor: looking at an account neither wakes nor delays it.
 */
import { noUses } from "./CallUses.ts"
import { Clock, Context, DateTime, Effect, HashMap, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { noRateLimits } from "../domain/CallLimits.ts"
import { SubscriptionId, type UserId } from "../domain/Ids.ts"
import { Micros } from "../domain/Money.ts"
import { Row } from "../domain/Row.ts"
import { rowOf, rowsOf } from "../postgres/Rows.ts"
import { AccountUnavailable, type UnknownAccount } from "./AccountError.ts"
import type { AccountGroups, AccountState, SubscriptionState } from "./AccountState.ts"
import { loadAccount } from "./AccountStore.ts"
import { type FundingMultipliers, planMultipliers } from "./HoldBound.ts"
import { nextRelief, rolled, windowHours } from "./SubscriptionWindows.ts"
import { balanceGroup, type GroupChoice } from "./UserGroups.ts"

/** Subscriptions shown, at most: the ones that end soonest. */
const SUBSCRIPTIONS_SHOWN_MAX = 20

/** Amounts in USD micros. */
export const Balance = Row({ usdMicros: Micros, owedMicros: Micros })
export interface Balance extends Schema.Schema.Type<typeof Balance> {}

/** One limited window. `usedMicros` is settled spend, `openMicros` what open calls hold; together they meet the limit. */
export interface WindowOverview {
  readonly hours: number
  readonly limitMicros: bigint
  readonly usedMicros: bigint
  readonly openMicros: bigint
  /** When the oldest spend leaves the window; undefined when there is none, or the subscription ends before. */
  readonly reliefAt: Date | undefined
}

/** A subscription that can be spent from now, or later. */
const ActiveSubscription = Row({
  id: SubscriptionId,
  planCode: Schema.String,
  planName: Schema.String,
  startsAt: Schema.Date,
  endsAt: Schema.Date
})
interface ActiveSubscription extends Schema.Schema.Type<typeof ActiveSubscription> {}

export interface SubscriptionOverview extends ActiveSubscription {
  /** The price of its calls is multiplied with them. */
  readonly multipliers: FundingMultipliers
  /** The limited ones; empty: spend is not limited. */
  readonly windows: ReadonlyArray<WindowOverview>
}

export interface AccountView extends Balance {
  /** What open calls hold from the balance. */
  readonly heldMicros: bigint
  readonly openCalls: number
  /** Running and coming ones; the one that ends soonest first. */
  readonly subscriptions: ReadonlyArray<SubscriptionOverview>
  readonly groups: AccountGroups
  /** Those whose time stands still, because their price is disputed or on its way back. */
  readonly suspended: ReadonlyArray<SuspendedOverview>
}

export const SuspendedOverview = Row({
  id: SubscriptionId,
  planName: Schema.String,
  /** What is left of its time, in ms. */
  leftMs: Schema.Number
})
export interface SuspendedOverview extends Schema.Schema.Type<typeof SuspendedOverview> {}

export class AccountOverview extends Context.Service<AccountOverview, {
  balance(userId: UserId): Effect.Effect<Balance, SqlError.SqlError>
  /** The group whose prices apply to calls that the balance pays for; undefined: the models' prices apply. */
  group(userId: UserId): Effect.Effect<GroupChoice | undefined, SqlError.SqlError>
  view(userId: UserId): Effect.Effect<AccountView, AccountUnavailable | SqlError.SqlError>
}>()("realms/accounts/AccountOverview") {
  static readonly layer = Layer.effect(AccountOverview)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient

    const balance = Effect.fn("AccountOverview.balance")(function*(userId: UserId) {
      const found = yield* rowOf(
        Balance,
        sql`SELECT usd_micros, owed_micros FROM user_balances WHERE user_id = ${userId}`
      )
      return found ?? { usdMicros: 0n, owedMicros: 0n }
    })

    const view = Effect.fn("AccountOverview.view")(function*(userId: UserId) {
      const nowMs = yield* Clock.currentTimeMillis
      const read = {
        userId,
        ids: [],
        keyIds: [],
        known: { state: nothingKnown, fences: new Map<SubscriptionId, bigint>() }
      }
      const { state } = yield* loadAccount(sql, read, nowMs).pipe(
        // Every user has an account from the start: one without is a damaged database, which `realms audit` tells of.
        Effect.catchTag(
          "UnknownAccount",
          (error: UnknownAccount) =>
            Effect.fail(new AccountUnavailable({ reason: `user ${error.userId} has no account` }))
        )
      )
      const active = yield* rowsOf(
        ActiveSubscription,
        sql`SELECT id, plan_code, plan_name, starts_at, ends_at FROM user_subscriptions
        WHERE user_id = ${userId} AND status = 'active' AND ends_at > now()
        ORDER BY ends_at, id LIMIT ${SUBSCRIPTIONS_SHOWN_MAX}`
      )
      const suspended = yield* rowsOf(
        SuspendedOverview,
        sql`SELECT id, plan_name,
          (extract(epoch FROM ends_at - greatest(suspended_at, starts_at)) * 1000)::double precision AS left_ms
        FROM user_subscriptions WHERE user_id = ${userId} AND status = 'suspended'
        ORDER BY id LIMIT ${SUBSCRIPTIONS_SHOWN_MAX}`
      )
      return {
        suspended,
        usdMicros: state.usdMicros,
        owedMicros: state.owedMicros,
        heldMicros: state.heldMicros,
        openCalls: state.openHolds,
        groups: state.groups,
        subscriptions: active.flatMap((found) => subscriptionOf(found, state, nowMs))
      }
    })

    return AccountOverview.of({ balance, group: (userId) => balanceGroup(sql, userId), view })
  }))
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

const subscriptionOf = (
  active: ActiveSubscription,
  state: AccountState,
  nowMs: number
): ReadonlyArray<SubscriptionOverview> => {
  const subscription = state.subscriptions.find(({ id }) => id === active.id)
  if (subscription === undefined) return []
  return [{ ...active, multipliers: planMultipliers(state, subscription), windows: windowsOf(subscription, nowMs) }]
}

/** An account of which nothing is known: a read of it has what open calls hold, and not the calls. */
const nothingKnown: AccountState = {
  usdMicros: 0n,
  owedMicros: 0n,
  heldMicros: 0n,
  openHolds: 0,
  countedOpen: false,
  groups: { own: null, redeemed: null },
  subscriptions: [],
  open: HashMap.empty(),
  ownLimits: noRateLimits,
  uses: noUses
}
