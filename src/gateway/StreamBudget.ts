/**
 * How much of a stream its durable hold covers: a running estimate of the output from above, corrected by counting
 * tokens when it comes near the hold, so that neither a client is cut early nor anything goes out unheld.
 *
 * @internal
 */

export interface BudgetOptions {
  /** Output tokens that are held, over all choices. */
  readonly heldTokens: number
  /** False: the upstream was told the limit, and is only stopped when it plainly ignores it. */
  readonly extendable: boolean
  /** Counts the tokens seen so far; not cheap. */
  readonly count: () => number
}

/** Tokens added from above since the last count before it is counted again, at least. */
const RECOUNT_TOKENS_MIN = 128

/** A hold is extended when this much of it is used. */
const EXTEND_AT = 0.75

/** An upstream that was told a limit may pass it by this much, for differences of counting. */
const IGNORED_LIMIT_FACTOR = 1.5
const IGNORED_LIMIT_TOKENS = 64

export class StreamBudget {
  private held: number
  private readonly extendable: boolean
  private readonly count: () => number
  private counted = 0
  private seenAtCount = 0
  private seen = 0

  constructor(options: BudgetOptions) {
    this.held = options.heldTokens
    this.extendable = options.extendable
    this.count = options.count
  }

  get heldTokens(): number {
    return this.held
  }

  /** The stream's running estimate, an upper bound of the tokens seen so far, is now `seen`. */
  observe(seen: number): void {
    this.seen = seen
  }

  /** The best estimate of the tokens seen. */
  get tokens(): number {
    return this.counted + this.seen - this.seenAtCount
  }

  private refined(limit: number): number {
    if (this.tokens >= limit && this.seen - this.seenAtCount >= Math.min(RECOUNT_TOKENS_MIN, limit / 8)) {
      this.counted = this.count()
      this.seenAtCount = this.seen
    }
    return this.tokens
  }

  /** True when more should be held. */
  get wantsMore(): boolean {
    const at = this.extendable ? this.held * EXTEND_AT : this.held * IGNORED_LIMIT_FACTOR + IGNORED_LIMIT_TOKENS
    return this.refined(at) >= at
  }

  /** True when what was seen is more than what is held. */
  get isExceeded(): boolean {
    const at = this.extendable ? this.held : this.held * IGNORED_LIMIT_FACTOR + IGNORED_LIMIT_TOKENS
    return this.refined(at) > at
  }

  extended(heldTokens: number): void {
    if (heldTokens > this.held) this.held = heldTokens
  }
}
