/**
 * `/api/admin/usage` and `/api/admin/overview`: what everybody's calls came to, the calls one by one, how the channels do, and
 * the figures that root looks at first.
 */
import { Clock, DateTime, Effect, Schema, Struct } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { AmountJson, IdJson, idJson, MillisJson, MomentJson } from "../../domain/Fields.ts"
import { ApiKeyId, UserId } from "../../domain/Ids.ts"
import { Json, orUndefined } from "../../domain/Row.ts"
import { PaymentEvents } from "../../events/PaymentEvents.ts"
import { FirstSteps } from "../../settings/FirstSteps.ts"
import { AllCalls, type CallOwner, WideCall } from "../../usage/AllCalls.ts"
import { AllUsage } from "../../usage/AllUsage.ts"
import { ListedState } from "../../usage/CallItem.ts"
import { statusClasses } from "../../usage/CallList.ts"
import { ChannelReports } from "../../usage/ChannelReports.ts"
import { type CallReceipt, PricedReceipt } from "../../usage/Receipts.ts"
import { type PeriodFigures, ServiceOverview } from "../../usage/ServiceOverview.ts"
import { presetRange } from "../../usage/UsageRange.ts"
import type { UsageRefused } from "../../usage/UsageRefused.ts"
import { UsageSums } from "../../usage/UsageSums.ts"
import { timeZoneOf } from "../../platform/Formats.ts"
import { ApiNotFound, ApiRefused, millisOf, refusedField } from "./ApiError.ts"
import { answersOf, area } from "./ApiHandlers.ts"
import { documented, jsonFields, periodQuery } from "./ApiSchema.ts"

const TEXT_LENGTH_MAX = 256

const Name = Schema.String.check(Schema.isMaxLength(TEXT_LENGTH_MAX))

const fundings = Schema.Literals(["balance", "subscription", "free"])

const sums = jsonFields(UsageSums.fields)

const Sums = Json(sums).pipe(documented("UsageSums"))

const Share = Json({ name: Schema.String, email: Schema.NullOr(Schema.String), ...sums }).pipe(
  documented("UsageShare")
)

/** The 50 that were charged most, and all others as one. */
const Shares = Json({ top: Schema.Array(Share), others: orUndefined(Sums), othersCount: Schema.Number }).pipe(
  documented("UsageShares")
)

const Report = Json({
  totals: Sums,
  unit: Schema.Literals(["day", "hour"]),
  /** Local days or hours of the zone asked for. */
  moments: Schema.Array(Json({ moment: Schema.String, ...sums })),
  users: Shares,
  models: Shares,
  channels: Shares,
  /** Calls made before are counted. */
  foldedTo: Schema.NullOr(MomentJson)
}).pipe(documented("UsageReport"))

const call = {
  ...jsonFields(Struct.omit(WideCall.fields, ["keyName", "webSearchCalls", "fileSearchCalls"])),
  atMs: MillisJson
}

const callKeys = { atMs: "at", ttftMs: "first_byte_ms" }

const Call = Json(call, callKeys).pipe(documented("Call"))

const receiptFields = Struct.pick(PricedReceipt.fields, [
  "upstreamModel",
  "usageFlagged",
  "inputMicrosPer1m",
  "cachedInputMicrosPer1m",
  "cacheWriteMicrosPer1m",
  "outputMicrosPer1m"
])

const Receipt = Json({
  ...call,
  ...jsonFields(receiptFields),
  /** Scaled by 10^6. */
  billingMultiplier: AmountJson,
  planMultiplier: AmountJson,
  groupMultiplier: AmountJson,
  settledAtMs: Schema.NullOr(MillisJson)
}, {
  ...callKeys,
  billingMultiplier: "billing_multiplier_micros",
  planMultiplier: "plan_multiplier_micros",
  groupMultiplier: "group_multiplier_micros",
  settledAtMs: "settled_at"
}).pipe(documented("CallReceipt"))

/** Times are of calls that did not fail. */
const Window = Json({
  calls: Schema.Number,
  failures: Schema.Number,
  latencyP50Ms: Schema.NullOr(Schema.Number),
  latencyP95Ms: Schema.NullOr(Schema.Number),
  firstByteP50Ms: Schema.NullOr(Schema.Number),
  firstByteP95Ms: Schema.NullOr(Schema.Number)
}, {
  latencyP50Ms: "latency_p50_ms",
  latencyP95Ms: "latency_p95_ms",
  firstByteP50Ms: "first_byte_p50_ms",
  firstByteP95Ms: "first_byte_p95_ms"
}).pipe(documented("ChannelWindow"))

const ChannelReport = Json({
  /** Null: it is no channel any more. */
  id: Schema.NullOr(IdJson),
  name: Schema.String,
  isDisabled: Schema.Boolean,
  /** As the server that answers sees it. */
  breaker: Schema.Literals(["closed", "open", "half_open"]),
  hour: Window,
  day: Window
}, { isDisabled: "disabled", hour: "last_hour", day: "last_day" }).pipe(documented("ChannelReport"))

const Period = Json({
  newUsers: Schema.Number,
  topupsFen: AmountJson,
  plansFen: AmountJson,
  calls: Schema.Number,
  chargedMicros: AmountJson
}).pipe(documented("PeriodFigures"))

const Overview = Json({
  /** Since midnight, in the zone asked for. */
  today: Period,
  /** Today and the 29 days before. */
  month: Period,
  users: Schema.Number,
  ordersPending: Schema.Number,
  reviewsOpen: Schema.Number,
  callsOpen: Schema.Number,
  foldedTo: Schema.NullOr(MomentJson),
  firstSteps: Schema.Array(Json({
    step: Schema.Literals(["channel", "model", "offer", "payment", "address"]),
    isDone: Schema.Boolean
  }, { isDone: "done" }))
}).pipe(documented("Overview"))

const zone = { time_zone: Schema.optionalKey(Name) }

const narrowed = {
  user_id: Schema.optionalKey(idJson(UserId)),
  model: Schema.optionalKey(Name),
  channel: Schema.optionalKey(Name)
}

const { get } = HttpApiEndpoint

export class UsageApi extends area(
  "usage",
  "Usage",
  "Usage of everybody, and how the channels do."
).add(
  get("overview", "/overview", { query: zone, success: Overview }),
  /** The last 30 days where no period is given. */
  get("reportUsage", "/usage", { query: { ...periodQuery, ...zone, ...narrowed }, success: Report, error: ApiRefused }),
  get("listCalls", "/usage/calls", {
    query: {
      ...periodQuery,
      ...narrowed,
      key_id: Schema.optionalKey(idJson(ApiKeyId)),
      /** Refused calls are listed where they are asked for. */
      state: Schema.optionalKey(ListedState),
      funding: Schema.optionalKey(fundings),
      status: Schema.optionalKey(Schema.Literals(statusClasses)),
      /** The `next` of another page of the same filter. */
      before: Schema.optionalKey(Schema.String)
    },
    success: Schema.Struct({
      /** May be short, even empty, while there is a `next`: a page looks at a bounded number of calls. */
      items: Schema.Array(Call),
      next: orUndefined(Schema.String)
    }),
    error: ApiRefused
  }),
  get("getCall", "/usage/calls/:id", { params: { id: Schema.String }, success: Receipt, error: ApiNotFound }),
  get("reportChannels", "/usage/channels", {
    success: Json({
      channels: Schema.Array(ChannelReport),
      /** Where more calls were made in a day than are looked at: the oldest that was. */
      lookedFrom: Schema.NullOr(MomentJson)
    })
  })
) {}

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

export const UsageHandlers = answersOf(UsageApi)(
  Effect.all({
    usage: AllUsage,
    calls: AllCalls,
    channels: ChannelReports,
    service: ServiceOverview,
    events: PaymentEvents,
    firstSteps: FirstSteps
  }),
  ({ calls, channels, events, firstSteps, service, usage }) => ({
    overview: Effect.fnUntraced(function*({ query }) {
      const timeZone = timeZoneOf(query.time_zone)
      const now = DateTime.toDateUtc(yield* DateTime.now)
      const month = presetRange("30d", now, timeZone)
      const today = presetRange("today", now, timeZone)
      const report = yield* usage.report({ ...month, users: false }, timeZone).pipe(
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
        const isRefused = filter.state === "refused"
        return yield* calls.page({ ...filter, ...(yield* periodOf(query)), userId, keyId, refused: isRefused }, before)
      },
      Effect.catchTag("UsageRefused", refused)
    ),
    getCall: Effect.fnUntraced(function*({ params }) {
      const call = yield* calls.receipt(params.id)
      return call === undefined ? yield* new ApiNotFound({ message: "There is no such call." }) : shownReceipt(call)
    }),
    reportChannels: () => channels.report
  })
)
