/**
 * The accounts that have something for a writer of the journal, in the order in which they announced it, and what of it the next
 * batch takes. What an account has decided while a batch of it is on its way waits for that batch's answer: so whatever becomes of one
 * batch, no other that is on its way was decided on it.
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
  /** Entries that a batch could take, at most: what accounts have taken back meanwhile is counted too. */
  entriesMax = 0
  private readonly options: QueueOptions
  private accounts = new Set<JournalAccount>()
  /** The accounts of the batches on their way. */
  private readonly busy = new Set<JournalAccount>()

  constructor(options: QueueOptions) {
    this.options = options
  }

  get isEmpty(): boolean {
    return this.accounts.size === 0
  }

  /** Entries of all accounts that wait. */
  get waiting(): number {
    let entries = 0
    for (const account of this.accounts) if (account.lane === this.options.name) entries += account.queued.length
    return entries
  }

  /** An account has queued one entry more. */
  add(account: JournalAccount): void {
    this.accounts.add(account)
    if (!this.busy.has(account)) this.entriesMax++
  }

  /** Takes a batch of up to `entriesMax` entries; an account that has more, or has one on its way, stays in the queue. */
  take(entriesMax: number): ReadonlyArray<TakenGroup> {
    const groups: Array<TakenGroup> = []
    const accounts = this.accounts
    this.accounts = new Set()
    this.entriesMax = 0
    let room = entriesMax
    for (const account of accounts) {
      if (account.lane !== this.options.name || account.queued.length === 0) continue
      if (!this.busy.has(account)) {
        if (room > 0) {
          const group = takeGroup(account, Math.min(room, this.options.accountEntriesMax))
          room -= group.entries.length
          groups.push(group)
          this.busy.add(account)
        } else this.entriesMax += account.queued.length
      }
      if (account.queued.length > 0) this.accounts.add(account)
    }
    return groups
  }

  /** A batch is not on its way any more: what its accounts have queued meanwhile may be taken. */
  release(groups: ReadonlyArray<TakenGroup>): void {
    for (const { account } of groups) {
      if (this.busy.delete(account) && this.accounts.has(account)) this.entriesMax += account.queued.length
    }
  }

  /** Empties the queue, and forgets what is on its way; answers the accounts of this writer that were in it. */
  clear(): ReadonlyArray<JournalAccount> {
    const accounts = Array.from(this.accounts).filter((account) => account.lane === this.options.name)
    this.accounts = new Set()
    this.busy.clear()
    this.entriesMax = 0
    return accounts
  }
}
