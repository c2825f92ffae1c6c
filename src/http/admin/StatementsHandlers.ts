/**
 * Answers the endpoints of `StatementsApi.ts` from the services of the books.
 */
import { Effect } from "effect"
import { Statements } from "../../finance/Statements.ts"
import { ApiUnavailable, refusedField } from "./ApiError.ts"
import { answersOf, listed } from "./ApiHandlers.ts"

const unknownKind = (error: { readonly message: string }) =>
  Effect.andThen(Effect.logError("no statement can be made", error), new ApiUnavailable({ message: error.message }))

export const StatementsHandlers = answersOf(
  "statements",
  Effect.gen(function*() {
    const statements = yield* Statements
    return {
      getStatement: ({ query }) =>
        statements.range(query).pipe(
          Effect.flatMap(statements.statement),
          Effect.catchTag("UnknownKind", unknownKind)
        ),
      listStatementDays: ({ query }) => listed(Effect.flatMap(statements.range(query), statements.days)),
      getLiability: ({ query }) =>
        statements.liability(query.day).pipe(
          Effect.catchTags({
            UnknownKind: unknownKind,
            RangeRefused: (error) => Effect.fail(refusedField("day", error.message))
          })
        )
    }
  })
)
