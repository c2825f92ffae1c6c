/**
 * How a channel is called, beyond its address and key: what its upstream knows, how long it is waited for, how much of it one
 * user may take. Stored with the channel; config.yaml and the administration write it, the data plane reads it.
 */

/** Request fields of the dialects that only some upstreams know. A channel is sent those that it is marked for. */
export const knownFields = ["stream_options", "max_tool_calls", "cache_salt", "metadata", "service_tier"] as const
export type KnownField = typeof knownFields[number]

/** What happens to top-level request fields that no admission table names: taken out, sent, or the channel is passed over. */
export const unknownFieldPolicies = ["drop", "forward", "refuse"] as const
export type UnknownFieldPolicy = typeof unknownFieldPolicies[number]

export interface ChannelTerms {
  readonly unknownFields: UnknownFieldPolicy
  readonly knownFields: ReadonlyArray<KnownField>
  /** For streams: until the response's status line. */
  readonly firstByteTimeoutSeconds: number
  /** Between two pieces of a response, and until the answer of a call that is not streamed. */
  readonly idleTimeoutSeconds: number
  /** It stores responses, so that later calls may refer to them. */
  readonly storesResponses: boolean
  /** Tokens that this upstream may add to every call, on top of the model's overhead. */
  readonly inputOverheadTokens: number
  readonly maxConnections: number
}

/** What a channel has where nobody has said it. */
export const defaultChannelTerms: ChannelTerms = {
  unknownFields: "drop",
  knownFields: ["stream_options"],
  firstByteTimeoutSeconds: 120,
  idleTimeoutSeconds: 600,
  storesResponses: false,
  inputOverheadTokens: 0,
  maxConnections: 2_048
}
