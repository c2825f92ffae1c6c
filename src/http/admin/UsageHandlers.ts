/**
 * Answers `/api/admin/usage` and `/api/admin/overview` by the same use cases as the pages.
 */
import { Clock, DateTime, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { PaymentEvents } from "../../events/PaymentEvents.ts"
import { FirstSteps } from "../../settings/FirstSteps.ts"
import { AllCalls, type CallOwner, type WideCall } from "../../usage/AllCalls.ts"
import { AllUsage, type UsageShare, type UsageShares } from "../../usage/AllUsage.ts"
import type { CallItem } from "../../usage/CallItem.ts"
import { type ChannelReport, ChannelReports, type ChannelWindow } from "../../usage/ChannelReports.ts"
import type { CallReceipt } from "../../usage/Receipts.ts"
import { type PeriodFigures, ServiceOverview } from "../../usage/ServiceOverview.ts"
import type { UsageRefused } from "../../usage/UsageRefused.ts"
import type { UsageSums } from "../../usage/UsageSums.ts"
import { readRange } from "../console/pages/usage/UsageRange.ts"
import { timeZoneOf } from "../console/text/Formats.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiNotFound, orApiUnavailable, refusedField } from "./ApiError.ts"
import { momentOrNull } from "./ApiSchema.ts"

const DAY_MS = 86_400_000
const DEFAULT_DAYS = 30
const HOUR_MS = 3_600_000

const sumsJson = (sums: UsageSums) => ({
  calls: sums.calls,
  input_tokens: sums.inputTokens,
  cached_input_tokens: sums.cachedInputTokens,
  cache_write_tokens: sums.cacheWriteTokens,
  output_tokens: sums.outputTokens,
  cost_micros: sums.costMicros.toString(),
  charged_micros: sums.chargedMicros.toString()
})

const shareJson = (share: UsageShare) => Object.assign(sumsJson(share), { name: share.name, email: share.email })

const sharesJson = ({ others, othersCount, top }: UsageShares) => ({
  top: top.map(shareJson),
  others: others === undefined ? null : sumsJson(others),
  others_count: othersCount
})

const momentOfMs = (ms: number): string => DateTime.formatIso(DateTime.makeUnsafe(ms))

const callJson = (call: CallItem & CallOwner & Pick<WideCall, "channel">) => ({
  id: call.id,
  user_id: call.userId.toString(),
  email: call.email,
  at: momentOfMs(call.atMs),
  endpoint: call.endpoint,
  model: call.model,
  channel: call.channel,
  key_id: call.keyId?.toString() ?? null,
  key_hint: call.keyHint,
  state: call.state,
  funding: call.funding,
  subscription_id: call.subscriptionId?.toString() ?? null,
  reserved_micros: call.reservedMicros.toString(),
  cost_micros: call.costMicros?.toString() ?? null,
  charged_micros: call.chargedMicros?.toString() ?? null,
  input_tokens: call.inputTokens,
  cached_input_tokens: call.cachedInputTokens,
  cache_write_tokens: call.cacheWriteTokens,
  output_tokens: call.outputTokens,
  usage_source: call.usageSource,
  late: call.late,
  stream: call.stream,
  status: call.status,
  reason: call.reason,
  latency_ms: call.latencyMs,
  first_byte_ms: call.ttftMs
})

const receiptJson = (call: CallReceipt & CallOwner) => ({
  ...callJson(call),
  upstream_model: call.upstreamModel,
  usage_flagged: call.usageFlagged,
  input_micros_per_1m: call.price.inputMicrosPer1m.toString(),
  cached_input_micros_per_1m: call.price.cachedInputMicrosPer1m.toString(),
  cache_write_micros_per_1m: call.price.cacheWriteMicrosPer1m?.toString() ?? null,
  output_micros_per_1m: call.price.outputMicrosPer1m.toString(),
  billing_multiplier_micros: call.billingMultiplier.toString(),
  plan_multiplier_micros: call.planMultiplier.toString(),
  settled_at: call.settledAtMs === null ? null : momentOfMs(call.settledAtMs)
})

const windowJson = (window: ChannelWindow) => ({
  calls: window.calls,
  failures: window.failures,
  latency_p50_ms: window.latencyP50Ms,
  latency_p95_ms: window.latencyP95Ms,
  first_byte_p50_ms: window.firstByteP50Ms,
  first_byte_p95_ms: window.firstByteP95Ms
})

const channelJson = (channel: ChannelReport) => ({
  id: channel.id?.toString() ?? null,
  name: channel.name,
  disabled: channel.isDisabled,
  breaker: channel.breaker,
  last_hour: windowJson(channel.hour),
  last_day: windowJson(channel.day)
})

const periodJson = (figures: PeriodFigures, sums: UsageSums) => ({
  new_users: figures.newUsers,
  topups_fen: figures.topupsFen.toString(),
  plans_fen: figures.plansFen.toString(),
  calls: sums.calls,
  charged_micros: sums.chargedMicros.toString()
})

const momentIn = (field: string, text: string) =>
  Effect.mapError(
    Effect.fromOption(DateTime.make(text)),
    () => refusedField(field, "is a moment in ISO 8601")
  ).pipe(Effect.map((at) => at.epochMilliseconds))

/** The end is an hour ahead where it is not given: reports are of whole hours. */
const periodOf = Effect.fnUntraced(function*(query: { readonly from?: string; readonly to?: string }) {
  const toMs = query.to === undefined ? (yield* Clock.currentTimeMillis) + HOUR_MS : yield* momentIn("to", query.to)
  const fromMs = query.from === undefined ? toMs - DEFAULT_DAYS * DAY_MS : yield* momentIn("from", query.from)
  return { fromMs, toMs }
})

const refusal = ({ reason }: UsageRefused) => {
  switch (reason) {
    case "empty_range":
      return refusedField("to", "is after from")
    case "range_too_long":
      return refusedField("from", "is at most 400 days before to")
    case "bad_cursor":
      return refusedField("before", "is the next of another page")
  }
}

export const UsageHandlers = HttpApiBuilder.group(
  AdminApi,
  "usage",
  Effect.fn(function*(handlers) {
    const usage = yield* AllUsage
    const calls = yield* AllCalls
    const channels = yield* ChannelReports
    const service = yield* ServiceOverview
    const events = yield* PaymentEvents
    const firstSteps = yield* FirstSteps
    return handlers.handleAll({
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
          today: periodJson(figures.today, report.moments.at(-1) ?? report.totals),
          month: periodJson(figures.month, report.totals),
          users: figures.users,
          orders_pending: figures.ordersPending,
          reviews_open: yield* events.openCount,
          calls_open: figures.callsOpen,
          folded_to: momentOrNull(report.foldedTo),
          first_steps: (yield* firstSteps.steps).map(({ isDone, step }) => ({ step, done: isDone }))
        }
      }, orApiUnavailable),
      reportUsage: Effect.fnUntraced(
        function*({ query }) {
          const filter = { userId: query.user_id, model: query.model, channel: query.channel }
          const report = yield* usage.report(
            { ...(yield* periodOf(query)), ...filter },
            timeZoneOf(query.time_zone)
          )
          return {
            totals: sumsJson(report.totals),
            unit: report.unit,
            moments: report.moments.map((one) => Object.assign(sumsJson(one), { moment: one.moment })),
            users: sharesJson(report.users),
            models: sharesJson(report.models),
            channels: sharesJson(report.channels),
            folded_to: momentOrNull(report.foldedTo)
          }
        },
        Effect.catchTag("UsageRefused", (error) => Effect.fail(refusal(error))),
        orApiUnavailable
      ),
      listCalls: Effect.fnUntraced(
        function*({ query }) {
          const filter = {
            ...(yield* periodOf(query)),
            userId: query.user_id,
            keyId: query.key_id,
            model: query.model,
            channel: query.channel,
            state: query.state,
            funding: query.funding,
            status: query.status
          }
          const page = yield* calls.page(filter, query.before)
          return { items: page.items.map(callJson), next: page.next ?? null }
        },
        Effect.catchTag("UsageRefused", (error) => Effect.fail(refusal(error))),
        orApiUnavailable
      ),
      getCall: Effect.fnUntraced(function*({ params }) {
        const call = yield* calls.receipt(params.id)
        return call === undefined ? yield* new ApiNotFound({ message: "There is no such call." }) : receiptJson(call)
      }, orApiUnavailable),
      reportChannels: () =>
        Effect.map(channels.report, (report) => ({
          channels: report.channels.map(channelJson),
          looked_from: momentOrNull(report.lookedFrom)
        })).pipe(orApiUnavailable)
    })
  })
)
