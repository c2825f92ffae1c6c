/**
 * Commands on their way through an actor: those that wait in its mailbox, and those that are decided and wait to be durable.
 *
 * @internal
 */
import type { AccountError } from "./AccountError.ts"
import type { Answer, Command, ReservationRow } from "./AccountState.ts"
import type { Reply } from "./ActorHost.ts"
import type { JournalEntry } from "./JournalEntry.ts"

export interface Envelope {
  readonly command: Command
  readonly reply: Reply
  /** `peer`: another runner asks, which itself ends a reservation that it does not hear of. */
  readonly from: "here" | "peer"
  /** Position among all commands of this account. */
  readonly arrival: number
  /** The stored row of the command's reservation; undefined: not looked up. */
  row: ReservationRow | null | undefined
  refusals: number
  /** Writes of it that were rejected, because of what others had written. */
  rejections: number
}

/** A command whose write was rejected so often is given up: another try would not help. */
const REJECTIONS_MAX = 100

/** Counts a rejection; true: it is given up. */
export const isGivenUp = (envelope: Envelope): boolean => ++envelope.rejections > REJECTIONS_MAX

/** A decided command whose reply waits for durability: its own entry's, or (no entry) that of all entries before it. */
export interface Decided {
  readonly envelope: Envelope
  readonly entry: JournalEntry | undefined
  answer: Answer | AccountError
  /** `rejected`: it was not written, because of what others wrote meanwhile. */
  status: "pending" | "durable" | "again" | "rejected"
}
