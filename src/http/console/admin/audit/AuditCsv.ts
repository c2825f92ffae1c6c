/**
 * The columns of recorded changes as a file of comma-separated values. States are JSON, which begins like no formula.
 */
import { DateTime } from "effect"
import type { AuditItem, AuditState } from "../../../../platform/AuditTrail.ts"
import { type CsvColumns, csvText } from "../../pages/usage/CallsCsv.ts"

const json = (state: AuditState | null): string => state === null ? "" : JSON.stringify(state)

export const auditColumns: CsvColumns<AuditItem> = [
  ["id", (item) => item.id.toString()],
  ["time", (item) => DateTime.formatIso(DateTime.fromDateUnsafe(item.at))],
  ["actor", (item) => csvText(item.actor)],
  ["email", (item) => csvText(item.email ?? "")],
  ["action", (item) => csvText(item.action)],
  ["target", (item) => csvText(item.target)],
  ["address", (item) => csvText(item.address)],
  ["before", (item) => json(item.before)],
  ["after", (item) => json(item.after)]
]
