/**
 * `/admin`: where the administration begins, for root alone: how the service does, what waits for somebody, and what a fresh
 * installation still lacks. Today's figures are the last day of the last thirty, so that one report serves both.
 */
import { Effect } from "effect"
import { Confirmations } from "../../../../confirmations/Confirmations.ts"
import { PaymentEvents } from "../../../../events/PaymentEvents.ts"
import { PublicAddress } from "../../../../platform/PublicAddress.ts"
import { FirstSteps } from "../../../../settings/FirstSteps.ts"
import { AllUsage } from "../../../../usage/AllUsage.ts"
import { ChannelReports } from "../../../../usage/ChannelReports.ts"
import { ServiceOverview } from "../../../../usage/ServiceOverview.ts"
import { page } from "../../Answer.ts"
import { adminPage } from "../../ConsoleRoute.ts"
import { readRange } from "../../kit/usage/UsageQuery.ts"
import { readClamped } from "../usage/Channels.tsx"
import { OverviewView } from "./OverviewView.tsx"

export const OverviewRoutes = adminPage("/admin", (context) =>
  Effect.gen(function*() {
    const { timeZone } = context.formats
    const month = readRange(new URLSearchParams("range=30d"), context.now, timeZone)
    const today = readRange(new URLSearchParams("range=today"), context.now, timeZone)
    const found = yield* Effect.all({
      usage: (yield* AllUsage).report(month, timeZone).pipe(
        Effect.catchTag("UsageRefused", (refused) => Effect.die(refused))
      ),
      figures: (yield* ServiceOverview).figures(today.fromMs, month.fromMs),
      toReview: (yield* PaymentEvents).openCount,
      toConfirm: (yield* Confirmations).pending,
      channels: (yield* ChannelReports).report,
      clamped: readClamped,
      steps: (yield* FirstSteps).steps
    }, { concurrency: "unbounded" })
    const publicUrl = (yield* PublicAddress).url()
    return page(context.say("nav.admin"), OverviewView({ context, publicUrl, ...found }))
  }))
