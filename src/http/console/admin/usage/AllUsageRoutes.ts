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
import { callColumns } from "../../pages/usage/CallsCsv.ts"
import { shortDay } from "../../pages/usage/ChartRoutes.ts"
import { ReceiptView } from "../../pages/usage/ReceiptView.tsx"
import { readRefused } from "../../pages/usage/RefusedCard.tsx"
import { usageText } from "../../pages/usage/UsageText.ts"
import { sayOf, type UserVisit } from "../../Visit.ts"
import { AllCallsView, OwnerFacts } from "./AllCallsView.tsx"
import { readAllUsage } from "./AllUsageQuery.ts"
import { allUsageText } from "./AllUsageText.ts"
import { AllUsageView } from "./AllUsageView.tsx"

/** The range has been checked when the address was read. */
const reportOf = Effect.fnUntraced(function*(visit: UserVisit) {
  const query = yield* readAllUsage(visit)
  const report = yield* (yield* AllUsage).report(query.filter, visit.formats.timeZone).pipe(
    Effect.catchTag("UsageRefused", (refused) => Effect.die(refused))
  )
  return { query, report }
})

const show = Effect.fnUntraced(function*(visit: UserVisit) {
  const { channels, known } = yield* Effect.all({
    known: reportOf(visit),
    channels: (yield* ChannelReports).report
  }, { concurrency: "unbounded" })
  const { user } = known.query
  const refused = user === undefined ? undefined : yield* readRefused(visit, user.id, known.query).pipe(
    // The period was checked when the address was read, so it is the cursor that cannot be read.
    Effect.catchTag("UsageRefused", () => Effect.fail(new PageNotFound()))
  )
  return page(sayOf(visit, allUsageText)("title"), AllUsageView({ visit, channels, refused, ...known }))
})

const HOUR_AT = "YYYY-MM-DD ".length

const drawMoments = (visit: UserVisit, { moments, unit }: UsageReport): Drawing => ({
  kind: "days",
  labels: moments.map(({ moment }) => unit === "day" ? shortDay(visit, moment) : moment.slice(HOUR_AT)),
  values: moments.map(({ chargedMicros }) => dollars(chargedMicros)),
  emptyText: sayOf(visit, usageText)("nothingSpent")
})

const drawModels = (visit: UserVisit, { models }: UsageReport): Drawing => {
  const drawn = models.top.slice(0, NAMES_DRAWN_MAX)
  return {
    kind: "names",
    labels: drawn.map(({ name }) => name),
    values: drawn.map(({ chargedMicros }) => dollars(chargedMicros)),
    emptyText: sayOf(visit, usageText)("nothingSpent")
  }
}

const chart = (draw: typeof drawMoments) => (visit: UserVisit) =>
  Effect.flatMap(reportOf(visit), ({ report }) => chartAnswer(visit, draw(visit, report)))

const calls = Effect.fnUntraced(function*(visit: UserVisit) {
  const list = yield* AllCalls
  const request = (visit.query.get("request") ?? "").trim()
  if (request !== "" && (yield* list.receipt(request)) !== undefined) return redirect(`/admin/usage/${request}`)
  const query = yield* readAllUsage(visit)
  const before = visit.query.get("before") ?? undefined
  // The range has been checked when the address was read, so it is the cursor that is none.
  const found = yield* list.page(query.filter, before).pipe(
    Effect.catchTag("UsageRefused", () => Effect.fail(new PageNotFound()))
  )
  return page(
    sayOf(visit, allUsageText)("calls.title"),
    AllCallsView({
      visit,
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

const csv = Effect.fnUntraced(function*(visit: UserVisit) {
  const { filter, range } = yield* readAllUsage(visit)
  return csvAnswer(`realms-all-calls-${range.from}-${range.to}.csv`, wideColumns, (yield* AllCalls).rows(filter))
})

const receipt = Effect.fnUntraced(function*(visit: UserVisit) {
  const id = (yield* HttpRouter.params)["id"] ?? ""
  const call = yield* (yield* AllCalls).receipt(id)
  if (call === undefined) return yield* new PageNotFound()
  const more = OwnerFacts({ visit, call })
  return page(sayOf(visit, usageText)("receipt"), ReceiptView({ visit, call, more, back: "/admin/usage/calls" }))
})

export const AllUsageRoutes = Layer.mergeAll(
  adminPage("/admin/usage", show),
  adminPage("/admin/usage/days.svg", chart(drawMoments)),
  adminPage("/admin/usage/models.svg", chart(drawModels)),
  adminPage("/admin/usage/calls", calls),
  adminPage("/admin/usage/calls.csv", csv),
  adminPage("/admin/usage/:id", receipt)
)
