/**
 * Answers `/api/admin/channels` by the same use cases as the pages.
 */
import { Effect, Redacted } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { type AdminChannel, ChannelAdmin, CHANNELS_MAX } from "../../channels/ChannelAdmin.ts"
import { type ChannelProblem, ChannelRefused } from "../../channels/ChannelError.ts"
import {
  CHANNEL_MODELS_MAX,
  CHANNEL_PRIORITY_MAX,
  CHANNEL_WEIGHT_MAX,
  type ChannelInput
} from "../../channels/ChannelInput.ts"
import { type ChannelTermKey, channelTermList } from "../../domain/ChannelTermList.ts"
import { type ChannelTerms, defaultChannelTerms } from "../../domain/ChannelTerms.ts"
import type { ChannelId } from "../../domain/Ids.ts"
import { documentOf, takeTerms, type TermValue } from "../../domain/Term.ts"
import { ChannelTest } from "../../gateway/ChannelTest.ts"
import type { MasterKeyInvalid } from "../../platform/SecretBox.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { AdminApi } from "./AdminApi.ts"
import { ApiConflict, ApiNotFound, ApiRefused, ApiUnavailable, orApiUnavailable, refusedField } from "./ApiError.ts"
import { momentOf, momentOrNull } from "./ApiSchema.ts"
import { rangeText } from "./TermsApi.ts"

const channelJson = (channel: AdminChannel) => ({
  id: channel.id.toString(),
  revision: channel.revision.toString(),
  name: channel.name,
  base_url: channel.baseUrl,
  has_key: channel.hasKey,
  priority: channel.priority,
  weight: channel.weight,
  ...documentOf(channelTermList, channel),
  models: channel.models,
  hidden_output: channel.hiddenOutput,
  declared: channel.declared,
  disabled_at: momentOrNull(channel.disabledAt),
  health: channel.health,
  created_at: momentOf(channel.createdAt),
  updated_at: momentOf(channel.updatedAt)
})

interface Payload extends Readonly<Partial<Record<ChannelTermKey, TermValue>>> {
  readonly name: string
  readonly base_url: string
  readonly api_key?: Redacted.Redacted<string>
  readonly priority?: number
  readonly weight?: number
  readonly models: Readonly<Record<string, string>>
}

/** Terms that are left out are those of `kept`. */
const inputOf = (payload: Payload, kept: ChannelTerms): Effect.Effect<ChannelInput, ChannelRefused> =>
  Effect.fromResult(takeTerms(channelTermList, { ...payload }, kept)).pipe(
    Effect.mapError((fields) =>
      new ChannelRefused({ problems: fields.map((field) => ({ field, reason: "range" as const })) })
    ),
    Effect.map((terms) => ({
      ...terms,
      name: payload.name,
      baseUrl: payload.base_url,
      apiKey: payload.api_key ?? Redacted.make(""),
      priority: payload.priority ?? 0,
      weight: payload.weight ?? 1,
      models: payload.models
    }))
  )

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
    case "priority":
      return `is an integer from 0 to ${CHANNEL_PRIORITY_MAX}`
    case "weight":
      return `is an integer from 0 to ${CHANNEL_WEIGHT_MAX}`
    case "models":
      return {
        unknown: `there is no model ${namesOf(problem.models)}`,
        upstream: `the upstream's name has 1 to 200 characters (${namesOf(problem.models)})`,
        many: `are ${CHANNEL_MODELS_MAX} at most`
      }[problem.reason]
    case "form":
      return `there are ${CHANNELS_MAX} channels, and there cannot be more`
    default:
      return rangeText(channelTermList[problem.field].kind)
  }
}

const refused = ({ problems }: ChannelRefused) => {
  const texts: { [field: string]: string } = {}
  for (const problem of problems) texts[problem.field] ??= textOf(problem)
  const message = Object.entries(texts).map(([field, text]) => field === "form" ? text : `${field} ${text}`).join("; ")
  return Effect.fail(new ApiRefused({ message, problems: texts }))
}

const writeFailures = {
  ChannelRefused: refused,
  MasterKeyInvalid: ({ message }: MasterKeyInvalid) => Effect.fail(new ApiUnavailable({ message }))
}

const rowFailures = {
  ChannelNotFound: () => Effect.fail(new ApiNotFound({ message: "There is no such channel." })),
  ChannelConfigManaged: () =>
    Effect.fail(new ApiConflict({ message: "The channel is declared in config.yaml, and changed only there." }))
}

const changed = () =>
  Effect.fail(new ApiConflict({ message: "The channel has changed since that revision. Nothing was saved." }))

export const ChannelsHandlers = HttpApiBuilder.group(
  AdminApi,
  "channels",
  Effect.fn(function*(handlers) {
    const channels = yield* ChannelAdmin
    const tests = yield* ChannelTest
    const get = (id: ChannelId) => Effect.map(channels.get(id), channelJson)
    const turn = (how: "disable" | "enable", id: ChannelId) =>
      Effect.flatMap(CurrentAdmin, (admin) => channels[how](admin, id)).pipe(
        Effect.catchTags(rowFailures),
        orApiUnavailable
      )
    return handlers.handleAll({
      listChannels: () =>
        Effect.map(channels.list, (items) => ({ items: items.map(channelJson) })).pipe(orApiUnavailable),
      createChannel: ({ payload }) =>
        Effect.flatMap(
          Effect.all([CurrentAdmin, inputOf(payload, defaultChannelTerms)]),
          ([admin, input]) => channels.create(admin, input)
        ).pipe(
          Effect.catchTags(writeFailures),
          // Channels are never deleted.
          Effect.flatMap((id) => get(id).pipe(Effect.catchTag("ChannelNotFound", Effect.die))),
          orApiUnavailable
        ),
      getChannel: ({ params }) =>
        get(params.id).pipe(
          Effect.catchTag("ChannelNotFound", rowFailures.ChannelNotFound),
          orApiUnavailable
        ),
      editChannel: Effect.fnUntraced(
        function*({ params, payload }) {
          const { id } = params
          const revision = BigInt(payload.revision)
          // Where this is another revision than the payload's, the edit is refused.
          const input = yield* inputOf(payload, yield* channels.get(id))
          yield* channels.edit(yield* CurrentAdmin, { id, revision, input })
          return yield* get(id)
        },
        Effect.catchTags({ ...rowFailures, ...writeFailures, ChangedMeanwhile: changed }),
        orApiUnavailable
      ),
      disableChannel: ({ params }) => turn("disable", params.id),
      enableChannel: ({ params }) => turn("enable", params.id),
      resetHiddenOutput: ({ params }) =>
        Effect.flatMap(
          CurrentAdmin,
          (admin) => channels.resetHiddenOutput(admin, params.id, params.model)
        ).pipe(
          Effect.catchTags({
            ChannelNotFound: rowFailures.ChannelNotFound,
            ChannelModelUnknown: () =>
              Effect.fail(new ApiNotFound({ message: "The channel does not serve such a model." }))
          }),
          orApiUnavailable
        ),
      testChannel: ({ params, payload }) =>
        tests.run(params.id, payload.model).pipe(
          Effect.map(({ latencyMs, model, reason, status }) => ({
            ok: reason === null,
            model,
            reason,
            status,
            latency_ms: latencyMs
          })),
          Effect.catchTags({
            ChannelNotFound: rowFailures.ChannelNotFound,
            ChannelModelUnknown: () => Effect.fail(refusedField("model", "is not served by this channel"))
          }),
          orApiUnavailable
        )
    })
  })
)
