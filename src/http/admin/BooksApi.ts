/**
 * The books for programs: `/api/admin/statements`, what users have, owe and have paid, by days of the time zone of the books;
 * `/api/admin/exports/{kind}`, rows as streamed files of comma-separated values; `/api/admin/bills/check`, a provider's file
 * against the books, of which nothing is kept.
 */
import { Effect, Schema } from "effect"
import { HttpApiEndpoint, HttpApiSchema } from "effect/http-api"
import { BillCheck, billEncodings } from "../../finance/BillCheck.ts"
import { exportNames, Exports } from "../../finance/Exports.ts"
import { BillJson, ClosedDayJson, LiabilityJson, shownBill, StatementJson } from "../../finance/FinanceJson.ts"
import { Statements } from "../../finance/Statements.ts"
import { csvResponse } from "../console/Csv.ts"
import { ApiRefused, ApiUnavailable, refusedField } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { dayRangeQuery, documented, itemsOf } from "./ApiSchema.ts"

const Statement = StatementJson.pipe(documented("Statement"))

const ClosedDay = ClosedDayJson.pipe(documented("StatementDay"))

const Liability = LiabilityJson.pipe(documented("Liability"))

const { get, post } = HttpApiEndpoint

export class StatementsApi extends area(
  "statements",
  "Statements",
  "Balances of users in micros of a USD, cash by provider and currency and plans by currency in the minor unit. " +
    "Days are closed once the time zone of the books is saved, and never change again."
).add(
  get("getStatement", "/statements", { query: dayRangeQuery, success: Statement, error: ApiRefused }),
  get("listStatementDays", "/statements/days", {
    query: dayRangeQuery,
    success: itemsOf(ClosedDay),
    error: ApiRefused
  }),
  get("getLiability", "/statements/liability", {
    query: { day: Schema.String },
    success: Liability,
    error: ApiRefused
  })
) {}

const unknownKind = (error: { readonly message: string }) =>
  Effect.andThen(Effect.logError("no statement can be made", error), new ApiUnavailable({ message: error.message }))

export const StatementsHandlers = answersOf(StatementsApi)(Statements, (statements) => ({
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
}))

const Name = Schema.String.check(Schema.isMaxLength(100))

export class ExportsApi extends area(
  "exports",
  "Exports",
  "Booked in the days asked for, oldest first. The last lines are totals: `total`, how many rows, and the sums. " +
    "A file without them was broken off. `state` of the ledger and of cash is the kind of an entry or movement."
).add(
  get("exportRows", "/exports/:kind", {
    params: { kind: Schema.Literals(exportNames) },
    query: {
      ...dayRangeQuery,
      provider: Schema.optionalKey(Name),
      currency: Schema.optionalKey(Name),
      state: Schema.optionalKey(Name)
    },
    success: HttpApiSchema.StreamUint8Array({ contentType: "text/csv; charset=utf-8" }),
    error: ApiRefused
  })
) {}

export const ExportsHandlers = answersOf(ExportsApi)(
  Effect.all({ exports: Exports, statements: Statements }),
  ({ exports, statements }) => ({
    exportRows: Effect.fnUntraced(function*({ params: { kind }, query: { currency, provider, state, ...asked } }) {
      const range = yield* statements.range(asked)
      const pieces = yield* exports.csv(kind, { ...range, currency, provider, state })
      return csvResponse(`${kind}-${range.from}-${range.to}.csv`, pieces)
    })
  })
)

const Report = BillJson.pipe(documented("BillReport"))

/** The largest file. */
const FILE_BYTES_MAX = "256 MiB"

export class BillsApi extends area(
  "bills",
  "Bills",
  "Stripe: the itemized report of balance changes, with the columns source_id, payment_intent_id, " +
    "reporting_category, currency, gross, fee, net, customer_facing_amount and customer_facing_currency. EPay: the gateway's " +
    "list of trades, with the columns that the setting payment.epay.bill_columns names."
).add(
  post("checkBill", "/bills/check", {
    query: {
      provider: Schema.Literals(["epay", "stripe"]),
      encoding: Schema.optionalKey(Schema.Literals(billEncodings))
    },
    payload: HttpApiSchema.StreamUint8Array({ contentType: "text/csv", maxBytes: FILE_BYTES_MAX }),
    success: Report,
    error: ApiRefused
  })
) {}

export const BillsHandlers = answersOf(BillsApi)(BillCheck, (bills) => ({
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
}))
