/**
 * What an account's actor needs of the process that it lives in: reading, writing, waiting, and where to put what can never
 * be written.
 *
 * @internal
 */
import type { UserId } from "../domain/Ids.ts"
import type { AccountActor } from "./AccountActor.ts"
import type { AccountError } from "./AccountError.ts"
import type { Answer, Commit, Void } from "./AccountState.ts"
import type { Envelope } from "./Envelope.ts"
import type { AccountRead, LoadedAccount } from "./AccountStore.ts"

/** Takes the answer to a command, once. */
export type Reply = (result: Answer | AccountError) => void

/** What an actor needs of the world. */
export interface ActorHost {
  /** Announces queued entries to the journal, on the actor's lane. */
  enqueue(actor: AccountActor): void
  /** Reads the account and calls back, later, with the result. */
  load(read: AccountRead, done: (loaded: LoadedAccount | AccountError) => void): void
  /** The time in ms. */
  now(): number
  /** Calls back after a moment, or when the database is back. */
  later(actor: AccountActor, failures: number, callback: () => void): void
  /**
   * Has the owner of the account decide a reserve or an extend that nothing has written here, where other runners write the account too.
   * False: it is decided here.
   */
  divert(userId: UserId, envelope: Envelope): boolean
  /** Keeps a settlement that can never land; calls back when it is kept. */
  setAside(userId: UserId, command: Commit | Void, cause: unknown, done: () => void): void
}
