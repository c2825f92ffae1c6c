/**
 * The rule of the second person: what is above a limit waits, and a confirmation is used up by the transaction that does what it
 * allows.
 */
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import { isDeepStrictEqual } from "node:util"
import { ApiKeyId, type UserId } from "../domain/Ids.ts"
import { AMOUNT_MAX } from "../domain/Money.ts"
import { planWorthMicros } from "../domain/PlanWorth.ts"
import { Row } from "../domain/Row.ts"
import { worksAsAdminKey } from "../identity/AdminKeys.ts"
import { isRole, type Role } from "../identity/Roles.ts"
import { creditOf } from "../orders/TopupTerms.ts"
import { type Actor, recordChange } from "../platform/AuditLog.ts"
import {
  type AskedAction,
  ConfirmationNeeded,
  ConfirmationPending,
  ConfirmationRefused,
  type ConfirmedAction,
  type NotConfirmed,
  SecondPerson,
  type UsdWorth,
  type Worth
} from "../platform/SecondPerson.ts"
import { type DatabaseUnavailable, orUnavailable } from "../postgres/DatabaseUnavailable.ts"
import { rowOf } from "../postgres/Rows.ts"
import { inTransaction } from "../postgres/Transaction.ts"
import { Settings, type SettingsValues } from "../settings/Settings.ts"
import { mayDo } from "./ActionRoles.ts"
import {
  closeConfirmation,
  type Confirmation,
  countRequests,
  findConfirmation,
  findSame,
  insertConfirmation
} from "./ConfirmationStore.ts"

/** Requests that wait at a time, at most. */
export const PENDING_MAX = 1_000

/** The same of one person, so that nobody keeps others from asking. */
export const PENDING_OF_ONE_MAX = 50

/** Requests of one person within 24 hours, at most, those that were closed too. */
export const DAILY_OF_ONE_MAX = 500

/** Of the advisory lock under which requests are written, one at a time. */
const REQUEST_LOCK = 7_304_160_542n

/** By the limit that each is compared with. Undefined: not at stake. Null: without bound. */
interface Amounts {
  readonly usdMicros: bigint | null | undefined
  readonly fen: bigint | null | undefined
}

const magnitude = (value: bigint): bigint => value < 0n ? -value : value

/** More than any amount is no bound. */
const bounded = (amount: bigint | null | undefined): bigint | null =>
  amount === undefined || amount === null || amount > AMOUNT_MAX ? null : amount

const usdOf = (worth: UsdWorth, { billing }: SettingsValues): bigint | null => {
  if ("usdMicros" in worth) return bounded(magnitude(worth.usdMicros))
  const each = planWorthMicros(worth.plan, creditOf(worth.plan.priceFen, billing.creditUsdPerCny))
  return bounded(each === undefined ? undefined : each * worth.times)
}

const amountsOf = ({ fen, usd }: Worth, values: SettingsValues): Amounts => ({
  usdMicros: usd === undefined ? undefined : usdOf(usd, values),
  fen: fen === undefined ? undefined : bounded(fen)
})

const exceeds = (amount: bigint | null | undefined, limit: bigint | null): boolean =>
  limit !== null && amount !== undefined && (amount === null || amount > limit)

const isAbove = ({ fen, usdMicros }: Amounts, { finance }: SettingsValues): boolean =>
  exceeds(usdMicros, finance.confirmAboveMicros) || exceeds(fen, finance.confirmAboveFen)

const HeldRole = Row({ role: Schema.String })

/** Whether somebody is there, not disabled, and of a role that may do it. */
export const checkRole = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  userId: UserId,
  action: ConfirmedAction
) {
  const user = yield* rowOf(
    HeldRole,
    sql`SELECT role FROM users WHERE id = ${userId} AND disabled_at IS NULL FOR SHARE`
  )
  const role: Role | undefined = user !== undefined && isRole(user.role) ? user.role : undefined
  if (role === undefined || !mayDo(role, action)) return yield* new ConfirmationRefused({ reason: "role" })
})

/** The same for the requester, and for the admin key that the request was made with. */
export const checkRequester = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  { action, requestedAs, requestedBy }: Pick<Confirmation, "action" | "requestedAs" | "requestedBy">
) {
  yield* checkRole(sql, requestedBy, action)
  const [, keyId] = /^key:(\d{1,18})$/.exec(requestedAs) ?? []
  if (keyId === undefined) return
  const works = yield* worksAsAdminKey(sql, ApiKeyId.make(BigInt(keyId)), requestedBy)
  if (!works) return yield* new ConfirmationRefused({ reason: "key" })
})

/** Refuses a request that does not wait any more. */
export const checkWaiting = ({ state }: Pick<Confirmation, "state">): Effect.Effect<void, ConfirmationRefused> =>
  state === "pending"
    ? Effect.void
    : Effect.fail(new ConfirmationRefused({ reason: state === "expired" ? "expired" : "closed" }))

/** Closes a confirmation that is good, as part of the transaction under way. */
const useUp = Effect.fnUntraced(function*(
  sql: SqlClient.SqlClient,
  { by, id }: NonNullable<Actor["confirming"]>,
  { action, asked, facts }: AskedAction
) {
  const found = yield* findConfirmation(sql, id, { lock: true })
  if (found === undefined) return yield* new ConfirmationRefused({ reason: "closed" })
  yield* checkWaiting(found)
  if (found.requestedBy === by.userId) return yield* new ConfirmationRefused({ reason: "same" })
  yield* checkRequester(sql, found)
  yield* checkRole(sql, by.userId, found.action)
  const isSame = action === found.action &&
    isDeepStrictEqual({ asked, facts }, { asked: found.asked, facts: found.facts })
  if (!isSame) return yield* new ConfirmationRefused({ reason: "changed" })
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
    if (request.worth.always === true) return yield* new ConfirmationNeeded({ request })
    // A limit that cannot be read is no reason to go on without it.
    const values = yield* settings.fresh
    if (isAbove(amountsOf(request.worth, values), values)) return yield* new ConfirmationNeeded({ request })
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
        const { ofOne, ofOneToday, waiting } = yield* countRequests(sql, userId)
        if (waiting >= PENDING_MAX || ofOne >= PENDING_OF_ONE_MAX || ofOneToday >= DAILY_OF_ONE_MAX) {
          return yield* new ConfirmationRefused({ reason: "many" })
        }
        const row = yield* insertConfirmation(sql, { ...actor, userId }, asked, {
          usdMicros: amounts.usdMicros ?? null,
          fen: amounts.fen ?? null
        })
        yield* recordChange(sql, actor, {
          action: "confirmation.requested",
          target: `confirmation:${row.id}`,
          before: null,
          after: {
            action: asked.action,
            ...asked.facts,
            note: asked.note,
            confirm_before: row.expiresAt.toISOString()
          }
        })
        return row
      })
    ))
    return yield* new ConfirmationPending({ id: made.id, expiresAt: made.expiresAt })
  })

  const asking = <A, E, R>(actor: Actor, transaction: Effect.Effect<A, E | ConfirmationNeeded, R>) =>
    transaction.pipe(
      Effect.catch((error): Effect.Effect<never, E | NotConfirmed | DatabaseUnavailable> =>
        isNeeded(error) ? request(actor, error.request) : Effect.fail(error)
      )
    )

  return SecondPerson.of({ check: (actor, asked) => check(actor, asked), asking })
})

/** The port `SecondPerson` of the folders below, which do not know how a second person is asked. */
export const SecondPersonLayer = Layer.effect(SecondPerson, make)
