/**
 * `/api/admin/channels`: the upstreams. A key goes in and never comes out.
 */
import { Schema, Struct } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { channelTerms } from "../../domain/ChannelTerms.ts"
import { IdJson, idJson, MomentJson } from "../../domain/Fields.ts"
import { ChannelId } from "../../domain/Ids.ts"
import { Json } from "../../domain/Row.ts"
import { channelTestReasons } from "../../gateway/ChannelTest.ts"
import { ApiNotFound, ApiRefused, changeErrors, editErrors } from "./ApiError.ts"
import { created, documented, itemsOf, NoContent } from "./ApiSchema.ts"
import { describedTerms } from "./TermsApi.ts"

const Models = Schema.Record(Schema.String, Schema.String).pipe(
  documented("ChannelModels", { description: "The installation's model ids to the upstream's." })
)

const terms = describedTerms(channelTerms)
const newTerms = Struct.map(terms, Schema.optionalKey)

const Channel = Json({
  id: IdJson,
  revision: IdJson,
  name: Schema.String,
  baseUrl: Schema.String,
  hasKey: Schema.Boolean,
  priority: Schema.Int,
  weight: Schema.Int,
  ...terms,
  models: Models,
  hiddenOutput: Schema.Array(Schema.String),
  declared: Schema.Boolean,
  disabledAt: Schema.NullOr(MomentJson),
  health: Schema.Literals(["closed", "open", "half_open"]),
  createdAt: MomentJson,
  updatedAt: MomentJson
}).pipe(
  documented("Channel", {
    description:
      "`declared`: by config.yaml, and changed only there. `health`: of the circuit breaker on the server that answers. " +
      "`has_key`: whether that server has a key to call it with. `hidden_output`: ids of models of which the upstream was seen " +
      "to report output tokens that it does not show."
  })
)

const Key = Schema.RedactedFromValue(Schema.String)

const NewChannel = Json({
  name: Schema.String,
  baseUrl: Schema.String,
  apiKey: Key,
  priority: Schema.optionalKey(Schema.Int),
  weight: Schema.optionalKey(Schema.Int),
  ...newTerms,
  models: Models
}).pipe(
  documented("NewChannel", {
    description: "Without them, `priority` is 0 and `weight` 1, and other terms have their defaults."
  })
)

const ChannelChange = Json({
  revision: IdJson,
  name: Schema.String,
  baseUrl: Schema.String,
  apiKey: Schema.optionalKey(Key),
  priority: Schema.Int,
  weight: Schema.Int,
  ...newTerms,
  models: Models
}).pipe(
  documented("ChannelChange", {
    description:
      "The channel as it is to be; without `api_key` its key stays, and so do other terms that are left out. `revision`: of " +
      "the channel that this was decided on; with another one now it is refused (409)."
  })
)

const ChannelTested = Json({
  ok: Schema.Boolean,
  model: Schema.String,
  reason: Schema.NullOr(Schema.Literals(channelTestReasons)),
  status: Schema.NullOr(Schema.Int),
  latencyMs: Schema.Int
}).pipe(
  documented("ChannelTested", {
    description: "`reason`: why it failed; null when it works. `status`: of the upstream; null when it gave no answer."
  })
)

const params = { id: idJson(ChannelId) }

const { get, post, put } = HttpApiEndpoint

export class ChannelsApi extends HttpApiGroup.make("channels").add(
  get("listChannels", "/channels", { success: itemsOf(Channel) }),
  post("createChannel", "/channels", { payload: NewChannel, success: Channel.pipe(created), error: ApiRefused }),
  get("getChannel", "/channels/:id", { params, success: Channel, error: ApiNotFound }),
  put("editChannel", "/channels/:id", { params, payload: ChannelChange, success: Channel, error: editErrors }),
  post("disableChannel", "/channels/:id/disable", { params, success: NoContent, error: changeErrors }),
  post("enableChannel", "/channels/:id/enable", { params, success: NoContent, error: changeErrors }),
  post("resetHiddenOutput", "/channels/:id/models/:model/reset-hidden-output", {
    params: { ...params, model: Schema.String },
    success: NoContent,
    error: ApiNotFound
  }),
  post("testChannel", "/channels/:id/test", {
    params,
    payload: Schema.Struct({ model: Schema.String }).pipe(documented("ChannelTest")),
    success: ChannelTested,
    error: [ApiNotFound, ApiRefused]
  })
).annotateMerge(OpenApi.annotations({ title: "Channels", description: "The upstreams that serve the models." })) {}
