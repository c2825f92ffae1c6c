/**
 * `/`: the dashboard. Today's figures are the last day of the last thirty, so that one report serves both.
 */
import { Effect } from "effect"
import { AccountOverview } from "../../../../accounts/AccountOverview.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { UsageReports } from "../../../../usage/UsageReports.ts"
import { servedModels } from "../../../ServedModels.ts"
import { page } from "../../Answer.ts"
import { userPage } from "../../ConsoleRoute.ts"
import { readRange } from "../../kit/usage/UsageRange.ts"
import { sayOf, type UserContext } from "../../PageContext.ts"
import { DashboardView } from "./DashboardView.tsx"

const show = Effect.fnUntraced(function*(context: UserContext) {
  const range = readRange(new URLSearchParams(), context.now, context.formats.timeZone)
  const reports = yield* UsageReports
  const { account, models, month } = yield* Effect.all({
    account: (yield* AccountOverview).view(context.user.id),
    month: reports.overview(context.user.id, range, context.formats.timeZone).pipe(
      Effect.catchTag("UsageRefused", Effect.die)
    ),
    models: servedModels
  }, { concurrency: "unbounded" })
  const today = month.days.at(-1) ?? month.totals
  const publicUrl = (yield* PublicAddress).url()
  return page(
    sayOf(context, "dashboard")("title"),
    DashboardView({ context, account, month, today, publicUrl, model: models[0]?.id })
  )
})

export const DashboardRoutes = userPage("/", show)
