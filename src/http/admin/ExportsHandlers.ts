/**
 * Answers the endpoints of `ExportsApi.ts`: what goes wrong after the first piece breaks the file off.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Exports } from "../../finance/Exports.ts"
import { Statements } from "../../finance/Statements.ts"
import { csvResponse } from "../console/Csv.ts"
import { AdminApi } from "./AdminApi.ts"
import { orApiUnavailable, refusedField } from "./ApiError.ts"

export const ExportsHandlers = HttpApiBuilder.group(AdminApi, "exports", (handlers) =>
  Effect.gen(function*() {
    const exports = yield* Exports
    const statements = yield* Statements
    return handlers.handleRaw(
      "exportRows",
      Effect.fnUntraced(
        function*({ params: { kind }, query: { currency, provider, state, ...asked } }) {
          const range = yield* statements.range(asked)
          const pieces = yield* exports.csv(kind, { ...range, currency, provider, state })
          return csvResponse(`${kind}-${range.from}-${range.to}.csv`, pieces)
        },
        Effect.catchTags({
          RangeRefused: (error) => Effect.fail(refusedField(error.field, error.message)),
          FilterRefused: (error) => Effect.fail(refusedField(error.field, error.message))
        }),
        orApiUnavailable
      )
    )
  }))
