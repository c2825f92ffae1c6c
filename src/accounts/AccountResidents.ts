/**
 * The accounts that live in this process. An actor is made when its account is first asked, and forgotten when it has
 * been idle for long: nothing waits at it, nothing is under way, and no reservation of it is open. What is forgotten is
 * read again by the next command.
 *
 * @internal
 */
import { Context } from "effect"
import { AccountActor, type ActorHost } from "./AccountActor.ts"

/** An account without open reservations is forgotten after so long without a command. Replaced in tests. */
export const AccountIdleMs = Context.Reference("realms/accounts/AccountIdleMs", { defaultValue: () => 600_000 })

export class AccountResidents {
  private readonly actors = new Map<bigint, AccountActor>()
  private readonly host: ActorHost
  private readonly now: () => number

  constructor(host: ActorHost, now: () => number) {
    this.host = host
    this.now = now
  }

  has(userId: bigint): boolean {
    return this.actors.has(userId)
  }

  /** The account's actor, for a command at this moment. */
  of(userId: bigint): AccountActor {
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

  invalidate(userId: bigint): void {
    this.actors.get(userId)?.invalidate()
  }

  invalidateAll(): void {
    for (const actor of this.actors.values()) actor.invalidate()
  }

  /** Forgets the actors that were idle for longer than `idleMs`. */
  forgetIdle(idleMs: number): void {
    for (const [userId, actor] of this.actors) {
      if (actor.isIdle && this.now() - actor.lastUsedMs > idleMs) this.actors.delete(userId)
    }
  }
}
