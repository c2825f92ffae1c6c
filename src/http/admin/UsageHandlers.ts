/**
 * Answers `/api/admin/usage` and `/api/admin/overview` by the same use cases as the pages.
 */
import { Clock, DateTime, Effect } from "effect"
import { PaymentEvents } from "../../events/PaymentEvents.ts"
import { FirstSteps } from "../../settings/FirstSteps.ts"
import { AllCalls, type CallOwner } from "../../usage/AllCalls.ts"
import { AllUsage } from "../../usage/AllUsage.ts"
import { ChannelReports } from "../../usage/ChannelReports.ts"
import type { CallReceipt } from "../../usage/Receipts.ts"
import { type PeriodFigures, ServiceOverview } from "../../usage/ServiceOverview.ts"
import type { UsageRefused } from "../../usage/UsageRefused.ts"
import type { UsageSums } from "../../usage/UsageSums.ts"
import { readRange } from "../console/kit/usage/UsageQuery.ts"
import { timeZoneOf } from "../console/text/Formats.ts"
import { ApiNotFound, millisOf, refusedField } from "./ApiError.ts"
import { answersOf } from "./ApiHandlers.ts"

const DAY_MS = 86_400_000
const DEFAULT_DAYS = 30
const HOUR_MS = 3_600_000

const shownReceipt = ({ price, ...call }: CallReceipt & CallOwner) => ({ ...call, ...price })

const shownPeriod = (figures: PeriodFigures, { calls, chargedMicros }: UsageSums) => ({
  ...figures,
  calls,
  chargedMicros
})

/** The end is an hour ahead where it is not given: reports are of whole hours. */
const periodOf = Effect.fnUntraced(function*(query: { readonly from?: string; readonly to?: string }) {
  const toMs = (yield* millisOf("to", query.to)) ?? (yield* Clock.currentTimeMillis) + HOUR_MS
  const fromMs = (yield* millisOf("from", query.from)) ?? toMs - DEFAULT_DAYS * DAY_MS
  return { fromMs, toMs }
})

const refusals = {
  empty_range: refusedField("to", "is after from"),
  range_too_long: refusedField("from", "is at most 400 days before to"),
  bad_cursor: refusedField("before", "is the next of another page")
}

const refused = ({ reason }: UsageRefused) => Effect.fail(refusals[reason])

export const UsageHandlers = answersOf(
  "usage",
  Effect.gen(function*() {
    const usage = yield* AllUsage
    const calls = yield* AllCalls
    const channels = yield* ChannelReports
    const service = yield* ServiceOverview
    const events = yield* PaymentEvents
    const firstSteps = yield* FirstSteps
    return {
      overview: Effect.fnUntraced(function*({ query }) {
        const timeZone = timeZoneOf(query.time_zone)
        const now = DateTime.toDateUtc(yield* DateTime.now)
        const month = readRange(new URLSearchParams("range=30d"), now, timeZone)
        const today = readRange(new URLSearchParams("range=today"), now, timeZone)
        const report = yield* usage.report(month, timeZone).pipe(
          Effect.catchTag("UsageRefused", (refused) => Effect.die(refused))
        )
        const figures = yield* service.figures(today.fromMs, month.fromMs)
        return {
          today: shownPeriod(figures.today, report.moments.at(-1) ?? report.totals),
          month: shownPeriod(figures.month, report.totals),
          users: figures.users,
          ordersPending: figures.ordersPending,
          reviewsOpen: yield* events.openCount,
          callsOpen: figures.callsOpen,
          foldedTo: report.foldedTo,
          firstSteps: yield* firstSteps.steps
        }
      }),
      reportUsage: Effect.fnUntraced(
        function*({ query }) {
          const filter = { userId: query.user_id, model: query.model, channel: query.channel }
          return yield* usage.report({ ...(yield* periodOf(query)), ...filter }, timeZoneOf(query.time_zone))
        },
        Effect.catchTag("UsageRefused", refused)
      ),
      listCalls: Effect.fnUntraced(
        function*({ query }) {
          const { before, key_id: keyId, user_id: userId, ...filter } = query
          return yield* calls.page({ ...filter, ...(yield* periodOf(query)), userId, keyId }, before)
        },
        Effect.catchTag("UsageRefused", refused)
      ),
      getCall: Effect.fnUntraced(function*({ params }) {
        const call = yield* calls.receipt(params.id)
        return call === undefined ? yield* new ApiNotFound({ message: "There is no such call." }) : shownReceipt(call)
      }),
      reportChannels: () => channels.report
    }
  })
)
