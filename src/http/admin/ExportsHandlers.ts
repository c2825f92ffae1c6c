/**
 * Answers the endpoints of `ExportsApi.ts`: what goes wrong after the first piece breaks the file off.
 */
import { Effect } from "effect"
import { Exports } from "../../finance/Exports.ts"
import { Statements } from "../../finance/Statements.ts"
import { csvResponse } from "../console/Csv.ts"
import { answersOf } from "./ApiHandlers.ts"

export const ExportsHandlers = answersOf(
  "exports",
  Effect.gen(function*() {
    const exports = yield* Exports
    const statements = yield* Statements
    return {
      exportRows: Effect.fnUntraced(function*({ params: { kind }, query: { currency, provider, state, ...asked } }) {
        const range = yield* statements.range(asked)
        const pieces = yield* exports.csv(kind, { ...range, currency, provider, state })
        return csvResponse(`${kind}-${range.from}-${range.to}.csv`, pieces)
      })
    }
  })
)
