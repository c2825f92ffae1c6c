/**
 * `/api/admin/bills/check`: a provider's file against the books. Nothing is kept of it.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { billEncodings } from "../../finance/BillCheck.ts"
import { BillJson } from "../../finance/FinanceJson.ts"
import { ApiRefused } from "./ApiError.ts"
import { documented } from "./ApiSchema.ts"

const Report = BillJson.pipe(documented("BillReport"))

/** The largest file. */
const FILE_BYTES_MAX = "256 MiB"

const { post } = HttpApiEndpoint

export class BillsApi extends HttpApiGroup.make("bills").add(
  post("checkBill", "/bills/check", {
    query: {
      provider: Schema.Literals(["epay", "stripe"]),
      encoding: Schema.optionalKey(Schema.Literals(billEncodings))
    },
    payload: HttpApiSchema.StreamUint8Array({ contentType: "text/csv", maxBytes: FILE_BYTES_MAX }),
    success: Report,
    error: ApiRefused
  })
).annotateMerge(OpenApi.annotations({
  title: "Bills",
  description: "Stripe: the itemized report of balance changes, with the columns source_id, payment_intent_id, " +
    "reporting_category, currency, gross, fee, net, customer_facing_amount and customer_facing_currency. EPay: the gateway's " +
    "list of trades, with the columns that the setting payment.epay.bill_columns names."
})) {}
