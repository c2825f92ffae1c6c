/**
 * The accounts that have something for a writer of the journal, in the order in which they announced it, and what of it the next
 * batch takes.
 *
 * @internal
 */
import { type JournalAccount, type LaneName, takeGroup, type TakenGroup } from "./JournalEntry.ts"

export interface QueueOptions {
  /** The writer: an account that has changed to another one is passed over. */
  readonly name: LaneName
  /** Entries of one account in one batch, at most. */
  readonly accountEntriesMax: number
}

export class JournalQueue {
  /** Entries that wait, at most: what accounts have taken back meanwhile is counted too. */
  entriesMax = 0
  private readonly options: QueueOptions
  private accounts = new Set<JournalAccount>()

  constructor(options: QueueOptions) {
    this.options = options
  }

  get isEmpty(): boolean {
    return this.accounts.size === 0
  }

  /** An account has queued one entry more. */
  add(account: JournalAccount): void {
    this.accounts.add(account)
    this.entriesMax++
  }

  /** Takes a batch of up to `entriesMax` entries; an account that has more stays in the queue. */
  take(entriesMax: number): ReadonlyArray<TakenGroup> {
    const groups: Array<TakenGroup> = []
    let room = entriesMax
    for (const account of this.clear()) {
      if (account.queued.length === 0) continue
      if (room > 0) {
        const group = takeGroup(account, Math.min(room, this.options.accountEntriesMax))
        room -= group.entries.length
        groups.push(group)
      }
      if (account.queued.length === 0) continue
      this.accounts.add(account)
      this.entriesMax += account.queued.length
    }
    return groups
  }

  /** Empties the queue; answers the accounts of this writer that were in it. */
  clear(): ReadonlyArray<JournalAccount> {
    const accounts = this.accounts
    this.accounts = new Set()
    this.entriesMax = 0
    return Array.from(accounts).filter((account) => account.lane === this.options.name)
  }
}
