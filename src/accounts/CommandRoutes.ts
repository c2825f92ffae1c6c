/**
 * Where a command is decided: by the account's actor of this process, or by the runner that owns the account. The owner is asked about
 * accounts that several runners write at once, whose actors would refuse one another's writes; and about reservations that it has made.
 * Where the owner says nothing in time, the actor here decides: the guards in PostgreSQL make two actors of one account safe.
 *
 * @internal
 */
import type { UserId } from "../domain/Ids.ts"
import type { AccountPeers, SentCommand } from "./AccountPeers.ts"
import { type Deadline, deadlineIn } from "../platform/Deadline.ts"
import { emptyOutcome, isSettlement } from "./AccountState.ts"
import type { Reply } from "./ActorHost.ts"
import type { Envelope } from "./Envelope.ts"
import type { OutboxItem } from "./OutboxFile.ts"

/**
 * An owner that was silent may still write a reserve that was refused here. It is undone after so long, in milliseconds: by then the call
 * that was refused has asked for all that it asks for.
 */
export const UNDO_MS = 5_000

interface Doubt {
  readonly deadline: Deadline
  readonly undo: () => void
}

/** What is asked of an account's actor here. */
interface LocalActor {
  /** Several runners write the account at once. */
  readonly isContended: boolean
  tell(command: SentCommand, reply: Reply): void
  /** The owner has decided on a reservation. */
  outdate(id: string): void
}

export class CommandRoutes {
  private readonly actorOf: (userId: UserId) => LocalActor
  private readonly peers: AccountPeers | undefined
  /** Open reservations that an owner has made; as many as this process holds open, at most. */
  private readonly made = new Set<string>()
  /** Reserves that were refused, and that an owner may have written all the same; each until it is undone. */
  private readonly doubts = new Map<string, Doubt>()
  /** Reserves that an owner was asked for, has not answered, and whose call waits. */
  private readonly reserving = new Set<string>()
  /** Settlements that an owner was asked for and has not answered. */
  private readonly asked = new Set<OutboxItem>()

  constructor(actorOf: (userId: UserId) => LocalActor, peers: AccountPeers | undefined) {
    this.actorOf = actorOf
    this.peers = peers
  }

  /** Settlements of which it is not known yet where they are decided. */
  get unsettled(): ReadonlyArray<OutboxItem> {
    return Array.from(this.asked)
  }

  /** Has a command decided; `reply` is called once. */
  tell(userId: UserId, command: SentCommand, reply: Reply): void {
    const { peers } = this
    // The actor is found when the question is put, not when it is made: in between it may have been forgotten.
    const actor = this.actorOf(userId)
    if (peers === undefined) return actor.tell(command, reply)
    // A call asks for a smaller hold by the id of the one that was refused.
    if (command._tag === "Reserve" && this.withdraw(command.id)) return this.decideHere(userId, command, reply)
    if (this.isForOwner(peers, { actor, userId, command })) {
      return this.askOwner(peers, { userId, command, reply })
    }
    if (isSettlement(command)) this.settledHere(command.id)
    actor.tell(command, reply)
  }

  /** Has the owner decide what an actor here could not write. False: there is no owner to ask. */
  divert(userId: UserId, { command, from, reply }: Pick<Envelope, "command" | "from" | "reply">): boolean {
    const { peers } = this
    const isTaking = command._tag === "Reserve" || command._tag === "Extend"
    if (peers === undefined || !isTaking || from === "peer" || !peers.canAskOwner(userId)) return false
    this.askOwner(peers, { userId, command, reply })
    return true
  }

  private askOwner(
    peers: AccountPeers,
    { command, reply, userId }: { readonly userId: UserId; readonly command: SentCommand; readonly reply: Reply }
  ): void {
    const item = isSettlement(command) ? { userId, command } : undefined
    if (item !== undefined) this.asked.add(item)
    if (command._tag === "Reserve") this.reserving.add(command.id)
    peers.ask(userId, command, (answer) => {
      if (item !== undefined) {
        this.asked.delete(item)
        this.made.delete(command.id)
      }
      const isWaited = this.reserving.delete(command.id)
      if (answer === undefined || (item !== undefined && answer._tag === "AccountUnavailable")) {
        return this.decideHere(userId, command, reply)
      }
      // A call that has given up has its reservation ended already.
      if (isWaited && answer._tag === "Reservation") this.made.add(command.id)
      // The owner cannot say whether it was written.
      if (command._tag === "Reserve" && answer._tag === "AccountUnavailable" && answer.unknown === true) {
        this.doubt(userId, command.id)
      }
      if (command._tag !== "Reserve") this.actorOf(userId).outdate(command.id)
      reply(answer)
    })
  }

  private isForOwner(
    peers: AccountPeers,
    { actor, command, userId }: {
      readonly actor: LocalActor
      readonly command: SentCommand
      readonly userId: UserId
    }
  ): boolean {
    return (peers.always || actor.isContended || this.made.has(command.id)) && peers.canAskOwner(userId)
  }

  /** The owner was silent, and may have done it all the same: a reserve that is refused here must not stand there. */
  private decideHere(userId: UserId, command: SentCommand, reply: Reply): void {
    this.actorOf(userId).tell(command, (answer) => {
      if (command._tag === "Reserve" && answer._tag !== "Reservation") this.doubt(userId, command.id)
      reply(answer)
    })
  }

  private settledHere(id: string): void {
    this.made.delete(id)
    this.reserving.delete(id)
  }

  /** Later ends a reservation that may have been written; if it was not, nothing can write it any more. */
  private doubt(userId: UserId, id: string): void {
    this.withdraw(id)
    const undo = () => {
      this.doubts.delete(id)
      const outcome = { ...emptyOutcome, reason: "owner_silent" }
      this.actorOf(userId).tell({ _tag: "Void", id, outcome }, () => undefined)
    }
    this.doubts.set(id, { undo, deadline: deadlineIn(UNDO_MS, undo) })
  }

  /** Undoes now what would be undone later: this process stops. */
  undoAll(): void {
    for (const { deadline, undo } of this.doubts.values()) {
      deadline.cancel()
      undo()
    }
  }

  /** Takes a doubt back. False: there was none. */
  private withdraw(id: string): boolean {
    this.doubts.get(id)?.deadline.cancel()
    return this.doubts.delete(id)
  }
}
