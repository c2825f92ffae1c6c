/**
 * `/api/admin/statements`: what users have, owe and have paid, by days of the time zone of the books.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Books as BooksCodec } from "../../finance/StatementLines.ts"
import { ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { ApiAmount, ApiMoment, dayRangeQuery } from "./ApiSchema.ts"

const Day = Schema.String.annotate({ identifier: "Day", description: "A local day, such as 2026-11-03." })

const Books = Schema.toEncoded(BooksCodec).annotate({ identifier: "Books" })

const stretch = {
  time_zone: Schema.String,
  starts_at: ApiMoment,
  ends_at: ApiMoment
}

const Statement = Schema.Struct({
  from: Day,
  to: Day,
  ...stretch,
  /** Every day of it is closed: it never changes again. */
  closed: Schema.Boolean,
  closed_days: Schema.Int,
  books: Books,
  /** Of a statement that reaches to this moment: the closing balance is the first two, the closing debt the third. */
  now: Schema.NullOr(Schema.Struct({ usd_micros: ApiAmount, held_micros: ApiAmount, owed_micros: ApiAmount }))
}).annotate({ identifier: "Statement" })

const ClosedDay = Schema.Struct({
  day: Day,
  ...stretch,
  closed_at: ApiMoment,
  books: Books
}).annotate({ identifier: "StatementDay" })

const Liability = Schema.Struct({
  day: Day,
  time_zone: Schema.String,
  at: ApiMoment,
  /** What users have, holds of open calls included. */
  prepaid_micros: ApiAmount,
  /** What users owe: a claim beside it. */
  owed_micros: ApiAmount,
  /** Of plans: for time that had not passed. */
  unearned: Schema.Array(Schema.Struct({ currency: Schema.String, unearned_minor: ApiAmount }))
}).annotate({ identifier: "Liability" })

export class StatementsApi extends HttpApiGroup.make("statements").add(
  HttpApiEndpoint.get("getStatement", "/statements", {
    query: dayRangeQuery,
    success: Statement,
    error: [ApiRefused, ApiUnavailable]
  }),
  HttpApiEndpoint.get("listStatementDays", "/statements/days", {
    query: dayRangeQuery,
    success: Schema.Struct({ items: Schema.Array(ClosedDay) }),
    error: [ApiRefused, ApiUnavailable]
  }),
  HttpApiEndpoint.get("getLiability", "/statements/liability", {
    query: { day: Schema.String },
    success: Liability,
    error: [ApiRefused, ApiUnavailable]
  })
).annotateMerge(OpenApi.annotations({
  title: "Statements",
  description:
    "Balances of users in micros of a USD, cash by provider and currency and plans by currency in the minor unit. " +
    "Days are closed once the time zone of the books is saved, and never change again."
})) {}
