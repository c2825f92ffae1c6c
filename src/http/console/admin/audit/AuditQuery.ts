/**
 * Which changes an address of the audit log asks for: by whom, what action, of what, in which days of the visitor's own zone.
 */
import { DateTime } from "effect"
import type { AuditFilter } from "../../../../platform/AuditTrail.ts"
import { startOf } from "../../pages/usage/UsageRange.ts"
import type { Visit } from "../../Visit.ts"

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

export const readAuditQuery = ({ formats, query }: Pick<Visit, "formats" | "query">): AuditQuery => {
  const typed: AuditTyped = {
    actor: textOf(query, "actor"),
    action: textOf(query, "action"),
    target: textOf(query, "target"),
    from: textOf(query, "from"),
    to: textOf(query, "to")
  }
  const from = startOf(typed.from, formats.timeZone)
  const to = startOf(typed.to, formats.timeZone)
  const isRefused = (typed.from !== "" && from === undefined) || (typed.to !== "" && to === undefined) ||
    (from !== undefined && to !== undefined && from.epochMilliseconds > to.epochMilliseconds)
  const days = isRefused ? {} : {
    fromMs: from?.epochMilliseconds,
    toMs: to === undefined ? undefined : DateTime.add(to, { days: 1 }).epochMilliseconds
  }
  return {
    typed,
    isRefused,
    isFiltered: Object.values(typed).some((text) => text !== ""),
    filter: {
      actor: typed.actor === "" ? undefined : typed.actor,
      action: typed.action === "" ? undefined : typed.action,
      target: typed.target === "" ? undefined : typed.target,
      ...days
    }
  }
}

/** An address with the same filter, and more. */
export const auditPath = (path: string, { typed }: AuditQuery, more: Readonly<Record<string, string>> = {}): string => {
  const parts = new URLSearchParams(Object.entries({ ...typed, ...more }).filter(([, value]) => value !== ""))
  return parts.size === 0 ? path : `${path}?${parts}`
}
