/**
 * What one person alone may not do. A use case that moves money by hand calls {@link SecondPerson} as the last step of its transaction.
 * Above the limit the transaction is undone and becomes a request, which waits until a second person confirms it. Then the same use
 * case runs again, in the name of the requester, and closes the request in its transaction, so that it is carried out once or not at
 * all. `confirmations/` provides the service.
 */
import { Context, Data, type Effect, Schema } from "effect"
import type { SqlError } from "effect/sql"
import type { PlanAllowance } from "../domain/PlanWorth.ts"
import type { DatabaseUnavailable } from "../postgres/DatabaseUnavailable.ts"
import type { Actor } from "./AuditLog.ts"

/** What can wait for a second person. */
export const confirmedActions = [
  "balance.adjust",
  "debt.waive",
  "codes.create",
  "plan.grant",
  "payment.accept",
  "payment.credit",
  "payment.refund",
  "order.complete",
  "order.refund",
  "refund.fail",
  "settings.limits"
] as const
export type ConfirmedAction = typeof confirmedActions[number]

/** How much is at stake in USD. */
export type UsdWorth =
  /** In micros, whichever way it goes. */
  | { readonly usdMicros: bigint }
  /** A plan, so many times. */
  | { readonly plan: PlanAllowance; readonly times: bigint }

/** How much is at stake, by which the limits are compared; each that is given with its own. */
export interface Worth {
  readonly usd?: UsdWorth
  /** Null: it is not known how much that is, which is above every limit. */
  readonly fen?: bigint | null
  /** A second person confirms it, whatever it is worth. */
  readonly always?: true
}

/** Decimal texts for amounts and ids, so that nothing is lost in JSON. */
export type ConfirmationFacts = Readonly<Record<string, string | number | boolean | null>>

/** What somebody is about to do. */
export interface AskedAction {
  readonly action: ConfirmedAction
  readonly worth: Worth
  /** What the use case needs to do it again. No secret: it is stored and shown. */
  readonly asked: ConfirmationFacts
  /** What comes of it. When it differs at the time of the confirmation, nothing is done. */
  readonly facts: ConfirmationFacts
  /** Why, in the requester's words. */
  readonly note: string
}

/** It is above the limit: the transaction is undone, and {@link SecondPerson} asks for a confirmation. */
export class ConfirmationNeeded extends Data.TaggedError("ConfirmationNeeded")<{ readonly request: AskedAction }> {}

/** Nothing has been done yet: it waits for a second person. */
export class ConfirmationPending extends Schema.TaggedError<ConfirmationPending>()("ConfirmationPending", {
  id: Schema.BigInt,
  expiresAt: Schema.Date
}) {
  override readonly message =
    `this needs a second person: confirmation ${this.id}, until ${this.expiresAt.toISOString()}`
}

const refusals = {
  nobody: "this is above the limit of what one person may do: name the person who asks for it",
  role: "the requester's role, or the second person's, does not allow this",
  key: "the admin key that it was asked for with is revoked, paused or expired: make a new request",
  same: "requesters cannot confirm their own requests",
  closed: "it was confirmed or rejected before",
  expired: "it was not confirmed in time: make a new request",
  changed: "what it would do has changed since the request: make a new request",
  many: "too many requests wait for a second person: confirm or reject some first"
} as const

/** Nothing was done, and nothing waits. */
export class ConfirmationRefused extends Schema.TaggedError<ConfirmationRefused>()("ConfirmationRefused", {
  reason: Schema.Literals(["nobody", "role", "key", "same", "closed", "expired", "changed", "many"])
}) {
  override readonly message = refusals[this.reason]
}

/** What a use case fails with where one person is not enough. */
export type NotConfirmed = ConfirmationPending | ConfirmationRefused

export class SecondPerson extends Context.Service<SecondPerson, {
  /** The last step of a transaction. Passes below the limit; a confirmation that is being carried out is used up here. */
  check(
    actor: Actor,
    action: AskedAction
  ): Effect.Effect<void, ConfirmationNeeded | ConfirmationRefused | DatabaseUnavailable | SqlError.SqlError>
  /** Around the transaction: what {@link ConfirmationNeeded} undid becomes a request that waits. */
  asking<A, E, R>(
    actor: Actor,
    transaction: Effect.Effect<A, E | ConfirmationNeeded, R>
  ): Effect.Effect<A, E | NotConfirmed | DatabaseUnavailable, R>
}>()("realms/platform/SecondPerson") {}
