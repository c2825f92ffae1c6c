/**
 * `/api/admin/statements`: what users have, owe and have paid, by days of the time zone of the books.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ClosedDayJson, LiabilityJson, StatementJson } from "../../finance/FinanceJson.ts"
import { ApiRefused } from "./ApiError.ts"
import { dayRangeQuery, documented, itemsOf } from "./ApiSchema.ts"

const Statement = StatementJson.pipe(documented("Statement"))

const ClosedDay = ClosedDayJson.pipe(documented("StatementDay"))

const Liability = LiabilityJson.pipe(documented("Liability"))

const { get } = HttpApiEndpoint

export class StatementsApi extends HttpApiGroup.make("statements").add(
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
).annotateMerge(OpenApi.annotations({
  title: "Statements",
  description:
    "Balances of users in micros of a USD, cash by provider and currency and plans by currency in the minor unit. " +
    "Days are closed once the time zone of the books is saved, and never change again."
})) {}
