/**
 * Answers the endpoints of `BillsApi.ts`: the file is read as it comes.
 */
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { BillCheck } from "../../finance/BillCheck.ts"
import { billJson } from "../../finance/FinanceJson.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiRefused, orApiUnavailable } from "./ApiError.ts"

export const BillsHandlers = HttpApiBuilder.group(AdminApi, "bills", (handlers) =>
  Effect.gen(function*() {
    const bills = yield* BillCheck
    return handlers.handle(
      "checkBill",
      Effect.fnUntraced(
        function*({ payload, query: { encoding, provider } }) {
          return billJson(yield* bills.check({ provider, encoding, bytes: payload }))
        },
        Effect.catchTag("BillRefused", ({ message }) =>
          Effect.fail(new ApiRefused({ message: `The file: ${message}`, problems: { file: message } }))),
        orApiUnavailable
      )
    )
  }))
