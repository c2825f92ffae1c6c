/**
 * Answers the endpoints of `StatementsApi.ts` from the services of the books.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Statements } from "../../finance/Statements.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiUnavailable, orApiUnavailable, refusedField } from "./ApiError.ts"

const refusals = {
  RangeRefused: (error: { readonly field: string; readonly message: string }) =>
    Effect.fail(refusedField(error.field, error.message)),
  UnknownKind: (error: { readonly message: string }) =>
    Effect.andThen(Effect.logError("no statement can be made", error), new ApiUnavailable({ message: error.message }))
}

export const StatementsHandlers = HttpApiBuilder.group(AdminApi, "statements", (handlers) =>
  Effect.gen(function*() {
    const statements = yield* Statements
    return handlers.handleAll({
      getStatement: Effect.fnUntraced(
        function*({ query }) {
          return yield* statements.statement(yield* statements.range(query))
        },
        Effect.catchTags(refusals),
        orApiUnavailable
      ),
      listStatementDays: Effect.fnUntraced(
        function*({ query }) {
          return { items: yield* statements.days(yield* statements.range(query)) }
        },
        Effect.catchTags({ RangeRefused: refusals.RangeRefused }),
        orApiUnavailable
      ),
      getLiability: ({ query }) =>
        statements.liability(query.day).pipe(
          Effect.catchTags({
            ...refusals,
            RangeRefused: (error) => Effect.fail(refusedField("day", error.message))
          }),
          orApiUnavailable
        )
    })
  }))
