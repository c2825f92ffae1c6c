/**
 * The audit log as a file: the columns of a change, with what was there before and after as JSON.
 */
import { DateTime } from "effect"
import type { AuditItem, AuditState } from "./AuditTrail.ts"
import type { CsvColumns } from "./Csv.ts"

const json = (state: AuditState | null): string => state === null ? "" : JSON.stringify(state)

export const auditColumns: CsvColumns<AuditItem> = [
  ["id", (item) => item.id.toString()],
  ["time", (item) => DateTime.formatIso(DateTime.fromDateUnsafe(item.at))],
  ["actor", (item) => item.actor],
  ["email", (item) => item.email ?? ""],
  ["action", (item) => item.action],
  ["target", (item) => item.target],
  ["address", (item) => item.address],
  ["before", (item) => json(item.before)],
  ["after", (item) => json(item.after)]
]
