/**
 * What an address of a page of usage asks for: a period in whole days of the visitor's own zone, and which calls of it. What is no
 * filter is left out.
 */
import { ApiKeyId } from "../../../../domain/Ids.ts"
import { CallItem, ListedState } from "../../../../usage/CallItem.ts"
import { type CallFilter, statusClasses } from "../../../../usage/CallList.ts"
import { askedRange, type UsageRange } from "../../../../usage/UsageRange.ts"
import { type Measure, readMeasure } from "../../charts/ChartData.ts"
import type { PageContext } from "../../PageContext.ts"
import { idOf, oneOf } from "../../Params.ts"

const NAME_LENGTH_MAX = 256

export interface UsageQuery {
  /** What charts draw. */
  readonly measure: Measure
  readonly range: UsageRange
  readonly filter: CallFilter
  /** Any besides the period. */
  readonly isFiltered: boolean
}

export const readFilter = ({ formats, now, query }: Pick<PageContext, "formats" | "now" | "query">): UsageQuery => {
  const textOf = (name: string) => query.get(name) ?? ""
  const asked = { name: textOf("range"), from: textOf("from"), to: textOf("to") }
  const range = askedRange(asked, now, formats.timeZone)
  const model = textOf("model")
  const more = {
    model: model === "" || model.length > NAME_LENGTH_MAX || model.includes("\0") ? undefined : model,
    keyId: idOf(query.get("key"), ApiKeyId),
    state: oneOf(ListedState.literals, query.get("state")),
    status: oneOf(statusClasses, query.get("status")),
    funding: oneOf(CallItem.fields.funding.literals, query.get("funding"))
  }
  return {
    measure: readMeasure({ query }),
    range,
    filter: { fromMs: range.fromMs, toMs: range.toMs, refused: true, ...more },
    isFiltered: Object.values(more).some((value) => value !== undefined)
  }
}

/** The address's query for the same period and filter, with other parts of it changed or, where empty, left out. */
export const queryText = (
  { filter, measure, range }: UsageQuery,
  changes: Readonly<Record<string, string>> = {}
): string => {
  const parts: Record<string, string> = {
    range: range.name,
    ...(range.name === "custom" ? { from: range.from, to: range.to } : {}),
    measure: measure === "spend" ? "" : measure,
    model: filter.model ?? "",
    key: filter.keyId?.toString() ?? "",
    state: filter.state ?? "",
    status: filter.status ?? "",
    funding: filter.funding ?? "",
    ...changes
  }
  return new URLSearchParams(Object.entries(parts).filter(([, value]) => value !== "")).toString()
}

/** A page of usage, for its parts that lead to other periods and lists of it. */
export interface UsagePage {
  readonly context: PageContext
  readonly path: string
  /** Its query, with these parts changed or, where empty, left out. */
  readonly queryOf: (changes?: Readonly<Record<string, string>>) => string
}
