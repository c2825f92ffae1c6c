/**
 * Whether a client that has something waiting for it still takes it. A client that takes nothing for a while is gone; one that
 * reads slowly is not, although its reading is seen only now and then: programs and kernels read ahead, and tell the sender of
 * free room in steps of up to 64 KiB. What was seen to be taken therefore counts as reading at a slow rate, until it is used up.
 *
 * @internal
 */

export interface ProgressRules {
  /** A client that takes no byte for so long is gone, in ms. */
  readonly stalledMs: number
  /** The same where the system does not say what a client has taken, in ms. */
  readonly blindStalledMs: number
  /** How slowly a client may read what it has taken ahead, in bytes a second. */
  readonly slowBytesPerSecond: number
  /** What a client may have taken ahead, at most, in bytes. */
  readonly aheadBytesMax: number
}

/** What a look at the connection shows. */
export interface Look {
  /** Bytes that the client has taken since the connection was opened. */
  readonly takenBytes: number
  /** False where the system's own buffers cannot be looked into. */
  readonly isExact: boolean
}

export class ClientProgress {
  private readonly rules: ProgressRules
  private seenMs: number
  private takenBytes: number | undefined
  private aheadBytes = 0
  private isExact = true

  /** `nowMs`: since when something waits for the client. */
  constructor(rules: ProgressRules, nowMs: number) {
    this.rules = rules
    this.seenMs = nowMs
  }

  /** Takes a look's result in. */
  look({ isExact, takenBytes }: Look, nowMs: number): void {
    const before = this.takenBytes
    this.takenBytes = takenBytes
    this.isExact = isExact
    // What was taken before the first look was taken ahead of it, but is no sign of reading since.
    if (before === undefined) this.aheadBytes = Math.min(Math.max(0, takenBytes), this.rules.aheadBytesMax)
    if (before === undefined || takenBytes <= before) return
    const readBytes = ((nowMs - this.seenMs) / 1_000) * this.rules.slowBytesPerSecond
    const ahead = Math.max(0, this.aheadBytes - readBytes) + (takenBytes - before)
    this.aheadBytes = Math.min(ahead, this.rules.aheadBytesMax)
    this.seenMs = nowMs
  }

  /** Since when nothing was seen to be taken, in ms. */
  idleMs(nowMs: number): number {
    return nowMs - this.seenMs
  }

  isGone(nowMs: number): boolean {
    const { blindStalledMs, slowBytesPerSecond, stalledMs } = this.rules
    if (!this.isExact) return this.idleMs(nowMs) >= blindStalledMs
    return this.idleMs(nowMs) >= stalledMs + (this.aheadBytes / slowBytesPerSecond) * 1_000
  }
}
