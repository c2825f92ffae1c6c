/**
 * Which changes an address of the audit log asks for: by whom, what action, of what, in which days of the visitor's own zone.
 */
import type { AuditFilter } from "../../../../platform/AuditTrail.ts"
import type { PageContext } from "../../PageContext.ts"
import { readDays } from "../FilterDays.ts"

/** As typed. */
interface AuditTyped {
  readonly actor: string
  readonly action: string
  readonly target: string
  readonly from: string
  readonly to: string
}

export interface AuditQuery {
  readonly typed: AuditTyped
  readonly filter: AuditFilter
  readonly isFiltered: boolean
  /** The days are none, or the wrong way round: they are left out. */
  readonly isRefused: boolean
}

/** Longer than any e-mail address. */
const TEXT_LENGTH_MAX = 256

const textOf = (query: URLSearchParams, name: string): string =>
  (query.get(name) ?? "").trim().slice(0, TEXT_LENGTH_MAX).toWellFormed()

export const readAuditQuery = (context: Pick<PageContext, "formats" | "query">): AuditQuery => {
  const { query } = context
  const { from, fromMs, isRefused, to, toMs } = readDays(context)
  const typed: AuditTyped = {
    actor: textOf(query, "actor"),
    action: textOf(query, "action"),
    target: textOf(query, "target"),
    from,
    to
  }
  return {
    typed,
    isRefused,
    isFiltered: Object.values(typed).some((text) => text !== ""),
    filter: {
      actor: typed.actor === "" ? undefined : typed.actor,
      action: typed.action === "" ? undefined : typed.action,
      target: typed.target === "" ? undefined : typed.target,
      fromMs,
      toMs
    }
  }
}

/** An address with the same filter, and more. */
export const auditPath = (path: string, { typed }: AuditQuery, more: Readonly<Record<string, string>> = {}): string => {
  const parts = new URLSearchParams(Object.entries({ ...typed, ...more }).filter(([, value]) => value !== ""))
  return parts.size === 0 ? path : `${path}?${parts}`
}
