/** The terms of a channel of which nothing else is said, as the API and the audit log have them. */
export const channelDefaults = {
  unknown_fields: "drop",
  known_fields: ["stream_options"],
  first_byte_timeout_seconds: 120,
  idle_timeout_seconds: 600,
  stores_responses: false,
  input_overhead_tokens: 0,
  max_connections: 2_048
} as const
