/**
 * Reads the body of `POST /v1/chat/completions`: what prices it, and the refusal of what could not be priced.
 * Parameters the gateway does not know are the upstream's to judge and pass through.
 */
import { type CallInput, readCall } from "./CallBody.ts"
import { clientTools, type InputTally, inspectInput } from "./CallInput.ts"
import {
  ANSWERS_MAX,
  type Call,
  integerBetween,
  invalid,
  outputLimitRule,
  refuseAlways,
  type Refused,
  type Rule
} from "./CallRequest.ts"
import { isObject, type JsonObject } from "./JsonValue.ts"

const refuseAudio = refuseAlways("other than text is not metered by this gateway")
const unmetered = refuseAlways("is not metered by this gateway")

const textOnly: Rule = (value, param) => {
  if (!Array.isArray(value)) return invalid(param, `Invalid type for '${param}': expected an array.`)
  return value.every((modality) => modality === "text") ? undefined : refuseAudio(value, param)
}

const rules: ReadonlyArray<readonly [param: string, rule: Rule]> = [
  ["max_tokens", outputLimitRule],
  ["max_completion_tokens", outputLimitRule],
  ["n", integerBetween(1, ANSWERS_MAX)],
  ["tools", clientTools],
  ["web_search_options", unmetered],
  // Rejected prediction tokens are billed as output, on top of every limit.
  ["prediction", unmetered],
  ["audio", unmetered],
  ["modalities", textOnly],
  // Extensions of compatible upstreams that search for money, or sample or choose more than the call says.
  ["best_of", unmetered],
  ["enable_search", (value, param) => value === false ? undefined : unmetered(value, param)],
  ["models", unmetered],
  ["plugins", unmetered],
  ["search_parameters", unmetered]
]

function input(json: JsonObject): CallInput | Refused {
  if (typeof json.max_tokens === "number" && typeof json.max_completion_tokens === "number") {
    return invalid("max_tokens", "Set one of 'max_tokens' and 'max_completion_tokens', not both.")
  }
  const messages = json.messages
  if (messages === undefined) return invalid("messages", "Missing required parameter: 'messages'.")
  if (!Array.isArray(messages)) return invalid("messages", "Invalid type for 'messages': expected an array.")
  if (messages.length === 0) return invalid("messages", "Invalid 'messages': expected at least one message.")
  const index = messages.findIndex((message) => !isObject(message))
  if (index >= 0) {
    return invalid(`messages[${index}]`, `Invalid type for 'messages[${index}]': expected an object.`)
  }
  const tally: InputTally = { images: 0, imageBytes: 0 }
  return inspectInput(messages, "messages", tally) ?? { messages: messages.length, ...tally }
}

/** A body of `/v1/chat/completions` as a `Call`, or why it is refused (400). Costs one pass and one `JSON.parse`. */
export const parseChatRequest = (body: Uint8Array): Call | Refused => readCall(body, { dialect: "chat", rules, input })
