/**
 * `/api/admin/bills/check`: a provider's file against the books. Nothing is kept of it.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { billEncodings } from "../../finance/BillCheck.ts"
import { ApiRefused } from "./ApiError.ts"
import { ApiAmount, ApiMoment } from "./ApiSchema.ts"

const Difference = Schema.Struct({
  result: Schema.Literals(["different_amount", "missing_here", "missing_there"]),
  kind: Schema.Literals(["payment", "refund", "refund_returned", "dispute", "dispute_returned"]),
  id: Schema.String,
  /** Of the file. */
  line: Schema.NullOr(Schema.Int),
  there_minor: Schema.NullOr(ApiAmount),
  there_currency: Schema.NullOr(Schema.String),
  here_minor: Schema.NullOr(ApiAmount),
  here_currency: Schema.NullOr(Schema.String)
}).annotate({ identifier: "BillDifference" })

const Report = Schema.Struct({
  provider: Schema.Literals(["epay", "stripe"]),
  records: Schema.Int,
  /** Of a state that does not count. */
  left_out: Schema.Int,
  matched: Schema.Int,
  different_amount: Schema.Int,
  missing_here: Schema.Int,
  missing_there: Schema.Int,
  /** By kind and id, the first 1,000. */
  differences: Schema.Array(Difference),
  /** What the file says of each category, fees and payouts too: signed, in the currency that the provider settles in. */
  categories: Schema.Array(Schema.Struct({
    category: Schema.String,
    currency: Schema.String,
    records: Schema.Int,
    fee_minor: ApiAmount,
    net_minor: ApiAmount
  })),
  /** What the file is about; null where it says no times, and then nothing is missing there. */
  from: Schema.NullOr(ApiMoment),
  to: Schema.NullOr(ApiMoment)
}).annotate({ identifier: "BillReport" })

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
