/**
 * Numbers of rows as addresses name them, such as `/keys/7/revoke`: what does not look like one is the address of nothing, and
 * nothing is asked of the database.
 */
import { Effect } from "effect"
import { HttpRouter } from "effect/http"
import { PageNotFound } from "./Answer.ts"

/** Every number of so many digits fits a PostgreSQL `bigint`. */
const idPattern = /^[1-9]\d{0,17}$/

/** The id that a text is; undefined for what no id looks like. */
export const idOf = (text: string | null | undefined): bigint | undefined =>
  text !== null && text !== undefined && idPattern.test(text) ? BigInt(text) : undefined

/** The id that stands for `:name` in the route of the request at hand. */
export const pathId = (name: string): Effect.Effect<bigint, PageNotFound, HttpRouter.RouteContext> =>
  Effect.flatMap(HttpRouter.params, (params) => {
    const id = idOf(params[name])
    return id === undefined ? Effect.fail(new PageNotFound()) : Effect.succeed(id)
  })
