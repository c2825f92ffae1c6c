/**
 * The rule by which the ledger check tells whether a subscription is on the terms that it was sold on.
 */
import { Option } from "effect"
import { keptTerms } from "../domain/Plan.ts"
import type { Value } from "../domain/Model.ts"

/** SQL: a row of `user_subscriptions` is on other terms than JSON of a `SoldPlan` says. Both are named as the query names them. */
export const differsFromSold = (subscription: string, sold: string): string =>
  keptTerms.entries.map(([name, { otherwise }]) => {
    const column = keptTerms.columns[name]
    const value = Option.getOrUndefined<Value>(otherwise)
    const said = `${sold} ->> '${column}'`
    // What was sold before there was such a term has none of it.
    const known = value === undefined || value === null ? said : `coalesce(${said}, '${value}')`
    return `${subscription}.${column}::text IS DISTINCT FROM ${known}`
  }).concat(`${subscription}.plan_code IS DISTINCT FROM ${sold} ->> 'code'`).join(" OR ")
