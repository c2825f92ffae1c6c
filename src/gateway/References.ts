/**
 * Resolves what a call refers to without content. An id is admitted for its owner alone and pins the call to the channel that
 * stored it; what it brings in is bounded by the call that made it. Unknown, foreign and expired ids get one answer.
 *
 * @internal
 */
import { Effect } from "effect"
import type { FoundReference, ResponseReferences } from "../accounts/ResponseReferences.ts"
import type { Channel } from "../channels/Channels.ts"
import type { ChannelId, UserId } from "../domain/Ids.ts"
import { CallRefused, unavailable } from "./CallError.ts"
import type { Call } from "./request/Call.ts"

export interface ResolvedReferences {
  /** The one channel that has them stored; undefined: the call refers to nothing. */
  readonly channelId: ChannelId | undefined
  /** What they bring in, at most. */
  readonly tokens: number
}

const none: ResolvedReferences = { channelId: undefined, tokens: 0 }

/** Ids that one call may refer to, at most. */
const REFERENCES_MAX = 1_000

const notFound = (param: string): CallRefused =>
  new CallRefused({
    code: "reference_not_found",
    message: "An item or response that this request refers to was not found. Send the content inline, " +
      "and set `store: false` so that your client does not refer to stored items.",
    param
  })

/** Whole responses count with their input and output; items of one response together with its output. */
const tokensOf = (found: ReadonlyArray<FoundReference>): number => {
  const items = new Map<string, number>()
  let tokens = 0
  for (const one of found) {
    if (one.isResponse) tokens += one.inputTokens + one.outputTokens
    else items.set(one.responseId, one.outputTokens)
  }
  for (const output of items.values()) tokens += output
  return tokens
}

export const resolveReferences = (
  store: ResponseReferences["Service"],
  userId: UserId,
  call: Call
): Effect.Effect<ResolvedReferences, CallRefused> => {
  const [first] = call.references
  if (first === undefined) return Effect.succeed(none)
  const ids = new Set(call.references.map(({ id }) => id))
  if (ids.size > REFERENCES_MAX) return Effect.fail(notFound(first.param))
  return store.find(userId, Array.from(ids)).pipe(
    Effect.mapError(() =>
      unavailable("Stored responses cannot be looked up at this moment. Please try again shortly.")
    ),
    Effect.flatMap((found) => {
      const known = new Map(found.map((one) => [one.id, one]))
      const missing = call.references.find(({ id, kind }) => {
        const one = known.get(id)
        return one === undefined || (kind === "response" && !one.isResponse)
      })
      if (missing !== undefined) return Effect.fail(notFound(missing.param))
      const channels = new Set(found.map(({ channelId }) => channelId))
      const [channelId] = channels
      return channels.size === 1 && channelId !== undefined
        ? Effect.succeed({ channelId, tokens: tokensOf(found) })
        : Effect.fail(notFound(first.param))
    })
  )
}

/** The channel that has the references stored, where it still serves the model. */
export const pinned = (
  channels: ReadonlyArray<Channel>,
  references: ResolvedReferences,
  call: Call
): Effect.Effect<ReadonlyArray<Channel>, CallRefused> => {
  if (references.channelId === undefined) return Effect.succeed(channels)
  const own = channels.filter(({ id }) => id === references.channelId)
  return own.length > 0 ? Effect.succeed(own) : Effect.fail(notFound(call.references[0]?.param ?? "input"))
}
