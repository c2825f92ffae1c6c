/**
 * A command on its way through an account: as it waits to be decided, and as it waits, decided, until what it was decided on is
 * durable.
 *
 * @internal
 */
import type { AccountError } from "./AccountError.ts"
import type { Answer, Command, ReservationRow } from "./AccountState.ts"
import type { Reply } from "./ActorHost.ts"
import type { JournalEntry } from "./JournalEntry.ts"

/** A command that waits to be decided. */
export interface Envelope {
  readonly command: Command
  readonly reply: Reply
  /** Position among all commands of this account. */
  readonly arrival: number
  /** The stored row of the command's reservation; undefined: not looked up. */
  row: ReservationRow | null | undefined
  refusals: number
}

/** A decided command whose reply waits for durability: its own entry's, or (no entry) that of all entries before it. */
export interface Decided {
  readonly envelope: Envelope
  readonly entry: JournalEntry | undefined
  answer: Answer | AccountError
  status: "pending" | "durable" | "again"
}

/**
 * What becomes of decided commands, oldest first, once something of their account was not written as decided. What is `durable` is
 * answered. What is `onTheirWay` in a batch of its own counts or fails by that batch's guards. Everything else goes `back`, to be
 * decided again: an answer without an entry too, where anything before it is not durable.
 */
export const partDecided = (decided: ReadonlyArray<Decided>) => {
  const durable: Array<Decided> = []
  const onTheirWay: Array<Decided> = []
  const back: Array<Envelope> = []
  for (const one of decided) {
    const { entry, status } = one
    const isBehindOpen = onTheirWay.length > 0 || back.length > 0
    if (status === "durable" || (entry === undefined && !isBehindOpen)) durable.push(one)
    else if (entry !== undefined && entry.isSent && status === "pending") onTheirWay.push(one)
    else back.push(one.envelope)
  }
  return { durable, onTheirWay, back }
}
