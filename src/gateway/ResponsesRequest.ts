/**
 * Reads the body of `POST /v1/responses`: what prices it, and the refusal of what could not be priced or lives on
 * the upstream's side. Parameters the gateway does not know are the upstream's to judge and pass through.
 */
import { type CallInput, readCall } from "./CallBody.ts"
import { clientTools, type InputTally, inspectInput, unseen } from "./CallInput.ts"
import { type Call, invalid, outputLimitRule, refuseAlways, type Refused, type Rule } from "./CallRequest.ts"
import { isObject, type JsonObject } from "./JsonValue.ts"

const rules: ReadonlyArray<readonly [param: string, rule: Rule]> = [
  ["max_output_tokens", outputLimitRule],
  ["tools", clientTools],
  ["prompt", refuseAlways("refers to a stored prompt that the gateway cannot see")],
  ["models", refuseAlways("is not metered by this gateway")],
  ["plugins", refuseAlways("is not metered by this gateway")]
]

/** An item with an id and no type refers to a stored item, unless it brings its content along. */
const isReference = (item: JsonObject): boolean =>
  typeof item.id === "string" && (item.type === undefined || item.type === null) && item.content === undefined

function input(json: JsonObject): CallInput | Refused {
  const items = json.input
  const instructions = typeof json.instructions === "string" ? 1 : 0
  if (items === undefined || items === null) return invalid("input", "Missing required parameter: 'input'.")
  if (typeof items === "string") return { messages: 1 + instructions, images: 0, imageBytes: 0 }
  if (!Array.isArray(items)) return invalid("input", "Invalid type for 'input': expected a string or an array.")
  for (const [index, item] of items.entries()) {
    if (!isObject(item)) return invalid(`input[${index}]`, `Invalid type for 'input[${index}]': expected an object.`)
    if (isReference(item)) return unseen(`input[${index}].id`, "item references")
  }
  const tally: InputTally = { images: 0, imageBytes: 0 }
  return inspectInput(items, "input", tally) ?? { messages: items.length + instructions, ...tally }
}

/** A body of `/v1/responses` as a `Call`, or why it is refused (400). Costs one pass and one `JSON.parse`. */
export const parseResponsesRequest = (body: Uint8Array): Call | Refused =>
  readCall(body, { dialect: "responses", rules, input })
