/**
 * The request parameters that OpenAI's two APIs know, so that the simulated upstream refuses what the real one would:
 * a gateway that sends it something of its own making is found out.
 */

const shared =
  "metadata model moderation parallel_tool_calls prompt_cache_key prompt_cache_options prompt_cache_retention " +
  "safety_identifier service_tier store stream stream_options temperature tool_choice tools top_logprobs top_p user"

const chat = new Set(
  (`${shared} audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens ` +
    "messages modalities n prediction presence_penalty reasoning_effort response_format seed stop verbosity " +
    "web_search_options").split(" ")
)

const responses = new Set(
  (`${shared} background context_management conversation include input instructions max_output_tokens max_tool_calls ` +
    "previous_response_id prompt reasoning text truncation").split(" ")
)

export type Endpoint = "chat" | "responses"

export interface Complaint {
  readonly message: string
  readonly param: string | null
  readonly code: string | null
}

const complaint = (message: string, param: string | null, code: string | null = null): Complaint => ({
  message,
  param,
  code
})

/** What OpenAI would say against the request; undefined for nothing. */
export function complaintOf(endpoint: Endpoint, json: { readonly [key: string]: unknown }): Complaint | undefined {
  const known = endpoint === "chat" ? chat : responses
  for (const key of Object.keys(json)) {
    if (!known.has(key)) return complaint(`Unrecognized request argument supplied: ${key}`, key, "unknown_parameter")
  }
  if (typeof json.model !== "string") return complaint("you must provide a model parameter", "model")
  const input = endpoint === "chat" ? "messages" : "input"
  if (json[input] === undefined) return complaint(`Missing required parameter: '${input}'.`, input)
  if (isSet(json.max_tokens) && isSet(json.max_completion_tokens)) {
    return complaint(
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      "max_tokens",
      "invalid_parameter_combination"
    )
  }
  if (isSet(json.stream_options) && json.stream !== true) {
    return complaint("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
  }
  return undefined
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null
