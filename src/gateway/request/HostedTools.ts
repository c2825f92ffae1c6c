/**
 * Takes the tools that the upstream would run out of a call, and what makes no sense without them: a choice that names one, what
 * was to be included of their answers, and lists that are empty then. Everything else keeps its bytes.
 *
 * @internal
 */
import { isObject, parseJson } from "../JsonValue.ts"
import type { Call } from "./Call.ts"
import { arrayOf, elementsOf } from "./JsonElements.ts"
import { bufferOf } from "./JsonBytes.ts"
import { type JsonField, type RawJson, rewriteObject, scanObject } from "./JsonFields.ts"
import { clientRuns, type ToolPlace, toolTypes } from "./ToolTable.ts"

export interface WithoutHosted {
  readonly changes: ReadonlyMap<string, RawJson | undefined>
  /** Names of what was taken out. */
  readonly dropped: ReadonlyArray<string>
}

export function withoutHosted(call: Call): WithoutHosted {
  const changes = new Map<string, RawJson | undefined>()
  const dropped = new Set(call.hostedTools.map((type) => type === "web_search_options" ? type : `tools.${type}`))
  const removed: Removed = { tools: 0 }
  for (const field of call.fields) {
    if (!call.hostedFields?.includes(field.key)) continue
    const raw = call.body.subarray(field.valueStart, field.valueEnd)
    if (field.key === "tools") changes.set(field.key, strip(raw, removed))
    else if (field.key === "input") {
      changes.set(
        field.key,
        arrayOf(elementsOf(raw).flatMap((item) => stripItem(item, removed)))
      )
    } else changes.set(field.key, undefined)
  }
  const orphaned = call.input.tools <= removed.tools
  for (const field of call.fields) {
    const change = changeOf(call, field, orphaned)
    if (change === undefined) continue
    changes.set(field.key, change.raw)
    for (const name of change.dropped) dropped.add(name)
  }
  return { changes, dropped: [...dropped] }
}

interface Removed {
  tools: number
}

/** The array without such tools; undefined when none is left. */
function strip(raw: Uint8Array, removed: Removed): RawJson | undefined {
  const kept = elementsOf(raw).flatMap((tool) => stripTool(tool, removed))
  return kept.length === 0 ? undefined : arrayOf(kept)
}

/** The tool, or what a namespace has left; nothing when the upstream would run it. */
function stripTool(raw: Uint8Array, removed: Removed): ReadonlyArray<RawJson> {
  const scanned = scanObject(raw)
  if (!scanned.ok) return []
  const members = new Map(scanned.fields.map((field) => [field.key, field]))
  if (!clientRuns(placeOf(raw, members))) {
    removed.tools++
    return []
  }
  const inner = members.get("tools")
  if (inner === undefined || raw[inner.valueStart] !== 0x5b) return [raw]
  const before = removed.tools
  const left = strip(raw.subarray(inner.valueStart, inner.valueEnd), removed)
  if (removed.tools === before) return [raw]
  if (left !== undefined) return [rewriteObject(raw, scanned.fields, new Map([["tools", left]]))]
  removed.tools++
  return []
}

const placeOf = (raw: Uint8Array, members: ReadonlyMap<string, JsonField>): ToolPlace => {
  const valueOf = (key: string): unknown => {
    const field = members.get(key)
    return field === undefined ? null : parseJson(bufferOf(raw).toString("utf8", field.valueStart, field.valueEnd))
  }
  const execution = valueOf("execution")
  const environment = valueOf("environment")
  const within = isObject(environment) ? environment.type : ""
  return {
    type: String(valueOf("type")),
    execution: typeof execution === "string" ? execution : undefined,
    environment: environment === null ? undefined : typeof within === "string" ? within : ""
  }
}

/** The item; without its hosted tools where it holds tools, and nothing when it held only such. */
function stripItem(raw: Uint8Array, removed: Removed): ReadonlyArray<RawJson> {
  const scanned = scanObject(raw)
  const tools = scanned.ok ? scanned.fields.find((field) => field.key === "tools") : undefined
  if (!scanned.ok || tools === undefined || raw[tools.valueStart] !== 0x5b) return [raw]
  const type = scanned.fields.find((field) => field.key === "type")
  const name = type === undefined ? "" : parseJson(bufferOf(raw).toString("utf8", type.valueStart, type.valueEnd))
  if (name !== "additional_tools" && name !== "tool_search_output") return [raw]
  const before = removed.tools
  const left = strip(raw.subarray(tools.valueStart, tools.valueEnd), removed)
  if (removed.tools === before) return [raw]
  // An answer to a search stays, though it found nothing; tools that were to be added do not.
  if (left === undefined && name === "additional_tools") return []
  return [rewriteObject(raw, scanned.fields, new Map([["tools", left ?? "[]"]]))]
}

interface Change {
  readonly raw: RawJson | undefined
  readonly dropped: ReadonlyArray<string>
}

const gone = (key: string): Change => ({ raw: undefined, dropped: [key] })

/** What becomes of a field that depends on tools; undefined when it stays as it is. `orphaned`: no tool is left. */
function changeOf(call: Call, field: JsonField, orphaned: boolean): Change | undefined {
  const { key } = field
  if (key !== "tool_choice" && key !== "include" && key !== "parallel_tool_calls") return undefined
  const value = parseJson(bufferOf(call.body).toString("utf8", field.valueStart, field.valueEnd))
  if (value === null) return undefined
  if (key === "include") return withoutIncluded(call, value)
  // Without tools, the chat API refuses both, and the other dialect a choice.
  if (orphaned && (key === "tool_choice" || call.dialect === "chat")) return gone(key)
  return key === "tool_choice" ? withoutChoice(call, value) : undefined
}

/** Whether a choice names, by its type, a tool that the client does not run. */
const isHostedChoice = (call: Call, choice: unknown): boolean =>
  isObject(choice) && typeof choice.type === "string" &&
  (!choosable.has(choice.type) || call.hostedTools.includes(choice.type))

/** Types of choices that name no tool of the upstream. */
const choosable: ReadonlySet<string> = new Set([
  ...[...toolTypes.keys()].filter((type) => clientRuns({ type, execution: "client", environment: undefined })),
  "allowed_tools",
  "auto",
  "none",
  "required",
  "any"
])

function withoutChoice(call: Call, choice: unknown): Change | undefined {
  if (isHostedChoice(call, choice)) return gone("tool_choice")
  if (!isObject(choice) || choice.type !== "allowed_tools") return undefined
  const nested = isObject(choice.allowed_tools) ? choice.allowed_tools : undefined
  const tools = (nested ?? choice).tools
  if (!Array.isArray(tools)) return undefined
  const left = tools.filter((tool) => !isHostedChoice(call, tool))
  if (left.length === tools.length) return undefined
  if (left.length === 0) return gone("tool_choice")
  const changed = nested === undefined
    ? { ...choice, tools: left }
    : { ...choice, allowed_tools: { ...nested, tools: left } }
  return { raw: JSON.stringify(changed), dropped: ["tool_choice.tools"] }
}

/** `web_search_call.results` belongs to `web_search` and its dated versions. */
const includedOf = /^(\w+?)_call(?:_output)?\./

function withoutIncluded(call: Call, value: unknown): Change | undefined {
  if (!Array.isArray(value)) return undefined
  const belongs = (entry: unknown): boolean => {
    const tool = typeof entry === "string" ? includedOf.exec(entry)?.[1] : undefined
    return tool !== undefined && call.hostedTools.some((type) => type.startsWith(tool))
  }
  const left = value.filter((entry) => !belongs(entry))
  if (left.length === value.length) return undefined
  return {
    raw: left.length === 0 ? undefined : JSON.stringify(left),
    dropped: value.filter(belongs).map((entry) => `include.${entry}`)
  }
}
