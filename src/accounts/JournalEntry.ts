/**
 * The meeting point of actor and journal: what an actor queues to be written, and what the journal tells it back. All
 * calls are synchronous; an actor answers its callers from inside them.
 *
 * @internal
 */
import { randomBytes } from "node:crypto"
import type { SubscriptionId, UserId } from "../domain/Ids.ts"
import type { Event } from "./AccountMachine.ts"
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

/** Takes up to `entriesMax` entries off an account, stopping before a second transition of one reservation. */
export const takeGroup = (account: JournalAccount, entriesMax: number): TakenGroup => {
  const [only] = account.queued
  if (account.queued.length === 1 && only !== undefined && entriesMax > 0) return takeOnly(account, only)
  const seen = new Set<string>()
  const subscriptions = new Set<SubscriptionId>()
  let count = 0
  for (const entry of account.queued) {
    if (count === entriesMax) break
    const key = transitionKey(entry.event)
    if (seen.has(key)) break
    seen.add(key)
    const subscription = subscriptionOf(entry.event)
    if (subscription !== null) subscriptions.add(subscription)
    count++
  }
  const entries = account.queued.splice(0, count)
  return {
    account,
    entries,
    userId: account.userId,
    events: entries.map((entry) => entry.event),
    fences: subscriptions.size === 0 ? noFences : replaceFences(account, subscriptions)
  }
}

/** The same for one entry, as nearly always. */
const takeOnly = (account: JournalAccount, entry: JournalEntry): TakenGroup => {
  account.queued.pop()
  const subscription = subscriptionOf(entry.event)
  return {
    account,
    entries: [entry],
    userId: account.userId,
    events: [entry.event],
    fences: subscription === null ? noFences : replaceFences(account, new Set([subscription]))
  }
}

const noFences: JournalGroup["fences"] = []

const replaceFences = (account: JournalAccount, subscriptions: ReadonlySet<SubscriptionId>): JournalGroup["fences"] => {
  const fences: Array<readonly [SubscriptionId, bigint, bigint]> = []
  for (const id of subscriptions) {
    const expected = account.fences.get(id)
    if (expected === undefined) continue
    const next = randomBytes(8).readBigInt64LE()
    account.fences.set(id, next)
    fences.push([id, expected, next])
  }
  return fences
}

/** Parts of a batch in two, to find what of it PostgreSQL refuses; of one group there is one. */
export const halves = (groups: ReadonlyArray<TakenGroup>): ReadonlyArray<ReadonlyArray<TakenGroup>> => {
  const middle = Math.ceil(groups.length / 2)
  return [groups.slice(0, middle), groups.slice(middle)].filter((part) => part.length > 0)
}
