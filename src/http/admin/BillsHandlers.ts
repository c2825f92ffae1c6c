/**
 * Answers the endpoints of `BillsApi.ts`: the file is read as it comes.
 */
import { Effect } from "effect"
import { BillCheck } from "../../finance/BillCheck.ts"
import { shownBill } from "../../finance/FinanceJson.ts"
import { ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { answersOf } from "./ApiHandlers.ts"

export const BillsHandlers = answersOf(
  "bills",
  Effect.gen(function*() {
    const bills = yield* BillCheck
    return {
      checkBill: ({ payload, query: { encoding, provider } }) =>
        Effect.map(bills.check({ provider, encoding, bytes: payload }), shownBill).pipe(
          Effect.catchTags({
            BillRefused: ({ message }) =>
              Effect.fail(new ApiRefused({ message: `The file: ${message}`, problems: { file: message } })),
            BillUnstored: (error) =>
              Effect.andThen(
                Effect.logError("a bill cannot be compared", error),
                new ApiUnavailable({ message: "There is no room for the file on the server." })
              )
          })
        )
    }
  })
)
