/**
 * A call under way: who asked for what, what it holds, how it is stopped, and the state it is in. The edge gives the context, the
 * gateway makes the rest.
 */
import type { CallClaim, Reservation } from "../accounts/AccountState.ts"
import type { Model } from "../catalog/Catalog.ts"
import type { BillingConfig } from "../config/Config.ts"
import type { ApiKeyIdentity } from "../identity/ApiKeys.ts"
import type { ByteShare } from "../platform/ByteBudget.ts"
import type { CallClient } from "./CallClient.ts"
import type { CallNotes } from "./CallNotes.ts"
import { admitted, type CallEvent, type CallState, evolve } from "./CallMachine.ts"
import type { HoldPlan } from "./HoldPlan.ts"
import type { BoundTerms, CallBounds } from "./meter/Bounds.ts"
import type { Reply } from "./Reply.ts"
import type { Admitted, Call } from "./request/Call.ts"
import type { StopSignal } from "./StopSignal.ts"

export interface CallContext {
  /** The reservation's id too. */
  readonly requestId: string
  readonly key: ApiKeyIdentity
  readonly call: Call
  readonly client: CallClient
  readonly startedMs: number
  readonly notes: CallNotes
  /** The idempotency key that its client named; absent: none. */
  readonly claim?: CallClaim
}

/** What is known of a call once it may be made. */
export interface CallBasics {
  readonly context: CallContext
  readonly admitted: Admitted
  readonly model: Model
  /** As it was when the call was admitted. */
  readonly billing: BillingConfig
  readonly terms: BoundTerms
  readonly bounds: CallBounds
  readonly reply: Reply
  readonly signal: StopSignal
}

export class OpenCall {
  readonly basics: CallBasics
  readonly plan: HoldPlan
  /** Input tokens that the hold covers. */
  readonly heldInputTokens: number
  private current: CallState = admitted
  /** When reading on ends, ms since the epoch; undefined: the client is there, or nothing is read on. */
  drainsUntilMs: number | undefined
  /** What its answer takes of the memory for answers; undefined: it is streamed, or has none yet. */
  answerShare: ByteShare | undefined
  /** It takes one of the places that a user has for calls that are read on. */
  isDraining = false

  constructor(basics: CallBasics, plan: HoldPlan, heldInputTokens: number) {
    this.basics = basics
    this.plan = plan
    this.heldInputTokens = heldInputTokens
  }

  get state(): CallState {
    return this.current
  }

  advance(event: CallEvent): void {
    this.current = evolve(this.current, event)
    this.basics.context.notes.passed(event)
  }

  /** The hold. It is there from `WasHeld` on. */
  get reservation(): Reservation {
    if (this.current._tag === "Admitted" || this.current._tag === "Ended") {
      throw new Error(`a call that is ${this.current._tag} holds nothing`)
    }
    return this.current.reservation
  }

  get isSettling(): boolean {
    return this.current._tag === "Settling" || this.current._tag === "Ended"
  }
}
