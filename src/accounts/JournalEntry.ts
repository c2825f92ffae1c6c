/**
 * The meeting point of actor and journal: what an actor queues to be written, and what the journal tells it back. All
 * calls are synchronous; an actor answers its callers from inside them.
 *
 * @internal
 */
import { randomBytes } from "node:crypto"
import type { SubscriptionId, UserId } from "../domain/Ids.ts"
import type { Event } from "./Decision.ts"
import type { GroupResult, JournalGroup } from "./JournalBatch.ts"

/** `main` writes for everybody; `slow` for accounts whose last write PostgreSQL refused, one entry at a time. */
export type LaneName = "main" | "slow"

/** One decided event, with the state its account had right after it. */
export interface JournalEntry {
  readonly event: Event
  usdAfterMicros: bigint
  owedAfterMicros: bigint
}

/** An account as the journal sees it. */
export interface JournalAccount {
  readonly userId: UserId
  /** Decided and not yet taken into a batch, oldest first. */
  readonly queued: Array<JournalEntry>
  /** Which writer takes its entries. */
  readonly lane: LaneName
  /** The last known fence of each subscription; a batch replaces those it writes. */
  readonly fences: Map<SubscriptionId, bigint>
  /** The batch committed. */
  onWritten(entries: ReadonlyArray<JournalEntry>, result: GroupResult): void
  /** The connection died: the batch may or may not have landed. Queued entries were not sent. */
  onUnknown(entries: ReadonlyArray<JournalEntry>): void
  /** PostgreSQL refused this account's part, for its data or (`retryable`) for a lock: nothing of it was written. */
  onRefused(entries: ReadonlyArray<JournalEntry>, retryable: boolean, cause: unknown): void
}

/** One account's part of a batch. */
export interface TakenGroup extends JournalGroup {
  readonly account: JournalAccount
  readonly entries: ReadonlyArray<JournalEntry>
}

/** The reservation that an event moves: within a batch there is one event for each. */
export const transitionKey = (event: Event): string => event._tag === "Settled" ? event.id : event.reservation.id

const subscriptionOf = (event: Event): SubscriptionId | null =>
  event.reservation === null ? null : event.reservation.subscriptionId

/** How many entries may be taken at once: up to `entriesMax`, stopping before a second transition of one reservation. */
const takenAtOnce = (queued: ReadonlyArray<JournalEntry>, entriesMax: number): number => {
  // One, as nearly always.
  if (queued.length <= 1) return Math.min(queued.length, entriesMax)
  const seen = new Set<string>()
  for (const { event } of queued) {
    const key = transitionKey(event)
    if (seen.size === entriesMax || seen.has(key)) break
    seen.add(key)
  }
  return seen.size
}

/** Takes up to `entriesMax` entries off an account, stopping before a second transition of one reservation. */
export const takeGroup = (account: JournalAccount, entriesMax: number): TakenGroup => {
  const entries = account.queued.splice(0, takenAtOnce(account.queued, entriesMax))
  return {
    account,
    entries,
    userId: account.userId,
    events: entries.map((entry) => entry.event),
    fences: replaceFences(account, entries)
  }
}

const noFences: JournalGroup["fences"] = []

/** Replaces the fence of each subscription that is written, once. */
const replaceFences = (account: JournalAccount, entries: ReadonlyArray<JournalEntry>): JournalGroup["fences"] => {
  let replaced: Map<SubscriptionId, JournalGroup["fences"][number]> | undefined
  for (const { event } of entries) {
    const id = subscriptionOf(event)
    const expected = id === null ? undefined : account.fences.get(id)
    if (id === null || expected === undefined || replaced?.has(id) === true) continue
    const next = randomBytes(8).readBigInt64LE()
    account.fences.set(id, next)
    replaced ??= new Map()
    replaced.set(id, [id, expected, next])
  }
  return replaced === undefined ? noFences : Array.from(replaced.values())
}

/** Parts of a batch in two, to find what of it PostgreSQL refuses; of one group there is one. */
export const halves = (groups: ReadonlyArray<TakenGroup>): ReadonlyArray<ReadonlyArray<TakenGroup>> => {
  const middle = Math.ceil(groups.length / 2)
  return [groups.slice(0, middle), groups.slice(middle)].filter((part) => part.length > 0)
}
