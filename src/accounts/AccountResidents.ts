/**
 * The accounts that live in this process. An actor is made when its account is first asked, and forgotten when it has
 * been idle for long: nothing waits at it, nothing is under way, and no reservation of it is open. What is forgotten is
 * read again by the next command.
 *
 * @internal
 */
import { Context } from "effect"
import type { UserId } from "../domain/Ids.ts"
import { AccountActor } from "./AccountActor.ts"
import type { ActorHost } from "./ActorHost.ts"
import { observeResidents } from "./JournalMetrics.ts"

/** An account without open reservations is forgotten after so long without a command. Replaced in tests. */
export const AccountIdleMs = Context.Reference("realms/accounts/AccountIdleMs", { defaultValue: () => 600_000 })

export class AccountResidents {
  private readonly actors = new Map<UserId, AccountActor>()
  private readonly host: ActorHost
  private readonly now: () => number

  constructor(host: ActorHost, now: () => number) {
    this.host = host
    this.now = now
    observeResidents(() => this.actors.size)
  }

  has(userId: UserId): boolean {
    return this.actors.has(userId)
  }

  /** The account's actor, for a command at this moment. */
  of(userId: UserId): AccountActor {
    let actor = this.actors.get(userId)
    if (actor === undefined) {
      actor = new AccountActor(userId, this.host)
      this.actors.set(userId, actor)
    }
    actor.lastUsedMs = this.now()
    return actor
  }

  all(): ReadonlyArray<AccountActor> {
    return Array.from(this.actors.values())
  }

  invalidate(userId: UserId): void {
    this.actors.get(userId)?.invalidate()
  }

  invalidateAll(): void {
    for (const actor of this.actors.values()) actor.invalidate()
  }

  /** The accounts of which something was asked at `sinceMs` or later. */
  usedSince(sinceMs: number): ReadonlyArray<UserId> {
    const used: Array<UserId> = []
    for (const [userId, actor] of this.actors) if (actor.lastUsedMs >= sinceMs) used.push(userId)
    return used
  }

  /**
   * Forgets the actors that were idle for longer than `idleMs`. One that has something open and of which nothing was asked for
   * so long reads what is open: a reservation that another process has ended would keep it here for ever.
   */
  forgetIdle(idleMs: number): void {
    const now = this.now()
    for (const [userId, actor] of this.actors) {
      if (now - actor.lastUsedMs <= idleMs) continue
      if (actor.isIdle) this.actors.delete(userId)
      else if (actor.isQuiet && now - actor.lastCheckedMs > idleMs) {
        actor.lastCheckedMs = now
        actor.recheck()
      }
    }
  }
}
