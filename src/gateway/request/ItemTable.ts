/**
 * Input items of `POST /v1/responses`: what clients write, and every item that an answer returns, since clients send answers
 * back. An item that has an id and none of its content refers to a stored item.
 *
 * @internal
 */
import {
  boolean,
  client,
  clientArray,
  clientObject,
  clientWithPictures,
  either,
  type Fields,
  fields,
  forwarded,
  list,
  object,
  scalar,
  setting,
  type Shape,
  text,
  together,
  tool,
  type Variant,
  type Variants,
  variants
} from "./Admission.ts"
import { cacheControl } from "./CommonFields.ts"
import { content, partShape } from "./PartTable.ts"

/** Longest id of a stored response or item, in UTF-16 units. */
export const STORED_ID_CHARS_MAX = 512

const common: Fields = fields({
  id: forwarded({ kind: "text", charsMax: STORED_ID_CHARS_MAX }),
  status: forwarded(text),
  created_by: forwarded(text),
  caller: forwarded(client),
  cache_control: setting(cacheControl),
  internal_chat_message_metadata_passthrough: forwarded(client),
  provider_data: forwarded(clientWithPictures),
  providerData: forwarded(clientWithPictures)
})

const item = (
  own: Readonly<Record<string, Shape>>,
  options: Omit<Variant, "treatment" | "fields" | "note"> & { readonly note?: string } = {}
): Variant => ({
  treatment: "forwarded",
  note: "",
  ...options,
  fields: together(
    common,
    fields(Object.fromEntries(Object.entries(own).map(([key, shape]) => [key, forwarded(shape)])))
  )
})

const compacted = (): Variant =>
  item({ encrypted_content: text }, { content: ["encrypted_content"], emptyIsAbsent: true, reasoning: true })

const parts: Shape = list(partShape, { unit: "part" })
const effort: Shape = object(fields({ effort: forwarded(text) }))
/** What code printed, or an image that it made. */
const codeOutput: Shape = object(fields({
  type: forwarded(text),
  logs: forwarded(text),
  url: forwarded({ kind: "imageUrl" })
}))
const called: Fields = fields({
  call_id: forwarded(text),
  name: forwarded(text),
  namespace: forwarded(text),
  async: forwarded(scalar),
  encrypted_function_args: forwarded(client)
})
/** An item about a tool that the client runs. */
const call = (own: Readonly<Record<string, Shape>>, held: ReadonlyArray<string>): Variant => {
  const made = item(own, { content: held })
  return { ...made, fields: together(called, made.fields) }
}

export const itemTypes: Variants = variants("input item", {
  message: item(
    {
      role: text,
      content,
      phase: text,
      name: text,
      author: text,
      recipient: text,
      metadata: clientObject,
      extra_content: clientWithPictures
    },
    { content: ["content"], note: "The type of an item that names none." }
  ),
  agent_message: item({ author: text, recipient: text, content }, { content: ["content"] }),
  reasoning: item(
    { summary: parts, content: either(text, parts), encrypted_content: text, format: text, signature: text },
    {
      content: ["content", "encrypted_content"],
      emptyIsAbsent: true,
      reasoning: true,
      note: "With an id, but neither content nor encrypted content, it refers to a stored item."
    }
  ),
  item_reference: item({}, { content: [], note: "Refers to a stored item." }),
  function_call: call({ arguments: client, parsed_arguments: client }, ["arguments"]),
  function_call_output: call({ output: content }, ["output"]),
  custom_tool_call: call({ input: client }, ["input"]),
  custom_tool_call_output: call({ output: content }, ["output"]),
  local_shell_call: call({ action: client }, ["action"]),
  local_shell_call_output: call({ output: clientWithPictures }, ["output"]),
  shell_call: call({ action: client, environment: client }, ["action"]),
  shell_call_output: call({ output: clientWithPictures, max_output_length: scalar }, ["output"]),
  apply_patch_call: call({ operation: client }, ["operation"]),
  apply_patch_call_output: call({ output: clientWithPictures }, ["output", "status"]),
  computer_call: call({ action: client, actions: client, pending_safety_checks: client }, ["action", "actions"]),
  computer_call_output: call(
    { output: either(text, partShape, parts), acknowledged_safety_checks: client },
    ["output"]
  ),
  tool_search_call: call({ arguments: client, execution: text }, ["arguments"]),
  tool_search_output: {
    ...call({ tools: list(tool), execution: text }, ["tools"]),
    note: "Its tools are checked like those of the request."
  },
  additional_tools: item(
    { role: text, tools: list(tool) },
    { content: ["tools"], note: "Its tools are checked like those of the request." }
  ),
  web_search_call: item({ action: client, results: client }, { content: ["action", "status"] }),
  file_search_call: item({ queries: client, results: client }, { content: ["queries", "results"] }),
  code_interpreter_call: item(
    { code: text, container_id: text, outputs: list(codeOutput) },
    { content: ["code", "outputs"] }
  ),
  image_generation_call: item(
    {
      result: { kind: "imageData" },
      action: text,
      background: text,
      output_format: text,
      quality: text,
      size: text,
      revised_prompt: text,
      error: client,
      svg_usage: client
    },
    { content: ["result"], emptyIsAbsent: true, note: "Its result is counted as an image." }
  ),
  mcp_list_tools: item({ server_label: text, tools: clientArray, error: client }, { content: ["tools"] }),
  mcp_approval_request: item({ arguments: client, name: text, server_label: text }, { content: ["arguments"] }),
  mcp_approval_response: item(
    { approval_request_id: text, approve: boolean, reason: text },
    { content: ["approve"] }
  ),
  mcp_call: item(
    {
      arguments: client,
      name: text,
      server_label: text,
      approval_request_id: text,
      output: clientWithPictures,
      error: client
    },
    { content: ["arguments", "output"] }
  ),
  program: item({ call_id: text, code: text, fingerprint: text }, { content: ["code"] }),
  program_output: item({ call_id: text, result: text }, { content: ["result"] }),
  configuration_update: item({ reasoning: effort, text: client }),
  compaction: compacted(),
  compaction_summary: compacted(),
  context_compaction: compacted(),
  compaction_trigger: item({})
}, "message")

export const itemShape: Shape = { kind: "variant", of: () => itemTypes }
