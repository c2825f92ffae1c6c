/**
 * `/api/admin/usage` and `/api/admin/overview`: what everybody's calls came to, the calls one by one, how the channels do, and
 * the figures that root looks at first.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { idJson } from "../../domain/Fields.ts"
import { ApiKeyId, UserId } from "../../domain/Ids.ts"
import { statusClasses } from "../../usage/AllCalls.ts"
import { ApiNotFound, ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { ApiAmount, ApiId, ApiMoment } from "./ApiSchema.ts"

const TEXT_LENGTH_MAX = 256

const Name = Schema.String.check(Schema.isMaxLength(TEXT_LENGTH_MAX))

/** A period, both ends ISO 8601; the last 30 days where it is not given. */
const period = { from: Schema.optionalKey(ApiMoment), to: Schema.optionalKey(ApiMoment) }

const states = Schema.Literals(["reserved", "committed", "voided", "expired"])
const fundings = Schema.Literals(["balance", "subscription", "free"])

const sums = {
  calls: Schema.Number,
  input_tokens: Schema.Number,
  cached_input_tokens: Schema.Number,
  cache_write_tokens: Schema.Number,
  output_tokens: Schema.Number,
  cost_micros: ApiAmount,
  charged_micros: ApiAmount
}

const Sums = Schema.Struct(sums).annotate({ identifier: "UsageSums" })

const Share = Schema.Struct({ name: Schema.String, email: Schema.NullOr(Schema.String), ...sums })
  .annotate({ identifier: "UsageShare" })

/** The 50 that were charged most, and all others as one. */
const Shares = Schema.Struct({
  top: Schema.Array(Share),
  others: Schema.NullOr(Sums),
  others_count: Schema.Number
}).annotate({ identifier: "UsageShares" })

const Report = Schema.Struct({
  totals: Sums,
  unit: Schema.Literals(["day", "hour"]),
  /** Local days or hours of the zone asked for. */
  moments: Schema.Array(Schema.Struct({ moment: Schema.String, ...sums })),
  users: Shares,
  models: Shares,
  channels: Shares,
  /** Calls made before are counted. */
  folded_to: Schema.NullOr(ApiMoment)
}).annotate({ identifier: "UsageReport" })

const call = {
  id: Schema.String,
  user_id: ApiId,
  email: Schema.NullOr(Schema.String),
  at: ApiMoment,
  endpoint: Schema.String,
  model: Schema.String,
  channel: Schema.NullOr(Schema.String),
  key_id: Schema.NullOr(ApiId),
  key_hint: Schema.NullOr(Schema.String),
  state: states,
  funding: fundings,
  subscription_id: Schema.NullOr(ApiId),
  reserved_micros: ApiAmount,
  cost_micros: Schema.NullOr(ApiAmount),
  charged_micros: Schema.NullOr(ApiAmount),
  input_tokens: Schema.NullOr(Schema.Number),
  cached_input_tokens: Schema.NullOr(Schema.Number),
  cache_write_tokens: Schema.NullOr(Schema.Number),
  output_tokens: Schema.NullOr(Schema.Number),
  usage_source: Schema.NullOr(Schema.Literals(["upstream", "estimated"])),
  late: Schema.Boolean,
  stream: Schema.Boolean,
  status: Schema.NullOr(Schema.Number),
  reason: Schema.NullOr(Schema.String),
  latency_ms: Schema.NullOr(Schema.Number),
  first_byte_ms: Schema.NullOr(Schema.Number)
}

const Call = Schema.Struct(call).annotate({ identifier: "Call" })

const Receipt = Schema.Struct({
  ...call,
  upstream_model: Schema.NullOr(Schema.String),
  usage_flagged: Schema.Boolean,
  input_micros_per_1m: ApiAmount,
  cached_input_micros_per_1m: ApiAmount,
  cache_write_micros_per_1m: Schema.NullOr(ApiAmount),
  output_micros_per_1m: ApiAmount,
  /** Scaled by 10^6. */
  billing_multiplier_micros: ApiAmount,
  plan_multiplier_micros: ApiAmount,
  settled_at: Schema.NullOr(ApiMoment)
}).annotate({ identifier: "CallReceipt" })

/** Times are of calls that did not fail. */
const Window = Schema.Struct({
  calls: Schema.Number,
  failures: Schema.Number,
  latency_p50_ms: Schema.NullOr(Schema.Number),
  latency_p95_ms: Schema.NullOr(Schema.Number),
  first_byte_p50_ms: Schema.NullOr(Schema.Number),
  first_byte_p95_ms: Schema.NullOr(Schema.Number)
}).annotate({ identifier: "ChannelWindow" })

const ChannelReport = Schema.Struct({
  /** Null: it is no channel any more. */
  id: Schema.NullOr(ApiId),
  name: Schema.String,
  disabled: Schema.Boolean,
  /** As the server that answers sees it. */
  breaker: Schema.Literals(["closed", "open", "half_open"]),
  last_hour: Window,
  last_day: Window
}).annotate({ identifier: "ChannelReport" })

const Period = Schema.Struct({
  new_users: Schema.Number,
  topups_fen: ApiAmount,
  plans_fen: ApiAmount,
  calls: Schema.Number,
  charged_micros: ApiAmount
}).annotate({ identifier: "PeriodFigures" })

const Overview = Schema.Struct({
  /** Since midnight, in the zone asked for. */
  today: Period,
  /** Today and the 29 days before. */
  month: Period,
  users: Schema.Number,
  orders_pending: Schema.Number,
  reviews_open: Schema.Number,
  calls_open: Schema.Number,
  folded_to: Schema.NullOr(ApiMoment),
  first_steps: Schema.Array(Schema.Struct({
    step: Schema.Literals(["channel", "model", "offer", "payment", "address"]),
    done: Schema.Boolean
  }))
}).annotate({ identifier: "Overview" })

const zone = { time_zone: Schema.optionalKey(Name) }

const narrowed = {
  user_id: Schema.optionalKey(idJson(UserId)),
  model: Schema.optionalKey(Name),
  channel: Schema.optionalKey(Name)
}

export class UsageApi extends HttpApiGroup.make("usage").add(
  HttpApiEndpoint.get("overview", "/overview", { query: zone, success: Overview, error: ApiUnavailable }),
  HttpApiEndpoint.get("reportUsage", "/usage", {
    query: { ...period, ...zone, ...narrowed },
    success: Report,
    error: [ApiRefused, ApiUnavailable]
  }),
  HttpApiEndpoint.get("listCalls", "/usage/calls", {
    query: {
      ...period,
      ...narrowed,
      key_id: Schema.optionalKey(idJson(ApiKeyId)),
      state: Schema.optionalKey(states),
      funding: Schema.optionalKey(fundings),
      status: Schema.optionalKey(Schema.Literals(statusClasses)),
      /** The `next` of another page of the same filter. */
      before: Schema.optionalKey(Schema.String)
    },
    success: Schema.Struct({
      /** May be short, even empty, while there is a `next`: a page looks at a bounded number of calls. */
      items: Schema.Array(Call),
      next: Schema.NullOr(Schema.String)
    }),
    error: [ApiRefused, ApiUnavailable]
  }),
  HttpApiEndpoint.get("getCall", "/usage/calls/:id", {
    params: { id: Schema.String },
    success: Receipt,
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.get("reportChannels", "/usage/channels", {
    success: Schema.Struct({
      channels: Schema.Array(ChannelReport),
      /** Where more calls were made in a day than are looked at: the oldest that was. */
      looked_from: Schema.NullOr(ApiMoment)
    }),
    error: ApiUnavailable
  })
).annotateMerge(OpenApi.annotations({ title: "Usage", description: "Usage of everybody, and how the channels do." })) {}
