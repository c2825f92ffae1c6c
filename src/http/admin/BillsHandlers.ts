/**
 * Answers the endpoints of `BillsApi.ts`: the file is read as it comes.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { BillCheck } from "../../finance/BillCheck.ts"
import { billJson } from "../../finance/FinanceJson.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiRefused, ApiUnavailable, orApiUnavailable } from "./ApiError.ts"

export const BillsHandlers = HttpApiBuilder.group(AdminApi, "bills", (handlers) =>
  Effect.gen(function*() {
    const bills = yield* BillCheck
    return handlers.handle(
      "checkBill",
      Effect.fnUntraced(
        function*({ payload, query: { encoding, provider } }) {
          return billJson(yield* bills.check({ provider, encoding, bytes: payload }))
        },
        Effect.catchTags({
          BillRefused: ({ message }) =>
            Effect.fail(new ApiRefused({ message: `The file: ${message}`, problems: { file: message } })),
          BillUnstored: (error) =>
            Effect.andThen(
              Effect.logError("a bill cannot be compared", error),
              new ApiUnavailable({ message: "There is no room for the file on the server." })
            )
        }),
        orApiUnavailable
      )
    )
  }))
