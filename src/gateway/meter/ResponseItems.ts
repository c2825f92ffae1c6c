/**
 * What the items of a response on /v1/responses say beyond their text: ids by which later calls may refer to them, and calls of
 * tools that the upstream ran and bills.
 */
import type { ToolUse } from "../../domain/Price.ts"
import { isObject, type JsonObject } from "../JsonValue.ts"

/** The ids under which an upstream stored a response. */
export interface ResponseIdentity {
  readonly responseId: string
  readonly itemIds: ReadonlyArray<string>
}

/** Items of one response whose ids are kept, at most. */
export const ITEM_IDS_MAX = 2048

/** Longer ids are not kept, in UTF-16 units. */
export const ID_CHARS_MAX = 512

export const noTools: ToolUse = { webSearch: 0, fileSearch: 0 }

/** Statuses of a response that came to its end. */
export const finishedStatuses: ReadonlySet<unknown> = new Set(["completed", "incomplete"])

const isId = (value: unknown): value is string =>
  typeof value === "string" && value !== "" && value.length <= ID_CHARS_MAX

const itemsOf = (output: unknown): ReadonlyArray<JsonObject> => Array.isArray(output) ? output.filter(isObject) : []

/** The ids of a response object; undefined when it has none. */
export function identityOf(response: unknown): ResponseIdentity | undefined {
  if (!isObject(response) || !isId(response.id)) return undefined
  const itemIds = itemsOf(response.output).map((item) => item.id).filter(isId).slice(0, ITEM_IDS_MAX)
  return { responseId: response.id, itemIds: [...new Set(itemIds)] }
}

/** An item without a status is finished, as the response that has it is. */
const isFinished = (item: JsonObject): boolean =>
  item.status === undefined || item.status === null || item.status === "completed"

/** One for each query where the item lists them. Opening a page or finding text in it is no search. */
function searchesOf(item: JsonObject): number {
  const { action } = item
  if (!isObject(action)) return 1
  if (action.type !== undefined && action.type !== null && action.type !== "search") return 0
  return Array.isArray(action.queries) ? Math.max(action.queries.length, 1) : 1
}

/** Finished calls of tools that the upstream ran, among the items of an output. */
export function toolUseOf(output: unknown): ToolUse {
  let { fileSearch, webSearch } = noTools
  for (const item of itemsOf(output)) {
    if (!isFinished(item)) continue
    if (item.type === "web_search_call") webSearch += searchesOf(item)
    else if (item.type === "file_search_call") fileSearch++
  }
  return { webSearch, fileSearch }
}
