/**
 * `/api/admin/channels`: the upstreams. A key goes in and never comes out.
 */
import { Effect, Redacted, Schema, Struct } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { ChannelAdmin, CHANNELS_MAX } from "../../channels/ChannelAdmin.ts"
import type { ChannelProblem, ChannelRefused } from "../../channels/ChannelError.ts"
import { CHANNEL_MODELS_MAX, type ChannelInput } from "../../channels/ChannelInput.ts"
import { channelSettings, type ChannelTerms, channelTerms, defaultChannelTerms } from "../../domain/ChannelTerms.ts"
import { IdJson, idJson, MomentJson } from "../../domain/Fields.ts"
import { ChannelId } from "../../domain/Ids.ts"
import { columnOf, Json } from "../../domain/Row.ts"
import { ChannelTest, channelTestReasons } from "../../gateway/ChannelTest.ts"
import { ApiConflict, ApiNotFound, ApiRefused, changeErrors, editErrors, refusedField } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { created, documented, itemsOf, NoContent } from "./ApiSchema.ts"
import { describedTerms, rangeText } from "./TermsApi.ts"

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

export class ChannelsApi extends area(
  "channels",
  "Channels",
  "The upstreams that serve the models."
).add(
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
) {}

interface Asked extends Partial<ChannelTerms> {
  readonly name: string
  readonly baseUrl: string
  readonly apiKey?: Redacted.Redacted<string>
  readonly priority?: number
  readonly weight?: number
  readonly models: Readonly<Record<string, string>>
}

/** Terms that are left out are those of `kept`. */
const inputOf = (asked: Asked, kept: ChannelTerms): ChannelInput => ({
  apiKey: Redacted.make(""),
  priority: 0,
  weight: 1,
  ...Struct.pick(kept, channelTerms.names),
  ...asked
})

const namesOf = (models: ReadonlyArray<string>): string => models.slice(0, 5).join(", ")

const textOf = (problem: ChannelProblem): string => {
  switch (problem.field) {
    case "name":
      return problem.reason === "taken" ? "is another channel's" : "has 1 to 100 characters, on one line"
    case "base_url":
      return {
        url: "begins with http:// or https://",
        credentials: "has a user or password in it",
        secret: "has a query parameter that looks like a credential: the key belongs into api_key",
        fragment: "has a fragment in it",
        forbidden: "is link-local or serves metadata; see server.link_local_hosts_allowed"
      }[problem.reason]
    case "api_key":
      return problem.reason === "missing" ? "is missing" : "is printable ASCII without blanks"
    case "models":
      return {
        unknown: `there is no model ${namesOf(problem.models)}`,
        upstream: `the upstream's name has 1 to 200 characters (${namesOf(problem.models)})`,
        many: `are ${CHANNEL_MODELS_MAX} at most`
      }[problem.reason]
    case "form":
      return `there are ${CHANNELS_MAX} channels, and there cannot be more`
    default:
      return rangeText(channelSettings.fields[problem.field].kind)
  }
}

const refused = ({ problems }: ChannelRefused) => {
  const texts: { [field: string]: string } = {}
  for (const problem of problems) texts[columnOf(problem.field)] ??= textOf(problem)
  const message = Object.entries(texts).map(([field, text]) => field === "form" ? text : `${field} ${text}`).join("; ")
  return Effect.fail(new ApiRefused({ message, problems: texts }))
}

const changed = () =>
  Effect.fail(new ApiConflict({ message: "The channel has changed since that revision. Nothing was saved." }))

export const ChannelsHandlers = answersOf(ChannelsApi)(
  Effect.all({ channels: ChannelAdmin, tests: ChannelTest }),
  ({ channels, tests }) => ({
    listChannels: () => listed(channels.list),
    createChannel: Effect.fnUntraced(
      function*({ payload }, admin) {
        const id = yield* channels.create(admin, inputOf(payload, defaultChannelTerms))
        // Channels are never deleted.
        return yield* Effect.catchTag(channels.get(id), "ChannelNotFound", Effect.die)
      },
      Effect.catchTag("ChannelRefused", refused)
    ),
    getChannel: ({ params }) => channels.get(params.id),
    editChannel: Effect.fnUntraced(
      function*({ params: { id }, payload: { revision, ...asked } }, admin) {
        // Where this is another revision than the payload's, the edit is refused.
        const input = inputOf(asked, yield* channels.get(id))
        yield* channels.edit(admin, { id, revision, input })
        return yield* channels.get(id)
      },
      Effect.catchTags({ ChannelRefused: refused, ChangedMeanwhile: changed })
    ),
    disableChannel: ({ params }, admin) => channels.disable(admin, params.id),
    enableChannel: ({ params }, admin) => channels.enable(admin, params.id),
    resetHiddenOutput: ({ params: { id, model } }, admin) => channels.resetHiddenOutput(admin, id, model),
    testChannel: ({ params, payload }) =>
      tests.run(params.id, payload.model).pipe(
        Effect.map((tested) => ({ ok: tested.reason === null, ...tested })),
        Effect.catchTag(
          "ChannelModelUnknown",
          () => Effect.fail(refusedField("model", "is not served by this channel"))
        )
      )
  })
)
