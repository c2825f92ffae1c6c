/**
 * Which changes an address of the audit log asks for: by whom, what action, of what, in which days of the visitor's own zone.
 */
import type { AuditFilter } from "../../../../platform/AuditTrail.ts"
import type { PageContext } from "../../PageContext.ts"
import { searchText } from "../../Params.ts"
import { readDays } from "../FilterDays.ts"

export interface AuditQuery {
  /** As typed; undefined or empty where nothing was. */
  readonly typed: Readonly<Record<"actor" | "action" | "target" | "from" | "to", string | undefined>>
  readonly filter: AuditFilter
  /** The days are none, or the wrong way round: they are left out. */
  readonly isRefused: boolean
}

export const readAuditQuery = (context: Pick<PageContext, "formats" | "query">): AuditQuery => {
  const { query } = context
  const { from, fromMs, isRefused, to, toMs } = readDays(context)
  const texts = {
    actor: searchText(query, "actor"),
    action: searchText(query, "action"),
    target: searchText(query, "target")
  }
  return { typed: { ...texts, from, to }, isRefused, filter: { ...texts, fromMs, toMs } }
}

/** The address of the file of what the query finds. */
export const auditCsvPath = ({ typed }: AuditQuery): string => {
  const parts = Object.entries(typed).flatMap(([name, value = ""]) => value === "" ? [] : [[name, value]])
  return `/admin/audit/changes.csv?${new URLSearchParams(parts)}`
}
