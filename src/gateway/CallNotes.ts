/**
 * What is noted of a call for those who operate the server: how long each of its stages took, and what came of it. It is one object of
 * plain fields, which the stages fill and the edge reads when the call has ended. No text of the call and no secret is ever in it.
 */
import type { CallOutcome, Reservation, Settlement } from "../accounts/AccountState.ts"
import type { CallEvent } from "./CallMachine.ts"
import type { CallTrace } from "./CallTrace.ts"
import type { Dialect } from "./request/Call.ts"

/**
 * What a call waits for. `body`: its client's body. `hold` and `commit`: the journal. `queue`: a connection to the upstream.
 * `upstream`: its answer; for a stream this includes the client that takes it. `gateway`: none of these, so our own work.
 */
export const stages = ["gateway", "body", "hold", "queue", "upstream", "commit"] as const
export type Stage = typeof stages[number]

export class CallNotes {
  readonly id: string
  readonly route: Dialect
  /** Undefined: the call belongs to no trace. */
  readonly trace: CallTrace | undefined
  /** As `performance.now()` has it, like every `At`. */
  readonly startedAt: number
  /** Of the catalogue; undefined: the call was refused before it was found there. */
  model: string | undefined
  stream = false
  /** The channel that was tried last. */
  channel: string | undefined
  /** Upstream attempts. */
  attempts = 0
  firstOutputAt: number | undefined
  /** Its client was answered with the kept answer of an earlier call. */
  isReplay = false
  reservation: Reservation | undefined
  outcome: CallOutcome | undefined
  /** Undefined: the answer did not wait for it. */
  settlement: Settlement | undefined
  private stage: Stage = "gateway"
  private enteredAt: number
  private readonly spentMs: Record<Stage, number> = { gateway: 0, body: 0, hold: 0, queue: 0, upstream: 0, commit: 0 }

  constructor(id: string, route: Dialect, trace?: CallTrace) {
    this.id = id
    this.route = route
    this.trace = trace
    this.startedAt = performance.now()
    this.enteredAt = this.startedAt
  }

  enter(stage: Stage): void {
    const at = performance.now()
    this.spentMs[this.stage] += at - this.enteredAt
    this.trace?.passed(this.stage, this.enteredAt, at)
    this.stage = stage
    this.enteredAt = at
  }

  /** How long the call was in a stage, in milliseconds. */
  msIn(stage: Stage): number {
    return this.spentMs[stage]
  }

  /** Until the last stage that it has entered, in milliseconds. */
  get totalMs(): number {
    return this.enteredAt - this.startedAt
  }

  /** Until its first output, in milliseconds; undefined: none came. */
  get ttftMs(): number | undefined {
    return this.firstOutputAt === undefined ? undefined : this.firstOutputAt - this.startedAt
  }

  /** Takes what happens to the call. */
  passed(event: CallEvent): void {
    switch (event._tag) {
      case "WasHeld":
        this.reservation = event.reservation
        return this.enter("gateway")
      case "WasExtended":
        this.reservation = event.reservation
        return
      case "WasQueued":
        this.channel = event.channel.name
        this.attempts++
        this.enter("queue")
        this.trace?.attempts(event.channel.name)
        return
      case "WasSent":
        return this.enter("upstream")
      case "GaveOutput":
        this.firstOutputAt ??= performance.now()
        this.trace?.gaveOutput(this.firstOutputAt)
        return
      case "AttemptFailed":
        this.enter("gateway")
        this.trace?.attemptEnded(true)
        return
      case "WasDecided":
        this.trace?.attemptEnded(false)
        return this.enter("commit")
      case "WasSettled":
        return this.enter("gateway")
    }
  }
}
