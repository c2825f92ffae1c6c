/**
 * `/api/admin/channels`: the upstreams. A key goes in and never comes out.
 */
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { idJson } from "../../domain/Fields.ts"
import { channelTermList } from "../../domain/ChannelTermList.ts"
import { ChannelId } from "../../domain/Ids.ts"
import { ApiConflict, ApiNotFound, ApiRefused, ApiUnavailable } from "./ApiError.ts"
import { ApiId, ApiMoment } from "./ApiSchema.ts"
import { optionalTermFields, termFields } from "./TermsApi.ts"

const Models = Schema.Record(Schema.String, Schema.String).annotate({
  identifier: "ChannelModels",
  description: "The installation's model ids to the upstream's."
})

const Channel = Schema.Struct({
  id: ApiId,
  revision: ApiId,
  name: Schema.String,
  base_url: Schema.String,
  has_key: Schema.Boolean,
  priority: Schema.Int,
  weight: Schema.Int,
  ...termFields(channelTermList),
  models: Models,
  hidden_output: Schema.Array(Schema.String),
  declared: Schema.Boolean,
  disabled_at: Schema.NullOr(ApiMoment),
  health: Schema.Literals(["closed", "open", "half_open"]),
  created_at: ApiMoment,
  updated_at: ApiMoment
}).annotate({
  identifier: "Channel",
  description:
    "`declared`: by config.yaml, and changed only there. `health`: of the circuit breaker on the server that answers. " +
    "`has_key`: whether that server has a key to call it with. `hidden_output`: ids of models of which the upstream was seen " +
    "to report output tokens that it does not show."
})

const Key = Schema.RedactedFromValue(Schema.String)

const NewChannel = Schema.Struct({
  name: Schema.String,
  base_url: Schema.String,
  api_key: Key,
  priority: Schema.optionalKey(Schema.Int),
  weight: Schema.optionalKey(Schema.Int),
  ...optionalTermFields(channelTermList),
  models: Models
}).annotate({
  identifier: "NewChannel",
  description: "Without them, `priority` is 0 and `weight` 1, and other terms have their defaults."
})

const ChannelChange = Schema.Struct({
  revision: ApiId,
  name: Schema.String,
  base_url: Schema.String,
  api_key: Schema.optionalKey(Key),
  priority: Schema.Int,
  weight: Schema.Int,
  ...optionalTermFields(channelTermList),
  models: Models
}).annotate({
  identifier: "ChannelChange",
  description:
    "The channel as it is to be; without `api_key` its key stays, and so do other terms that are left out. `revision`: of " +
    "the channel that this was decided on; with another one now it is refused (409)."
})

const ChannelTested = Schema.Struct({
  ok: Schema.Boolean,
  model: Schema.String,
  reason: Schema.NullOr(
    Schema.Literals([
      "no_key",
      "key_unreadable",
      "forbidden",
      "connect",
      "timeout",
      "broken",
      "unauthorized",
      "unpaid",
      "not_found",
      "rate_limited",
      "refused",
      "upstream_error",
      "not_chat"
    ])
  ),
  status: Schema.NullOr(Schema.Int),
  latency_ms: Schema.Int
}).annotate({
  identifier: "ChannelTested",
  description: "`reason`: why it failed; null when it works. `status`: of the upstream; null when it gave no answer."
})

const params = { id: idJson(ChannelId) }

export class ChannelsApi extends HttpApiGroup.make("channels").add(
  HttpApiEndpoint.get("listChannels", "/channels", {
    success: Schema.Struct({ items: Schema.Array(Channel) }),
    error: ApiUnavailable
  }),
  HttpApiEndpoint.post("createChannel", "/channels", {
    payload: NewChannel,
    success: Channel.pipe(HttpApiSchema.status(201)),
    error: [ApiRefused, ApiUnavailable]
  }),
  HttpApiEndpoint.get("getChannel", "/channels/:id", {
    params,
    success: Channel,
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.put("editChannel", "/channels/:id", {
    params,
    payload: ChannelChange,
    success: Channel,
    error: [ApiNotFound, ApiConflict, ApiRefused, ApiUnavailable]
  }),
  HttpApiEndpoint.post("disableChannel", "/channels/:id/disable", {
    params,
    success: HttpApiSchema.NoContent,
    error: [ApiNotFound, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("enableChannel", "/channels/:id/enable", {
    params,
    success: HttpApiSchema.NoContent,
    error: [ApiNotFound, ApiConflict, ApiUnavailable]
  }),
  HttpApiEndpoint.post("resetHiddenOutput", "/channels/:id/models/:model/reset-hidden-output", {
    params: { ...params, model: Schema.String },
    success: HttpApiSchema.NoContent,
    error: [ApiNotFound, ApiUnavailable]
  }),
  HttpApiEndpoint.post("testChannel", "/channels/:id/test", {
    params,
    payload: Schema.Struct({ model: Schema.String }).annotate({ identifier: "ChannelTest" }),
    success: ChannelTested,
    error: [ApiNotFound, ApiRefused, ApiUnavailable]
  })
).annotateMerge(OpenApi.annotations({ title: "Channels", description: "The upstreams that serve the models." })) {}
