/**
 * Ids of rows in addresses, such as `/keys/7/revoke`. A text that does not look like an id is answered "not found" without asking the
 * database.
 */
import { Effect, Schema } from "effect"
import { HttpRouter } from "effect/http"
import type { IdOf } from "../../domain/Ids.ts"
import { PageNotFound } from "./Answer.ts"

/** Every number of so many digits fits a PostgreSQL `bigint`. */
const idPattern = /^[1-9]\d{0,17}$/

/** The id that a text is; undefined for what no id looks like. Without a schema it is a number of no kind. */
export function idOf(text: string | null | undefined): bigint | undefined
export function idOf<Id extends bigint>(text: string | null | undefined, id: IdOf<Id>): Id | undefined
export function idOf(text: string | null | undefined, id: IdOf<bigint> = Schema.BigInt): bigint | undefined {
  return text !== null && text !== undefined && idPattern.test(text) ? id.make(BigInt(text)) : undefined
}

/** The id at `:name` in the route of the request at hand. */
export function pathId(name: string): Effect.Effect<bigint, PageNotFound, HttpRouter.RouteContext>
export function pathId<Id extends bigint>(
  name: string,
  id: IdOf<Id>
): Effect.Effect<Id, PageNotFound, HttpRouter.RouteContext>
export function pathId(name: string, id: IdOf<bigint> = Schema.BigInt) {
  return Effect.flatMap(HttpRouter.params, (params) => {
    const found = idOf(params[name], id)
    return found === undefined ? Effect.fail(new PageNotFound()) : Effect.succeed(found)
  })
}
