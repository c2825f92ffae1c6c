/**
 * Tools: which ones the client runs itself, and so cost nothing but their tokens, and which ones the upstream runs. A type that
 * is not named here is taken for a tool that the upstream runs.
 *
 * @internal
 */
import {
  client,
  clientObject,
  type Fields,
  fields,
  forwarded,
  list,
  object,
  scalar,
  setting,
  text,
  texts,
  tool
} from "./Admission.ts"
import { cacheControl } from "./CommonFields.ts"

/** Deepest nesting of namespaces. */
export const NAMESPACES_DEEP_MAX = 4
/** Longest name of a tool's type, in UTF-16 units. */
export const TOOL_TYPE_CHARS_MAX = 64
/** Most kinds of tools that the upstream would run in one call. */
export const HOSTED_KINDS_MAX = 32

/** What a tool says of where it runs. */
export interface ToolPlace {
  readonly type: string
  readonly execution: string | undefined
  /** The type of its environment; undefined when it names none. */
  readonly environment: string | undefined
}

export interface ToolRule {
  /** Whether the client runs the tool. */
  readonly clientRuns: (place: ToolPlace) => boolean
  readonly note: string
}

const locally = (place: ToolPlace): boolean => place.environment === undefined || place.environment === "local"
const always = (): boolean => true
const never = (): boolean => false

export const toolTypes: ReadonlyMap<string, ToolRule> = new Map([
  ["function", { clientRuns: always, note: "Run by the client." }],
  ["custom", { clientRuns: always, note: "Run by the client." }],
  ["namespace", {
    clientRuns: always,
    note: `Holds tools, each of which is checked. At most ${NAMESPACES_DEEP_MAX} deep.`
  }],
  ["local_shell", { clientRuns: locally, note: "Run by the client." }],
  ["shell", { clientRuns: locally, note: "Run by the client, unless its `environment` is a container." }],
  ["apply_patch", { clientRuns: locally, note: "Run by the client, unless its `environment` is a container." }],
  ["tool_search", {
    clientRuns: (place: ToolPlace) => place.execution === "client",
    note: 'Run by the client with `execution: "client"`, else by the upstream.'
  }],
  ["web_search", { clientRuns: never, note: "Run by the upstream; may be priced on `/v1/responses`." }],
  ["file_search", { clientRuns: never, note: "Run by the upstream; may be priced on `/v1/responses`." }],
  ["web_search_preview", { clientRuns: never, note: "Run by the upstream." }],
  ["code_interpreter", { clientRuns: never, note: "Run by the upstream." }],
  ["image_generation", { clientRuns: never, note: "Run by the upstream." }],
  ["mcp", { clientRuns: never, note: "Run by the upstream." }],
  ["computer", { clientRuns: never, note: "Its cost is the upstream's to say." }],
  ["computer_use_preview", { clientRuns: never, note: "Its cost is the upstream's to say." }],
  ["programmatic_tool_calling", { clientRuns: never, note: "Run by the upstream." }]
])

/** Whether the client runs the tool; else it follows the model's `hosted_tools`. */
export const clientRuns = (place: ToolPlace): boolean => toolTypes.get(place.type)?.clientRuns(place) ?? false

const functionShape = object(fields({
  name: forwarded(text),
  description: forwarded(text),
  parameters: forwarded(client),
  strict: forwarded(scalar),
  returns: forwarded(client),
  response: forwarded(client),
  annotations: forwarded(client),
  metadata: forwarded(client),
  _meta: forwarded(client),
  output_schema: forwarded(client),
  input_examples: forwarded(client),
  allowed_callers: forwarded(texts),
  cache_control: setting(cacheControl)
}))

/** The fields of tools that clients run. All their JSON is counted. */
export const toolFields: Fields = fields({
  type: forwarded(text),
  name: forwarded(text),
  description: forwarded(text),
  function: forwarded(functionShape),
  custom: forwarded(clientObject),
  parameters: forwarded(client),
  input_schema: forwarded(client),
  output_schema: forwarded(client),
  input_examples: forwarded(client),
  format: forwarded(client),
  allowed_callers: forwarded(texts),
  execution: forwarded(text),
  environment: forwarded(clientObject),
  annotations: forwarded(client),
  metadata: forwarded(client),
  _meta: forwarded(client),
  tools: forwarded(list(tool)),
  cache_control: setting(cacheControl)
})
