/**
 * The rule of the second person: what is above a limit waits, and a confirmation is used up by the transaction that does what it
 * allows.
 */
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { isDeepStrictEqual } from "node:util"
import { AMOUNT_MAX } from "../domain/Money.ts"
import { planWorthMicros } from "../domain/PlanWorth.ts"
import { isRole, type Role } from "../identity/Roles.ts"
import { creditOf } from "../orders/Orders.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import { type DatabaseUnavailable, orUnavailable } from "../platform/DatabaseUnavailable.ts"
import {
  type AskedAction,
  ConfirmationNeeded,
  ConfirmationPending,
  ConfirmationRefused,
  type ConfirmedAction,
  type NotConfirmed,
  SecondPerson,
  type Worth
} from "../platform/SecondPerson.ts"
import { inTransaction } from "../platform/Transaction.ts"
import { Settings, type SettingsValues } from "../settings/Settings.ts"
import { mayDo } from "./ActionRoles.ts"
import { closeConfirmation, countPending, findConfirmation, findSame, insertConfirmation } from "./ConfirmationStore.ts"

/** Requests that wait at a time, at most. */
export const PENDING_MAX = 1_000

/** Of the advisory lock under which requests are written, one at a time. */
const REQUEST_LOCK = 7_304_160_531n

/** In the unit of its limit; both null: without bound. */
interface Amounts {
  readonly usdMicros: bigint | null
  readonly fen: bigint | null
}

const magnitude = (value: bigint): bigint => value < 0n ? -value : value

/** More than any amount is no bound. */
const bounded = (micros: bigint | undefined): bigint | null =>
  micros === undefined || micros > AMOUNT_MAX ? null : micros

const amountsOf = (worth: Worth, { billing }: SettingsValues): Amounts => {
  if ("usdMicros" in worth) return { usdMicros: bounded(magnitude(worth.usdMicros)), fen: null }
  if ("fen" in worth) return { usdMicros: null, fen: bounded(worth.fen) }
  if ("always" in worth) return { usdMicros: null, fen: null }
  const each = planWorthMicros(worth.plan, creditOf(worth.plan.priceFen, billing.creditUsdPerCny))
  return { usdMicros: bounded(each === undefined ? undefined : each * worth.times), fen: null }
}

const isAbove = (
  worth: Exclude<Worth, { readonly always: true }>,
  amounts: Amounts,
  { finance }: SettingsValues
): boolean => {
  const [amount, limit] = "fen" in worth
    ? [amounts.fen, finance.confirmAboveFen]
    : [amounts.usdMicros, finance.confirmAboveMicros]
  return limit !== null && (amount === null || amount > limit)
}

/** Whether somebody is there, not disabled, and of a role that may do it. */
export const checkRole = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  userId: bigint,
  action: ConfirmedAction
) {
  const [user] = yield* sql<
    { role: string }
  >`SELECT role FROM users WHERE id = ${userId} AND disabled_at IS NULL FOR SHARE`
  const role: Role | undefined = user !== undefined && isRole(user.role) ? user.role : undefined
  if (role === undefined || !mayDo(role, action)) return yield* new ConfirmationRefused({ reason: "role" })
})

/** Closes a confirmation that is good, as part of the transaction under way. */
export const useUp = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  { by, id }: NonNullable<Actor["confirming"]>,
  done: Pick<AskedAction, "action" | "asked" | "facts"> | undefined
) {
  const found = yield* findConfirmation(sql, id, { lock: true })
  if (found === undefined || found.state === "confirmed" || found.state === "rejected") {
    return yield* new ConfirmationRefused({ reason: "closed" })
  }
  if (found.state === "expired") return yield* new ConfirmationRefused({ reason: "expired" })
  if (found.requestedBy === by.userId) return yield* new ConfirmationRefused({ reason: "same" })
  yield* checkRole(sql, found.requestedBy, found.action)
  yield* checkRole(sql, by.userId, found.action)
  if (done !== undefined) {
    const { action, asked, facts } = done
    const isSame = action === found.action &&
      isDeepStrictEqual({ asked, facts }, { asked: found.asked, facts: found.facts })
    if (!isSame) return yield* new ConfirmationRefused({ reason: "changed" })
  }
  yield* closeConfirmation(sql, id, { state: "confirmed", by: by.userId, note: "" })
  yield* recordChange(sql, by, {
    action: "confirmation.confirmed",
    target: `confirmation:${id}`,
    before: null,
    after: { action: found.action, requested_by: found.requestedBy }
  })
})

const isNeeded = <E>(error: E | ConfirmationNeeded): error is ConfirmationNeeded => error instanceof ConfirmationNeeded

const make = Effect.gen(function*() {
  const sql = yield* SqlClient.SqlClient
  const settings = yield* Settings

  const check = Effect.fn("SecondPerson.check")(function*(actor: Actor, request: AskedAction) {
    if (actor.confirming !== undefined) return yield* useUp(sql, actor.confirming, request)
    if ("always" in request.worth) return yield* new ConfirmationNeeded({ request })
    // A limit that cannot be read is no reason to go on without it.
    const values = yield* settings.fresh
    if (isAbove(request.worth, amountsOf(request.worth, values), values)) {
      return yield* new ConfirmationNeeded({ request })
    }
  })

  const request = Effect.fn("SecondPerson.request")(function*(actor: Actor, asked: AskedAction) {
    const { userId } = actor
    if (userId === null) return yield* new ConfirmationRefused({ reason: "nobody" })
    const amounts = amountsOf(asked.worth, yield* settings.fresh)
    const made = yield* orUnavailable(inTransaction(
      sql,
      Effect.gen(function*() {
        yield* sql`SELECT pg_advisory_xact_lock(${REQUEST_LOCK})`
        yield* checkRole(sql, userId, asked.action)
        const before = yield* findSame(sql, userId, asked)
        if (before !== undefined) return before
        if ((yield* countPending(sql)) >= PENDING_MAX) return yield* new ConfirmationRefused({ reason: "many" })
        const row = yield* insertConfirmation(sql, { ...actor, userId }, asked, amounts)
        yield* recordChange(sql, actor, {
          action: "confirmation.requested",
          target: `confirmation:${row.id}`,
          before: null,
          after: { action: asked.action, ...asked.facts, note: asked.note, expires_at: row.expires_at.toISOString() }
        })
        return row
      })
    ))
    return yield* new ConfirmationPending({ id: made.id, expiresAt: made.expires_at })
  })

  const asking = <A, E, R>(actor: Actor, transaction: Effect.Effect<A, E | ConfirmationNeeded, R>) =>
    transaction.pipe(
      Effect.catch((error): Effect.Effect<never, E | NotConfirmed | DatabaseUnavailable> =>
        isNeeded(error) ? request(actor, error.request) : Effect.fail(error)
      )
    )

  return SecondPerson.of({ check: (actor, asked) => check(actor, asked), asking })
})

export const secondPersonLayer = Layer.effect(SecondPerson, make)
