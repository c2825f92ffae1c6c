/**
 * `/admin/usage`: the figures of all calls and how the channels do; below it the calls one by one, as a page and as a
 * file, and the receipt of any of them.
 */
import { Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import type { CsvColumns } from "../../../../platform/Csv.ts"
import { AllCalls, type WideCall } from "../../../../usage/AllCalls.ts"
import { AllUsage, type UsageReport } from "../../../../usage/AllUsage.ts"
import { ChannelReports } from "../../../../usage/ChannelReports.ts"
import { page, PageNotFound, redirect } from "../../Answer.ts"
import { chartAnswer, dollars, type Drawing, NAMES_DRAWN_MAX } from "../../charts/ChartAnswer.ts"
import { adminPage } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { callColumns } from "../../kit/usage/CallsCsv.ts"
import { shortDay } from "../../user/usage/ChartRoutes.ts"
import { ReceiptView } from "../../kit/usage/ReceiptView.tsx"
import { readRefused } from "../../kit/usage/RefusedCard.tsx"
import { AllCallsView, OwnerFacts } from "./AllCallsView.tsx"
import { readAllUsage } from "./AllUsageQuery.ts"
import { AllUsageView } from "./AllUsageView.tsx"

/** The range has been checked when the address was read. */
const reportOf = Effect.fnUntraced(function*(context: UserContext) {
  const query = yield* readAllUsage(context)
  const report = yield* (yield* AllUsage).report(query.filter, context.formats.timeZone).pipe(
    Effect.catchTag("UsageRefused", (refused) => Effect.die(refused))
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
    Effect.catchTag("UsageRefused", () => Effect.fail(new PageNotFound()))
  )
  return page(sayOf(context, "allUsage")("title"), AllUsageView({ context, channels, refused, ...known }))
})

const HOUR_AT = "YYYY-MM-DD ".length

const drawMoments = (context: UserContext, { moments, unit }: UsageReport): Drawing => ({
  kind: "days",
  labels: moments.map(({ moment }) => unit === "day" ? shortDay(context, moment) : moment.slice(HOUR_AT)),
  values: moments.map(({ chargedMicros }) => dollars(chargedMicros)),
  emptyText: sayOf(context, "usage")("nothingSpent")
})

const drawModels = (context: UserContext, { models }: UsageReport): Drawing => {
  const drawn = models.top.slice(0, NAMES_DRAWN_MAX)
  return {
    kind: "names",
    labels: drawn.map(({ name }) => name),
    values: drawn.map(({ chargedMicros }) => dollars(chargedMicros)),
    emptyText: sayOf(context, "usage")("nothingSpent")
  }
}

const chart = (draw: typeof drawMoments) => (context: UserContext) =>
  Effect.flatMap(reportOf(context), ({ report }) => chartAnswer(context, draw(context, report)))

const calls = Effect.fnUntraced(function*(context: UserContext) {
  const list = yield* AllCalls
  const request = (context.query.get("request") ?? "").trim()
  if (request !== "" && (yield* list.receipt(request)) !== undefined) return redirect(`/admin/usage/${request}`)
  const query = yield* readAllUsage(context)
  const before = context.query.get("before") ?? undefined
  // The range has been checked when the address was read, so it is the cursor that is none.
  const found = yield* list.page(query.filter, before).pipe(
    Effect.catchTag("UsageRefused", () => Effect.fail(new PageNotFound()))
  )
  return page(
    sayOf(context, "allUsage")("calls.title"),
    AllCallsView({
      context,
      query,
      calls: found,
      isContinued: before !== undefined,
      unknownRequest: request === "" ? undefined : request
    })
  )
})

const wideColumns: CsvColumns<WideCall> = [
  ["user_id", (call) => call.userId.toString()],
  ["email", (call) => call.email ?? ""],
  ...callColumns,
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
  const more = OwnerFacts({ context, call })
  return page(sayOf(context, "usage")("receipt"), ReceiptView({ context, call, more, back: "/admin/usage/calls" }))
})

export const AllUsageRoutes = Layer.mergeAll(
  adminPage("/admin/usage", show),
  adminPage("/admin/usage/days.svg", chart(drawMoments)),
  adminPage("/admin/usage/models.svg", chart(drawModels)),
  adminPage("/admin/usage/calls", calls),
  adminPage("/admin/usage/calls.csv", csv),
  adminPage("/admin/usage/:id", receipt)
)
