/**
 * Recorded changes as lines of comma-separated values (RFC 4180). A text that a spreadsheet would take for a formula is made a
 * text by an apostrophe before it.
 */
import { DateTime } from "effect"
import type { AuditItem, AuditState } from "../../../../platform/AuditTrail.ts"

const text = (value: string): string => /^[=+\-@\t\r]/.test(value) ? `'${value}` : value

const json = (state: AuditState | null): string => state === null ? "" : JSON.stringify(state)

const columns: ReadonlyArray<readonly [name: string, value: (item: AuditItem) => string]> = [
  ["id", (item) => item.id.toString()],
  ["time", (item) => DateTime.formatIso(DateTime.fromDateUnsafe(item.at))],
  ["actor", (item) => text(item.actor)],
  ["email", (item) => text(item.email ?? "")],
  ["action", (item) => text(item.action)],
  ["target", (item) => text(item.target)],
  ["address", (item) => text(item.address)],
  ["before", (item) => json(item.before)],
  ["after", (item) => json(item.after)]
]

const cell = (value: string): string => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value

/** The first line. */
export const auditCsvHeader = `${columns.map(([name]) => name).join(",")}\r\n`

export const auditCsvLine = (item: AuditItem): string =>
  `${columns.map(([, value]) => cell(value(item))).join(",")}\r\n`
