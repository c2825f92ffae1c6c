/**
 * How a channel is called, beyond its address and key: what its upstream knows, how long it is waited for, how much of it one
 * user may take. Each term is described here once, in the order in which it is shown; rows, the API, config.yaml, forms and the audit
 * log follow.
 */
import { TOKENS_MAX } from "./Bounds.ts"
import { choice, choices, flag, integer } from "./Fields.ts"
import { defaultsOf, model, type ValueOf } from "./Model.ts"

/** Request fields of the dialects that only some upstreams know. A channel is sent those that it is marked for. */
export const knownFields = ["stream_options", "max_tool_calls", "cache_salt", "metadata", "service_tier"] as const
export type KnownField = typeof knownFields[number]

/** What happens to top-level request fields that no admission table names: taken out, sent, or the channel is passed over. */
const unknownFieldPolicies = ["drop", "forward", "refuse"] as const
export type UnknownFieldPolicy = typeof unknownFieldPolicies[number]

/** An upstream is not waited for longer than a day. */
const DAY_SECONDS = 86_400

export const channelTerms = model({
  unknownFields: choice(unknownFieldPolicies, { otherwise: "drop" }),
  /** It stores responses, so that later calls may refer to them. */
  storesResponses: flag({ otherwise: false }),
  knownFields: choices(knownFields, { otherwise: ["stream_options"] }),
  /** For streams: until the response's status line. */
  firstByteTimeoutSeconds: integer({ min: 1, max: DAY_SECONDS, otherwise: 120 }),
  /** Between two pieces of a response, and until the answer of a call that is not streamed. */
  idleTimeoutSeconds: integer({ min: 1, max: DAY_SECONDS, otherwise: 600 }),
  /** Tokens that this upstream may add to every call, on top of the model's overhead. */
  inputOverheadTokens: integer({ min: 0, max: TOKENS_MAX, otherwise: 0 }),
  maxConnections: integer({ min: 1, max: 65_536, otherwise: 2_048 })
})

/** The same, and in which order channels are tried. Among those of one priority, the weight is the share of calls. */
export const channelSettings = model({
  priority: integer({ min: 0, max: 1_000_000, otherwise: 0 }),
  weight: integer({ min: 0, max: 1_000_000, otherwise: 1 }),
  ...channelTerms.fields
})
export interface ChannelSettings extends ValueOf<typeof channelSettings.fields> {}

export interface ChannelTerms extends ValueOf<typeof channelTerms.fields> {}

/** What a channel has where nobody has said it. */
export const defaultChannelTerms: ChannelTerms = defaultsOf(channelTerms.fields)
