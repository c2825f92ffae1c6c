/**
 * The terms of a channel besides its address and key, under the names that config.yaml, the database, the API and the forms
 * give them. The order is the order in which they are shown.
 */
import { CHANNEL_CONNECTIONS_MAX, TOKENS_MAX, UPSTREAM_TIMEOUT_SECONDS_MAX } from "./Bounds.ts"
import { type ChannelTerms, knownFields, unknownFieldPolicies } from "./ChannelTerms.ts"
import { termMakers } from "./Term.ts"

const { choice, choices, flag, integer } = termMakers<ChannelTerms>()

export const channelTermList = {
  unknown_fields: choice(
    unknownFieldPolicies,
    (terms) => terms.unknownFields,
    (unknownFields) => ({ unknownFields })
  ),
  stores_responses: flag((terms) => terms.storesResponses, (storesResponses) => ({ storesResponses })),
  known_fields: choices(knownFields, (terms) => terms.knownFields, (known) => ({ knownFields: known })),
  first_byte_timeout_seconds: integer(
    { min: 1, max: UPSTREAM_TIMEOUT_SECONDS_MAX },
    (terms) => terms.firstByteTimeoutSeconds,
    (firstByteTimeoutSeconds) => ({ firstByteTimeoutSeconds })
  ),
  idle_timeout_seconds: integer(
    { min: 1, max: UPSTREAM_TIMEOUT_SECONDS_MAX },
    (terms) => terms.idleTimeoutSeconds,
    (idleTimeoutSeconds) => ({ idleTimeoutSeconds })
  ),
  input_overhead_tokens: integer(
    { min: 0, max: TOKENS_MAX },
    (terms) => terms.inputOverheadTokens,
    (inputOverheadTokens) => ({ inputOverheadTokens })
  ),
  max_connections: integer(
    { min: 1, max: CHANNEL_CONNECTIONS_MAX },
    (terms) => terms.maxConnections,
    (maxConnections) => ({ maxConnections })
  )
}

export type ChannelTermKey = keyof typeof channelTermList
