/**
 * The admission table of `POST /v1/responses`.
 *
 * @internal
 */
import {
  boolean,
  clientObject,
  either,
  type Fields,
  fields,
  forwarded,
  integer,
  list,
  object,
  priced,
  refused,
  setting,
  text,
  texts,
  together,
  tool
} from "./Admission.ts"
import {
  modelField,
  OUTPUT_LIMIT_TOKENS_MAX,
  outputLimit,
  sharedFields,
  streamFields,
  toolChoice
} from "./CommonFields.ts"
import { itemShape } from "./ItemTable.ts"

export const responsesFields: Fields = together(
  modelField,
  fields({
    input: priced(
      either(text, list(itemShape, { unit: "message" })),
      "Text, images, files and references are bounded.",
      {
        unit: "message"
      }
    ),
    instructions: priced(text, "", { unit: "message" })
  }),
  streamFields(fields({ include_obfuscation: setting(boolean) })),
  fields({
    max_output_tokens: priced(outputLimit, "A limit above the model's maximum is lowered to it.", { uncounted: true }),
    tools: priced(list(tool), "Counted as JSON."),
    tool_choice: forwarded(toolChoice),
    max_tool_calls: priced(
      integer(1, OUTPUT_LIMIT_TOKENS_MAX),
      "Sent to channels that know it. Lowered where tools are priced.",
      { uncounted: true, knownOnly: true }
    ),
    include: setting(texts),
    previous_response_id: priced(
      { kind: "responseId" },
      "Admitted for a response that you made on a channel that stores them.",
      {
        uncounted: true
      }
    ),
    text: forwarded(clientObject, "Counted as JSON."),
    truncation: setting(text),
    image: setting(object(fields({ context_compression: setting(text) }))),
    web_search_options: priced({ kind: "hosted" }, "Follows the model's `hosted_tools`.")
  }),
  sharedFields,
  fields({
    n: refused("One response has one answer.", { off: ["1"] }),
    max_tokens: refused("Send `max_output_tokens`."),
    max_completion_tokens: refused("Send `max_output_tokens`.")
  })
)
