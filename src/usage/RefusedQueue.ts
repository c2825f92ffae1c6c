/**
 * Refused calls on their way to the database: bounded in all and for each user, so that one user's flood takes no room from
 * the others. What does not fit takes the place of what is older.
 * @internal
 */
import { Schema } from "effect"
import type { ApiKeyId, UserId } from "../domain/Ids.ts"

/** Statuses of refusals that are kept. */
export const RefusedStatus = Schema.Literals([400, 402, 403, 404, 429])
export type RefusedStatus = typeof RefusedStatus.Type
export const refusedStatuses = RefusedStatus.literals

/** A refusal as the edge tells it. */
export interface RefusedEntry {
  /** The request id. */
  readonly id: string
  readonly userId: UserId
  readonly keyId: ApiKeyId | null
  /** As the client wrote it; null where the refusal came before the body was read. */
  readonly model: string | null
  /** Named as calls name it: `chat.completions`. */
  readonly endpoint: string
  readonly status: RefusedStatus
  readonly code: string
}

export interface QueuedRefusal extends RefusedEntry {
  /** When it was recorded, ms since the epoch. */
  readonly atMs: number
}

/** Refusals that wait, at most. */
export const QUEUE_MAX = 10_000

/** Refusals of one user that wait, at most. */
export const QUEUE_PER_USER_MAX = 100

export class RefusedQueue {
  private readonly users = new Map<UserId, Array<QueuedRefusal>>()
  private count = 0

  get size(): number {
    return this.count
  }

  /** Answers how many older ones had to go. */
  push(entry: QueuedRefusal): number {
    const own = this.users.get(entry.userId) ?? []
    let dropped = 0
    if (own.length >= QUEUE_PER_USER_MAX) {
      own.shift()
      this.count--
      dropped = 1
    } else if (this.count >= QUEUE_MAX) dropped = this.take(1).length
    own.push(entry)
    this.users.set(entry.userId, own)
    this.count++
    return dropped
  }

  /** Takes out up to `max`, first those of the user who has waited longest. */
  take(max: number): ReadonlyArray<QueuedRefusal> {
    const taken: Array<QueuedRefusal> = []
    for (const [userId, own] of this.users) {
      if (taken.length >= max) break
      taken.push(...own.splice(0, max - taken.length))
      if (own.length === 0) this.users.delete(userId)
    }
    this.count -= taken.length
    return taken
  }
}
