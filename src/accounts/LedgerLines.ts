/**
 * What moved a balance, line by line: the entries of the ledger, and between two of them the calls as one line.
 *
 * The sum of such a line is exact without a look at a call. An entry is written while the account's row is locked, with the balance and
 * the debt that it left behind; only calls change them in between. So what one entry left and what the next one found differ by what
 * calls took from the balance or gave back: charges, and the change of what open calls held at those moments. From the first entry, before
 * which there was nothing, to the balance now, the lines add up to it.
 */
import type { Balance } from "./AccountOverview.ts"
import type { LedgerItem } from "./LedgerList.ts"

export interface EntryLine {
  readonly _tag: "entry"
  readonly entry: LedgerItem
}

export interface CallsLine {
  readonly _tag: "calls"
  /** The id of the entry right above the line, where the newest is on top; 0: the line itself is the newest. */
  readonly belowId: bigint
  /** Between which entries; null: from the beginning, or until now. */
  readonly since: Date | null
  readonly until: Date | null
  /** Signed, in micros: what the balance moved by. */
  readonly amountMicros: bigint
  /** What calls cost beyond the balance and became debt, in micros. */
  readonly owedMicros: bigint
  /** After the line, in micros. */
  readonly usdAfterMicros: bigint
  readonly owedAfterMicros: bigint
}

export type LedgerLine = EntryLine | CallsLine

const nothing: Balance = { usdMicros: 0n, owedMicros: 0n }

/** Undefined: it was not written down. */
const afterOf = ({ owedAfterMicros, usdAfterMicros }: LedgerItem): Balance | undefined =>
  usdAfterMicros === null || owedAfterMicros === null
    ? undefined
    : { usdMicros: usdAfterMicros, owedMicros: owedAfterMicros }

/** What an entry found. A recovery pays from the balance what is owed. */
const beforeOf = (entry: LedgerItem): Balance | undefined => {
  const after = afterOf(entry)
  if (after === undefined) return undefined
  const owed = entry.owedMicros + (entry.kind === "recovery" ? entry.amountMicros : 0n)
  return { usdMicros: after.usdMicros - entry.amountMicros, owedMicros: after.owedMicros - owed }
}

interface Gap {
  readonly belowId: bigint
  readonly older: LedgerItem | undefined
  readonly found: Balance | undefined
  readonly until: Date | null
}

/** No line where calls changed nothing, or where what they changed is not known. */
const callsIn = ({ belowId, found, older, until }: Gap): ReadonlyArray<CallsLine> => {
  const left = older === undefined ? nothing : afterOf(older)
  if (left === undefined || found === undefined) return []
  const amountMicros = found.usdMicros - left.usdMicros
  const owedMicros = found.owedMicros - left.owedMicros
  if (amountMicros === 0n && owedMicros === 0n) return []
  return [{
    _tag: "calls",
    belowId,
    since: older?.createdAt ?? null,
    until,
    amountMicros,
    owedMicros,
    usdAfterMicros: found.usdMicros,
    owedAfterMicros: found.owedMicros
  }]
}

interface Entries {
  /** Newest first, without a gap. */
  readonly entries: ReadonlyArray<LedgerItem>
  /** The one before the last of them; undefined: that is the account's first. */
  readonly older: LedgerItem | undefined
  /** The balance at the moment when the entries were read; undefined: they are not the newest. */
  readonly now: Balance | undefined
}

/** The lines of some entries, newest first: each with the calls before it, the newest also with those after it. */
export const ledgerLines = ({ entries, now, older }: Entries): ReadonlyArray<LedgerLine> => [
  ...(now === undefined ? [] : callsIn({ belowId: 0n, older: entries[0] ?? older, found: now, until: null })),
  ...entries.flatMap((entry, at): ReadonlyArray<LedgerLine> => [
    { _tag: "entry", entry },
    ...callsIn({ belowId: entry.id, older: entries[at + 1] ?? older, found: beforeOf(entry), until: entry.createdAt })
  ])
]
