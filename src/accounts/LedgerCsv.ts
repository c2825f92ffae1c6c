/** A user's own ledger as a file. Who acted and what they noted is not in it: that is for root. */
import { formatUsd } from "../domain/Money.ts"
import type { CsvColumns } from "../platform/Csv.ts"
import type { CallsLine, LedgerLine } from "./LedgerLines.ts"
import { type LedgerItem, orderOf } from "./LedgerList.ts"

const amount = (micros: bigint | null): string => micros === null ? "" : formatUsd(micros)
const time = (at: Date | null): string => at === null ? "" : at.toISOString()

/** What both kinds of lines have. */
const moved = (line: LedgerLine): CallsLine | LedgerItem => line._tag === "entry" ? line.entry : line

export const ledgerColumns: CsvColumns<LedgerLine> = [
  /** Of calls: of the entry after them; empty: until now. */
  ["time", (line) => time(line._tag === "entry" ? line.entry.createdAt : line.until)],
  /** Of calls: of the entry before them. */
  ["since", (line) => line._tag === "entry" ? "" : time(line.since)],
  ["entry", (line) => line._tag === "entry" ? line.entry.seq.toString() : ""],
  ["kind", (line) => line._tag === "entry" ? line.entry.kind : "calls"],
  ["order", (line) => line._tag === "entry" ? orderOf(line.entry)?.toString() ?? "" : ""],
  ["amount_usd", (line) => amount(moved(line).amountMicros)],
  ["owed_usd", (line) => amount(moved(line).owedMicros)],
  ["balance_after_usd", (line) => amount(moved(line).usdAfterMicros)],
  ["owed_after_usd", (line) => amount(moved(line).owedAfterMicros)]
]
