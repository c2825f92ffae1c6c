/**
 * `/api/admin/channels`: the upstreams. A key goes in and never comes out.
 */
import { Effect, type Redacted, Schema, Struct } from "effect"
import { HttpApiEndpoint } from "effect/http-api"
import { ChannelAdmin, CHANNELS_MAX } from "../../channels/ChannelAdmin.ts"
import type { ChannelProblem, ChannelRefused } from "../../channels/ChannelError.ts"
import { CHANNEL_MODELS_MAX, type ChannelInput } from "../../channels/ChannelInput.ts"
import { FailureReason, OutReason } from "../../channels/FailureReason.ts"
import { ChannelKeyAdmin } from "../../channels/ChannelKeyAdmin.ts"
import { CHANNEL_KEYS_MAX } from "../../domain/Bounds.ts"
import { channelSettings, type ChannelTerms, channelTerms, defaultChannelTerms } from "../../domain/ChannelTerms.ts"
import { IdJson, idJson, MomentJson } from "../../domain/Fields.ts"
import { ChannelId, ChannelKeyId } from "../../domain/Ids.ts"
import { columnOf, Json } from "../../domain/Row.ts"
import { ChannelTest } from "../../gateway/ChannelTest.ts"
import { oldSession } from "./AdminAccess.ts"
import { ApiConflict, ApiNotFound, ApiRefused, changeErrors, editErrors, refusedField } from "./ApiError.ts"
import { answersOf, area, listed } from "./ApiHandlers.ts"
import { created, documented, itemsOf, NoContent } from "./ApiSchema.ts"
import { describedTerms, rangeText } from "./TermsApi.ts"

const Models = Schema.Record(Schema.String, Schema.String).pipe(
  documented("ChannelModels", { description: "The installation's model ids to the upstream's." })
)

const terms = describedTerms(channelTerms)
const newTerms = Struct.map(terms, Schema.optionalKey)

const Key = Json({
  id: IdJson,
  hint: Schema.String,
  isReadable: Schema.Boolean,
  coolingUntil: Schema.NullOr(MomentJson),
  out: Schema.NullOr(Json({
    reason: OutReason,
    status: Schema.NullOr(Schema.Int),
    at: MomentJson,
    probeAt: MomentJson
  })),
  balance: Schema.NullOr(Json({
    at: MomentJson,
    amount: Schema.NullOr(Schema.String),
    currency: Schema.NullOr(Schema.String),
    problem: Schema.NullOr(Schema.String)
  })),
  createdAt: MomentJson
}).pipe(
  documented("ChannelKey", {
    description:
      "`hint`: its last characters. `cooling_until`: its upstream asked to wait until then. `out`: its upstream refuses it; it is " +
      "tried again at `probe_at`. `balance`: what its account had left when somebody asked."
  })
)

const Test = Json({
  model: Schema.String,
  testedAt: MomentJson,
  reason: Schema.NullOr(FailureReason),
  status: Schema.NullOr(Schema.Int),
  latencyMs: Schema.Int
})

const Channel = Json({
  id: IdJson,
  revision: IdJson,
  name: Schema.String,
  baseUrl: Schema.String,
  hasKey: Schema.Boolean,
  keys: Schema.Array(Key),
  priority: Schema.Int,
  weight: Schema.Int,
  ...terms,
  models: Models,
  hiddenOutput: Schema.Array(Schema.String),
  declared: Schema.Boolean,
  disabledAt: Schema.NullOr(MomentJson),
  health: Schema.Literals(["closed", "open", "half_open"]),
  successAt: Schema.NullOr(MomentJson),
  failure: Schema.NullOr(Json({ at: MomentJson, reason: FailureReason, status: Schema.NullOr(Schema.Int) })),
  tests: Schema.Array(Test),
  createdAt: MomentJson,
  updatedAt: MomentJson
}).pipe(
  documented("Channel", {
    description:
      "`declared`: by config.yaml, and changed only there. `health`: of the circuit breaker on the server that answers. " +
      "`has_key`: whether that server has a key to call it with. `success_at`, `failure`: of calls. `tests`: the last one of each " +
      "model; without a `reason` it worked. `hidden_output`: ids of models of which the upstream was seen " +
      "to report output tokens that it does not show."
  })
)

const Secret = Schema.RedactedFromValue(Schema.String)
const Secrets = Schema.Array(Secret).check(Schema.isMaxLength(CHANNEL_KEYS_MAX))

const NewChannel = Json({
  name: Schema.String,
  baseUrl: Schema.String,
  apiKey: Schema.optionalKey(Secret),
  apiKeys: Schema.optionalKey(Secrets),
  priority: Schema.optionalKey(Schema.Int),
  weight: Schema.optionalKey(Schema.Int),
  ...newTerms,
  models: Models
}).pipe(
  documented("NewChannel", {
    description:
      "`api_key` or `api_keys`: at least one. Without them, `priority` is 0 and `weight` 1, and other terms have their defaults."
  })
)

const ChannelChange = Json({
  revision: IdJson,
  name: Schema.String,
  baseUrl: Schema.String,
  apiKey: Schema.optionalKey(Secret),
  apiKeys: Schema.optionalKey(Secrets),
  priority: Schema.Int,
  weight: Schema.Int,
  ...newTerms,
  models: Models
}).pipe(
  documented("ChannelChange", {
    description:
      "The channel as it is to be; without `api_key` and `api_keys` its keys stay, and so do other terms that are left out; with " +
      "them it has these keys alone. To change `base_url` and keep the stored keys, sign in again or use an admin key; else 403. " +
      "`revision`: of the channel that this was decided on; with another one now it is refused (409)."
  })
)

const ChannelTested = Json({
  ok: Schema.Boolean,
  model: Schema.String,
  reason: Schema.NullOr(FailureReason),
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
  post("addChannelKeys", "/channels/:id/keys", {
    params,
    payload: Json({ apiKeys: Secrets }).pipe(documented("NewChannelKeys")),
    success: Channel,
    error: [...changeErrors, ApiRefused]
  }),
  post("removeChannelKey", "/channels/:id/keys/:key/remove", {
    params: { ...params, key: idJson(ChannelKeyId) },
    success: NoContent,
    error: changeErrors
  }),
  post("testChannel", "/channels/:id/test", {
    params,
    payload: Json({ model: Schema.String, keyId: Schema.optionalKey(idJson(ChannelKeyId)) }).pipe(
      documented("ChannelTest", {
        description: "A real call, which the upstream bills. `key_id`: with this key of the channel."
      })
    ),
    success: ChannelTested,
    error: [ApiNotFound, ApiRefused]
  })
) {}

interface Asked extends Partial<ChannelTerms> {
  readonly name: string
  readonly baseUrl: string
  readonly apiKey?: Redacted.Redacted<string>
  readonly apiKeys?: ReadonlyArray<Redacted.Redacted<string>>
  readonly priority?: number
  readonly weight?: number
  readonly models: Readonly<Record<string, string>>
}

/** Terms that are left out are those of `kept`. */
const inputOf = ({ apiKey, apiKeys = [], ...asked }: Asked, kept: ChannelTerms): ChannelInput => ({
  apiKeys: apiKey === undefined ? apiKeys : [apiKey, ...apiKeys],
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
      return {
        missing: "is missing",
        characters: "is printable ASCII without blanks",
        many: `are ${CHANNEL_KEYS_MAX} at most`
      }[problem.reason]
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
  Effect.all({ channels: ChannelAdmin, keys: ChannelKeyAdmin, tests: ChannelTest }),
  ({ channels, keys, tests }) => ({
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
        yield* channels.edit(admin, { id, revision, input, mayMoveKeys: admin.mayOpenAccess })
        return yield* channels.get(id)
      },
      Effect.catchTags({
        ChannelRefused: refused,
        ChangedMeanwhile: changed,
        ChannelKeysStay: () => Effect.fail(oldSession)
      })
    ),
    disableChannel: ({ params }, admin) => channels.disable(admin, params.id),
    enableChannel: ({ params }, admin) => channels.enable(admin, params.id),
    resetHiddenOutput: ({ params: { id, model } }, admin) => channels.resetHiddenOutput(admin, id, model),
    addChannelKeys: Effect.fnUntraced(
      function*({ params: { id }, payload }, admin) {
        yield* keys.addKeys(admin, id, payload.apiKeys)
        return yield* channels.get(id)
      },
      Effect.catchTag("ChannelRefused", refused)
    ),
    removeChannelKey: ({ params: { id, key } }, admin) => keys.removeKey(admin, id, key),
    testChannel: ({ params, payload }) =>
      tests.run(params.id, payload.model, payload.keyId).pipe(
        Effect.map((tested) => ({ ok: tested.reason === null, ...tested })),
        Effect.catchTag(
          "ChannelModelUnknown",
          () => Effect.fail(refusedField("model", "is not served by this channel"))
        )
      )
  })
)
