/**
 * The admission table of `POST /v1/chat/completions`.
 *
 * @internal
 */
import {
  boolean,
  client,
  clientObject,
  clientWithPictures,
  either,
  type Fields,
  fields,
  forwarded,
  integer,
  list,
  object,
  priced,
  refused,
  scalar,
  setting,
  type Shape,
  text,
  together,
  tool
} from "./Admission.ts"
import { cacheControl, modelField, outputLimit, sharedFields, streamFields, toolChoice } from "./CommonFields.ts"
import { content, partShape } from "./PartTable.ts"

/** Most answers that one call may ask for. */
export const ANSWERS_MAX = 128

const toolCall: Shape = object(fields({
  id: forwarded(text),
  type: forwarded(text),
  index: forwarded(scalar),
  function: forwarded(
    object(fields({ name: forwarded(text), arguments: forwarded(client), parsed_arguments: forwarded(client) }))
  ),
  custom: forwarded(object(fields({ name: forwarded(text), input: forwarded(client) }))),
  extra_content: forwarded(client),
  provider_specific_fields: forwarded(client),
  cache_control: setting(cacheControl)
}))

const noAudio = "Earlier audio answers are not metered."

/** Fields of a message. They are counted as text unless they say otherwise. */
export const messageFields: Fields = fields({
  role: forwarded(text),
  content: priced(content, "Text, or a list of content parts."),
  name: forwarded(text),
  refusal: forwarded(text),
  tool_calls: forwarded(list(toolCall, { unit: "part" })),
  tool_call_id: forwarded(text),
  function_call: forwarded(object(fields({ name: forwarded(text), arguments: forwarded(client) }))),
  audio: forwarded(
    object(fields({
      id: refused(noAudio),
      data: refused(noAudio),
      transcript: refused(noAudio),
      expires_at: refused(noAudio)
    })),
    "`null` passes."
  ),
  reasoning_content: forwarded(clientWithPictures, "", { reasoning: true }),
  reasoning: forwarded(clientWithPictures, "", { reasoning: true }),
  reasoning_details: forwarded(clientWithPictures, "", { reasoning: true }),
  thinking: forwarded(clientWithPictures, "", { reasoning: true }),
  codex_reasoning_items: forwarded(clientWithPictures, "", { reasoning: true }),
  reasoning_text: forwarded(text, "", { reasoning: true }),
  reasoning_opaque: forwarded(text, "", { reasoning: true }),
  thinking_blocks: forwarded(clientWithPictures, "", { reasoning: true }),
  encrypted_content: forwarded(text, "", { reasoning: true }),
  annotations: forwarded(clientWithPictures),
  context: forwarded(clientWithPictures),
  citations: forwarded(clientWithPictures),
  search_results: forwarded(clientWithPictures),
  executed_tools: forwarded(clientWithPictures),
  copilot_references: forwarded(clientWithPictures),
  extra_content: forwarded(clientWithPictures),
  images: forwarded(list(partShape, { unit: "part" }), "Content parts, as OpenRouter returns them."),
  metadata: forwarded(clientObject),
  parsed: forwarded(client),
  provider_specific_fields: forwarded(clientWithPictures),
  prefix: setting(boolean),
  partial: setting(boolean),
  cache_control: setting(cacheControl),
  copilot_cache_control: setting(cacheControl)
})

const limitNote =
  "Of both limits the smaller one counts, and is sent. A limit above the model's maximum is lowered to it."

export const chatFields: Fields = together(
  modelField,
  fields({
    messages: priced(list(object(messageFields), { least: 1, unit: "message" }), "Text, images and files are bounded.")
  }),
  streamFields(fields({ include_usage: setting(boolean), include_obfuscation: setting(boolean) })),
  fields({
    max_tokens: priced(outputLimit, limitNote, { uncounted: true }),
    max_completion_tokens: priced(outputLimit, limitNote, { uncounted: true }),
    n: priced(integer(1, ANSWERS_MAX), "Each answer may be as long as the limit.", { uncounted: true }),
    tools: priced(list(tool), "Counted as JSON."),
    tool_choice: forwarded(toolChoice),
    functions: priced(list(clientObject, { unit: "tool" }), "Counted as JSON."),
    function_call: forwarded(either(text, object(fields({ name: forwarded(text) })))),
    response_format: forwarded(clientObject, "Counted as JSON."),
    web_search_options: priced({ kind: "hosted" }, "Follows the model's `hosted_tools`.")
  }),
  sharedFields,
  fields({
    max_output_tokens: refused("Send `max_completion_tokens` or `max_tokens`."),
    max_tool_calls: setting(integer(1, ANSWERS_MAX), "Sent to channels that know it.", { knownOnly: true }),
    previous_response_id: refused("Only `/v1/responses` knows stored responses.")
  })
)
