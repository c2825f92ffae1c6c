/**
 * Answers `/api/admin/channels` by the same use cases as the pages.
 */
import { Effect, Redacted, Struct } from "effect"
import { ChannelAdmin, CHANNELS_MAX } from "../../channels/ChannelAdmin.ts"
import type { ChannelProblem, ChannelRefused } from "../../channels/ChannelError.ts"
import { CHANNEL_MODELS_MAX, type ChannelInput } from "../../channels/ChannelInput.ts"
import { channelSettings, type ChannelTerms, channelTerms, defaultChannelTerms } from "../../domain/ChannelTerms.ts"
import { columnOf } from "../../domain/Row.ts"
import { ChannelTest } from "../../gateway/ChannelTest.ts"
import { CurrentAdmin } from "./AdminAccess.ts"
import { ApiConflict, ApiRefused, refusedField } from "./ApiError.ts"
import { answersOf, listed } from "./ApiHandlers.ts"
import { rangeText } from "./TermsApi.ts"

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

export const ChannelsHandlers = answersOf(
  "channels",
  Effect.gen(function*() {
    const channels = yield* ChannelAdmin
    const tests = yield* ChannelTest
    return {
      listChannels: () => listed(channels.list),
      createChannel: Effect.fnUntraced(
        function*({ payload }) {
          const id = yield* channels.create(yield* CurrentAdmin, inputOf(payload, defaultChannelTerms))
          // Channels are never deleted.
          return yield* Effect.catchTag(channels.get(id), "ChannelNotFound", Effect.die)
        },
        Effect.catchTag("ChannelRefused", refused)
      ),
      getChannel: ({ params }) => channels.get(params.id),
      editChannel: Effect.fnUntraced(
        function*({ params: { id }, payload: { revision, ...asked } }) {
          // Where this is another revision than the payload's, the edit is refused.
          const input = inputOf(asked, yield* channels.get(id))
          yield* channels.edit(yield* CurrentAdmin, { id, revision, input })
          return yield* channels.get(id)
        },
        Effect.catchTags({ ChannelRefused: refused, ChangedMeanwhile: changed })
      ),
      disableChannel: ({ params }) => Effect.flatMap(CurrentAdmin, (admin) => channels.disable(admin, params.id)),
      enableChannel: ({ params }) => Effect.flatMap(CurrentAdmin, (admin) => channels.enable(admin, params.id)),
      resetHiddenOutput: ({ params: { id, model } }) =>
        Effect.flatMap(CurrentAdmin, (admin) => channels.resetHiddenOutput(admin, id, model)),
      testChannel: ({ params, payload }) =>
        tests.run(params.id, payload.model).pipe(
          Effect.map((tested) => ({ ok: tested.reason === null, ...tested })),
          Effect.catchTag("ChannelModelUnknown", () =>
            Effect.fail(refusedField("model", "is not served by this channel")))
        )
    }
  })
)
