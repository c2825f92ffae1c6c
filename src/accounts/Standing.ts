/**
 * Whether an account has anything to pay a call with, asked before a call's body is read. What memory says is enough for yes;
 * a no is only said on a state that was read after the question came, so that a top-up counts at once.
 *
 * @internal
 */
import type { AccountError } from "./AccountError.ts"
import type { AccountState } from "./AccountState.ts"
import { isRunning } from "./Affordability.ts"

/** `funded`: a balance, an open call or a running subscription; `empty`: nothing of these. */
export type Standing = "funded" | "empty"

export type StandingReply = (answer: Standing | AccountError) => void

/** Whether a state has a balance, an open call or a subscription that runs at a moment. */
export const isFunded = (state: AccountState, atMs: number): boolean =>
  state.usdMicros > 0n || state.openHolds > 0 ||
  state.subscriptions.some((subscription) => isRunning(subscription, atMs))

interface Question {
  readonly arrival: number
  readonly reply: StandingReply
}

/** The questions that wait for a read of one account. */
export class StandingQuestions {
  private waiting: Array<Question> = []

  get size(): number {
    return this.waiting.length
  }

  add(question: Question): void {
    this.waiting.push(question)
  }

  /** Answers on a state that was read for all up to arrival `asOf`; the later ones wait for the next read if it is empty. */
  answer(state: AccountState, { asOf, atMs }: { readonly asOf: number; readonly atMs: number }): void {
    const asked = this.waiting
    const funded = isFunded(state, atMs)
    this.waiting = funded ? [] : asked.filter(({ arrival }) => arrival > asOf)
    for (const question of asked) {
      if (funded || question.arrival <= asOf) question.reply(funded ? "funded" : "empty")
    }
  }

  fail(error: AccountError): void {
    const asked = this.waiting
    this.waiting = []
    for (const question of asked) question.reply(error)
  }
}
