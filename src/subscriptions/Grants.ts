/**
 * Subscriptions that administrators give and end. The caller chooses the key of a grant; sent again under the same key, it is not
 * made a second time. A subscription that is ended stays ended, whatever a provider says later. Both are recorded with a note.
 */
import { Context, Effect, Layer, Schema } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { lockAccount } from "../accounts/Ledger.ts"
import { SubscriptionId, type UserId } from "../domain/Ids.ts"
import { planTexts } from "../domain/Plan.ts"
import { Row } from "../domain/Row.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { checkNote, isIdempotencyKey, keyReused, keyRule, noteRule } from "../platform/Notes.ts"
import { type NotConfirmed, SecondPerson } from "../platform/SecondPerson.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { type GivablePlan, givablePlans } from "./GivablePlans.ts"
import { findPlanNow } from "./PlanNow.ts"
import { activate, withdraw } from "./Subscriptions.ts"

/** Text for people, by what is wrong with a grant. */
const messages = {
  user: "there is no such user",
  plan: "there is no such plan, or it is disabled",
  note: noteRule,
  key: keyRule
} as const

/** What was asked for is not possible; `reason` is the field. */
export class GrantRefused extends Schema.TaggedError<GrantRefused>()("GrantRefused", {
  reason: Schema.Literals(["user", "plan", "note", "key"])
}) {
  override readonly message = messages[this.reason]
}

/** The key has been used for another grant: of another user, plan or note. */
export class GrantReused extends Schema.TaggedError<GrantReused>()("GrantReused", {}) {
  override readonly message = keyReused
}

/** The user has no such subscription. */
export class SubscriptionNotFound extends Schema.TaggedError<SubscriptionNotFound>()("SubscriptionNotFound", {}) {}

/** It is over already. */
export class SubscriptionOver extends Schema.TaggedError<SubscriptionOver>()("SubscriptionOver", {}) {}

export interface Grant {
  readonly userId: UserId
  /** Of a plan that is not disabled; its terms as they are now. */
  readonly planCode: string
  /** Why, in words. */
  readonly note: string
  /** Of this grant alone. */
  readonly key: string
}

/** A grant that was made with the key, and whether it is the one that is asked for. */
const Made = Row({ subscriptionId: SubscriptionId, isSame: Schema.Boolean }, { isSame: "same" })

const Given = Row({ planCode: Schema.String, endsAt: Schema.Date, isLive: Schema.Boolean }, { isLive: "live" })

export class Grants extends Context.Service<Grants, {
  /** By name; 200 at most. */
  readonly plans: Effect.Effect<ReadonlyArray<GivablePlan>, SqlError.SqlError>
  /** Answers the subscription's id, the same one for the same key. */
  grant(
    actor: Actor,
    grant: Grant
  ): Effect.Effect<SubscriptionId, GrantRefused | GrantReused | NotConfirmed | DatabaseUnavailable | SqlError.SqlError>
  /** Ends a running or coming subscription now, for good, however it was come by. */
  end(
    actor: Actor,
    subscription: { readonly userId: UserId; readonly subscriptionId: SubscriptionId; readonly note: string }
  ): Effect.Effect<void, GrantRefused | SubscriptionNotFound | SubscriptionOver | SqlError.SqlError>
}>()("realms/subscriptions/Grants") {
  static readonly layer = Layer.effect(Grants)(Effect.gen(function*() {
    const sql = yield* SqlClient.SqlClient
    const secondPerson = yield* SecondPerson

    const write = Effect.fnUntraced(function*(actor: Actor, { key, note, planCode, userId }: Grant) {
      yield* sql`SELECT pg_advisory_xact_lock(hashtextextended(${`grant:${key}`}, 0))`
      const made = yield* rowOf(
        Made,
        sql`
      SELECT subscription_id, user_id = ${userId} AND plan_code = ${planCode} AND note = ${note} AS same
        FROM subscription_grants WHERE key = ${key}`
      )
      if (made !== undefined) return made.isSame ? made.subscriptionId : yield* new GrantReused()
      const [user] = yield* sql`SELECT FROM users WHERE id = ${userId}`
      if (user === undefined) return yield* new GrantRefused({ reason: "user" })
      const plan = (yield* findPlanNow(sql, planCode)) ?? (yield* new GrantRefused({ reason: "plan" }))
      const id = yield* activate(sql, userId, null, plan)
      yield* sql`INSERT INTO subscription_grants (key, subscription_id, user_id, plan_code, note, actor)
      VALUES (${key}, ${id}, ${userId}, ${planCode}, ${note}, ${actor.name})`
      yield* recordChange(sql, actor, {
        action: "subscription.granted",
        target: `user:${userId}`,
        before: null,
        after: { subscription_id: id, plan: planCode, note, key }
      })
      yield* secondPerson.check(actor, {
        action: "plan.grant",
        worth: { usd: { plan, times: 1n } },
        asked: { user_id: String(userId), plan: planCode, key },
        facts: { user_id: String(userId), plan_code: planCode, ...planTexts(plan) },
        note
      })
      return id
    })

    const grant = Effect.fn("Grants.grant")(function*(actor: Actor, asked: Grant) {
      const note = checkNote(asked.note)
      if (note === undefined) return yield* new GrantRefused({ reason: "note" })
      // PostgreSQL has no such text.
      if (asked.planCode.includes("\0")) return yield* new GrantRefused({ reason: "plan" })
      if (!isIdempotencyKey(asked.key)) return yield* new GrantRefused({ reason: "key" })
      return yield* secondPerson.asking(actor, inTransaction(sql, write(actor, { ...asked, note })))
    })

    const endNow = Effect.fnUntraced(
      function*(actor: Actor, userId: UserId, subscriptionId: SubscriptionId, note: string) {
        const given = yield* rowOf(
          Given,
          sql`
      SELECT plan_code, ends_at, status = 'suspended' OR status = 'active' AND ends_at > now() AS live FROM user_subscriptions
        WHERE id = ${subscriptionId} AND user_id = ${userId}`
        )
        if (given === undefined) return yield* new SubscriptionNotFound()
        if (!given.isLive) return yield* new SubscriptionOver()
        yield* withdraw(sql, userId, subscriptionId)
        yield* recordChange(sql, actor, {
          action: "subscription.ended",
          target: `user:${userId}`,
          before: { subscription_id: subscriptionId, plan: given.planCode, ends_at: given.endsAt.toISOString() },
          after: { note }
        })
      }
    )

    const end = Effect.fn("Grants.end")(function*(
      actor: Actor,
      subscription: { readonly userId: UserId; readonly subscriptionId: SubscriptionId; readonly note: string }
    ) {
      const note = checkNote(subscription.note)
      if (note === undefined) return yield* new GrantRefused({ reason: "note" })
      yield* inTransaction(
        sql,
        Effect.gen(function*() {
          // Of two at once the second finds it ended.
          yield* lockAccount(sql, subscription.userId)
          yield* endNow(actor, subscription.userId, subscription.subscriptionId, note)
        })
      )
    })

    return Grants.of({ plans: givablePlans(sql), grant, end })
  }))
}
