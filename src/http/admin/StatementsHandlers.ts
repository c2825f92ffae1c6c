/**
 * Answers the endpoints of `StatementsApi.ts` from the services of the books.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { statementJson } from "../../finance/FinanceJson.ts"
import { encodeBooks } from "../../finance/StatementLines.ts"
import { Statements } from "../../finance/Statements.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiUnavailable, orApiUnavailable, refusedField } from "./ApiError.ts"
import { momentOf } from "./ApiSchema.ts"

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
          return statementJson(yield* statements.statement(yield* statements.range(query)))
        },
        Effect.catchTags(refusals),
        orApiUnavailable
      ),
      listStatementDays: Effect.fnUntraced(
        function*({ query }) {
          const days = yield* statements.days(yield* statements.range(query))
          return {
            items: days.map((day) => ({
              day: day.day,
              time_zone: day.timeZone,
              starts_at: momentOf(day.startsAt),
              ends_at: momentOf(day.endsAt),
              closed_at: momentOf(day.closedAt),
              books: encodeBooks(day.books)
            }))
          }
        },
        Effect.catchTags({ RangeRefused: refusals.RangeRefused }),
        orApiUnavailable
      ),
      getLiability: Effect.fnUntraced(
        function*({ query }) {
          const { at, day, owedMicros, prepaidMicros, timeZone, unearned } = yield* statements.liability(query.day)
          return {
            day,
            time_zone: timeZone,
            at: momentOf(at),
            prepaid_micros: prepaidMicros.toString(),
            owed_micros: owedMicros.toString(),
            unearned: unearned.map(({ currency, minor }) => ({ currency, unearned_minor: minor.toString() }))
          }
        },
        Effect.catchTags({
          ...refusals,
          RangeRefused: (error) => Effect.fail(refusedField("day", error.message))
        }),
        orApiUnavailable
      )
    })
  }))
