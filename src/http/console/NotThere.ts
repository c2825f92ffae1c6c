/**
 * What an address may name that is not there: for the visitor, there is no such page.
 */
import { Effect } from "effect"
import type { UnknownAccount } from "../../accounts/AccountError.ts"
import type { ConfirmationNotFound } from "../../confirmations/Confirmations.ts"
import type { UserNotFound } from "../../identity/IdentityError.ts"
import type { EventNotFound, OrderNotFound, RefundNotFound } from "../../orders/OrderError.ts"
import type { BatchNotFound, CodeNotFound } from "../../redemption/RedemptionError.ts"
import type { SubscriptionNotFound } from "../../subscriptions/Grants.ts"
import type { PlanUnknown } from "../../subscriptions/PlanError.ts"
import { PageNotFound } from "./Answer.ts"

export type NotThere =
  | BatchNotFound
  | CodeNotFound
  | ConfirmationNotFound
  | EventNotFound
  | OrderNotFound
  | PlanUnknown
  | RefundNotFound
  | SubscriptionNotFound
  | UnknownAccount
  | UserNotFound

const tags: Readonly<Record<NotThere["_tag"], true>> = {
  BatchNotFound: true,
  CodeNotFound: true,
  ConfirmationNotFound: true,
  EventNotFound: true,
  OrderNotFound: true,
  PlanUnknown: true,
  RefundNotFound: true,
  SubscriptionNotFound: true,
  UnknownAccount: true,
  UserNotFound: true
}

/** Fails with `PageNotFound` where the thing that the address names is not there. */
export const orNotFound = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchIf(
    effect,
    (error): error is Extract<E, NotThere> => Object.hasOwn(tags, error._tag),
    () => new PageNotFound()
  )
