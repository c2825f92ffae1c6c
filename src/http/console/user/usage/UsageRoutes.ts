/**
 * `/usage`: reports and calls of a period, as a page and as a file, and each call's receipt.
 */
import { Effect } from "effect"
import { HttpRouter } from "effect/http"
import { ApiKeys } from "../../../../identity/ApiKeys.ts"
import { CallList } from "../../../../usage/CallList.ts"
import { Receipts } from "../../../../usage/Receipts.ts"
import { type UsageOverview, UsageReports } from "../../../../usage/UsageReports.ts"
import { notFound, page, PageNotFound } from "../../Answer.ts"
import { chartAnswer, shortDay, type Spend } from "../../charts/ChartAnswer.ts"
import { routes, userPage } from "../../ConsoleRoute.ts"
import { csvAnswer } from "../../Csv.ts"
import { callColumns } from "../../kit/usage/CallsCsv.ts"
import { ReceiptView } from "../../kit/usage/ReceiptView.tsx"
import { readRefused } from "../../kit/usage/RefusedCard.tsx"
import { readFilter } from "../../kit/usage/UsageQuery.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { UsageView } from "./UsageView.tsx"

const show = Effect.fnUntraced(function*(context: UserContext) {
  const query = readFilter(context)
  const cursor = context.query.get("before") ?? undefined
  const reports = yield* UsageReports
  const userId = context.user.id
  const shown = yield* Effect.all({
    overview: reports.overview(userId, query.filter, context.formats.timeZone),
    calls: (yield* CallList).page(userId, query.filter, cursor),
    models: reports.models(userId),
    keys: (yield* ApiKeys).list(userId),
    refused: readRefused(context, userId, query)
  }, { concurrency: "unbounded" }).pipe(
    // A period is checked when the address is read, so it is the cursor that cannot be read.
    Effect.catchTag("UsageRefused", notFound)
  )
  return page(sayOf(context, "usage")("title"), UsageView({ context, query, ...shown }))
})

/** A chart is drawn from the same figures as the page that shows it. */
const chart = (
  kind: "days" | "names",
  spendsOf: (overview: UsageOverview, context: UserContext) => ReadonlyArray<Spend>
) =>
  Effect.fnUntraced(function*(context: UserContext) {
    const { filter } = readFilter(context)
    const overview = yield* (yield* UsageReports).overview(context.user.id, filter, context.formats.timeZone).pipe(
      Effect.catchTag("UsageRefused", Effect.die)
    )
    return yield* chartAnswer(context, kind, spendsOf(overview, context))
  })

const daysChart = chart(
  "days",
  ({ days }, context) => days.map(({ chargedMicros, day }) => [shortDay(context, day), chargedMicros])
)

const modelsChart = chart("names", ({ models }) => models.map(({ chargedMicros, model }) => [model, chargedMicros]))

const csv = Effect.fnUntraced(function*(context: UserContext) {
  const { filter, range } = readFilter(context)
  const calls = (yield* CallList).rows(context.user.id, filter)
  return csvAnswer(`realms-calls-${range.from}-${range.to}.csv`, callColumns, calls)
})

const receipt = Effect.fnUntraced(function*(context: UserContext) {
  const id = (yield* HttpRouter.params)["id"] ?? ""
  const found = yield* (yield* Receipts).receipt(context.user.id, id)
  if (found === undefined) return yield* new PageNotFound()
  return page(sayOf(context, "usage")("receipt"), ReceiptView({ context, call: found }))
})

export const UsageRoutes = routes(
  userPage("/usage", show),
  userPage("/usage/days.svg", daysChart),
  userPage("/usage/models.svg", modelsChart),
  userPage("/usage/calls.csv", csv),
  userPage("/usage/:id", receipt)
)
