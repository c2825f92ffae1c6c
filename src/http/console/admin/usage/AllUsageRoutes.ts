/**
 * `/admin/usage`: the figures of all calls and how the channels do; below it the calls one by one, as a page and as a
 * file, and the receipt of any of them.
 */
import { Effect } from "effect"
import { HttpRouter } from "effect/http"
import type { CsvColumns } from "../../../../platform/Csv.ts"
import { AllCalls, type WideCall } from "../../../../usage/AllCalls.ts"
import { AllUsage } from "../../../../usage/AllUsage.ts"
import { ChannelReports } from "../../../../usage/ChannelReports.ts"
import { notFound, page, PageNotFound, redirect } from "../../Answer.ts"
import { chartAnswer, shortDay } from "../../charts/ChartAnswer.ts"
import { adminPage, routes } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { callCsv, readRefused } from "../../kit/usage/Calls.tsx"
import { ReceiptView } from "../../kit/usage/ReceiptView.tsx"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { AllCallsView, ownerFacts } from "./AllCallsView.tsx"
import { readAllUsage } from "./AllUsageQuery.ts"
import { AllUsageView } from "./AllUsageView.tsx"

/** The range has been checked when the address was read. */
const reportOf = Effect.fnUntraced(function*(context: UserContext) {
  const query = yield* readAllUsage(context)
  const report = yield* (yield* AllUsage).report(query.filter, context.formats.timeZone).pipe(
    Effect.catchTag("UsageRefused", Effect.die)
  )
  return { query, report }
})

const show = Effect.fnUntraced(function*(context: UserContext) {
  const { channels, known } = yield* Effect.all({
    known: reportOf(context),
    channels: (yield* ChannelReports).report
  }, { concurrency: "unbounded" })
  const { user } = known.query
  const refused = user === undefined ? undefined : yield* readRefused(context, user.id, known.query).pipe(
    // The period was checked when the address was read, so it is the cursor that cannot be read.
    Effect.catchTag("UsageRefused", notFound)
  )
  return page(sayOf(context, "allUsage")("title"), AllUsageView({ context, channels, refused, ...known }))
})

const HOUR_AT = "YYYY-MM-DD ".length

const momentsChart = Effect.fnUntraced(function*(context: UserContext) {
  const { moments, unit } = (yield* reportOf(context)).report
  const nameOf = (moment: string) => unit === "day" ? shortDay(context, moment) : moment.slice(HOUR_AT)
  return yield* chartAnswer(context, "days", moments.map((sums) => [nameOf(sums.moment), sums.chargedMicros]))
})

const modelsChart = Effect.fnUntraced(function*(context: UserContext) {
  const { models } = (yield* reportOf(context)).report
  return yield* chartAnswer(context, "names", models.top.map(({ chargedMicros, name }) => [name, chargedMicros]))
})

const calls = Effect.fnUntraced(function*(context: UserContext) {
  const list = yield* AllCalls
  const request = (context.query.get("request") ?? "").trim()
  if (request !== "" && (yield* list.receipt(request)) !== undefined) return redirect(`/admin/usage/${request}`)
  const query = yield* readAllUsage(context)
  const before = context.query.get("before") ?? undefined
  // The range has been checked when the address was read, so it is the cursor that cannot be read.
  const found = yield* list.page(query.filter, before).pipe(
    Effect.catchTag("UsageRefused", notFound)
  )
  const unknownRequest = request === "" ? undefined : request
  return page(
    sayOf(context, "allUsage")("calls.title"),
    AllCallsView({ context, query, calls: found, unknownRequest })
  )
})

const wideColumns: CsvColumns<WideCall> = [
  ["user_id", (call) => call.userId.toString()],
  ["email", (call) => call.email ?? ""],
  ...callCsv,
  ["channel", (call) => call.channel ?? ""],
  ["reason", (call) => call.reason ?? ""]
]

const csv = Effect.fnUntraced(function*(context: UserContext) {
  const { filter, range } = yield* readAllUsage(context)
  return csvAnswer(`realms-all-calls-${range.from}-${range.to}.csv`, wideColumns, (yield* AllCalls).rows(filter))
})

const receipt = Effect.fnUntraced(function*(context: UserContext) {
  const id = (yield* HttpRouter.params)["id"] ?? ""
  const call = yield* (yield* AllCalls).receipt(id)
  if (call === undefined) return yield* new PageNotFound()
  const more = ownerFacts(context, call)
  return page(sayOf(context, "usage")("receipt"), ReceiptView({ context, call, more, back: "/admin/usage/calls" }))
})

export const AllUsageRoutes = routes(
  adminPage("/admin/usage", show),
  adminPage("/admin/usage/days.svg", momentsChart),
  adminPage("/admin/usage/models.svg", modelsChart),
  adminPage("/admin/usage/calls", calls),
  adminPage("/admin/usage/calls.csv", csv),
  adminPage("/admin/usage/:id", receipt)
)
