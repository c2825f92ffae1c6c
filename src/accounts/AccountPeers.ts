/**
 * The other runners, as the accounts of this one see them: each account has one owner among the runners, which may be asked to decide.
 * A server that serves alone has no peers.
 */
import { Context, type Effect, type Scope } from "effect"
import type { UserId } from "../domain/Ids.ts"
import type { AccountError } from "./AccountError.ts"
import type { Answer, Commit, Extend, Reserve, Void } from "./AccountState.ts"

/** What a runner asks the owner of an account. */
export type SentCommand = Reserve | Extend | Commit | Void

/** What an owner said; undefined: nothing, within the time that is waited for it. */
export type OwnerAnswer = Answer | AccountError | undefined

/** Decides for another runner; undefined: this one is stopping. */
export type DecideForPeer = (userId: UserId, command: SentCommand) => Effect.Effect<Answer, AccountError> | undefined

export interface AccountPeers {
  /** True: every command is the owner's. False: only those for accounts that several runners write at once. */
  readonly always: boolean
  /** Whether another runner owns the account and may be asked: it was not silent lately, or it is this question that probes it. */
  canAskOwner(userId: UserId): boolean
  /** Asks the owner, after `canAskOwner`. `reply` is called once, within a bounded time. */
  ask(userId: UserId, command: SentCommand, reply: (answer: OwnerAnswer) => void): void
  /** Answers what other runners ask, as long as the scope. */
  serve(decide: DecideForPeer): Effect.Effect<void, never, Scope.Scope>
}

/** Undefined: this server has no peers. */
export const AccountPeers = Context.Reference<AccountPeers | undefined>("realms/accounts/AccountPeers", {
  defaultValue: () => undefined
})
