/**
 * How much of a stream its durable hold covers: a running estimate of the output from above, corrected by counting tokens when it
 * comes near a limit, so that neither a client waits early nor anything goes out unheld. Counting is bounded; where it lags
 * behind, the hold is judged by the estimate from above, and a stream is ended only by what was counted.
 */
import { BYTES_PER_TOKEN_UPPER } from "./OutputText.ts"
import type { TextSample } from "./TextSample.ts"

export interface BudgetOptions {
  /** The text of the stream's output, as the meter keeps it. */
  readonly sample: TextSample
  /** Output tokens that are held, over all answers. */
  readonly heldTokens: number
  /** The hold can be extended up to so many tokens; `heldTokens` when it cannot. */
  readonly heldTokensMax: number
  /** The limit that was sent upstream, over all answers; undefined: none was sent, and `heldTokensMax` is the limit. */
  readonly limitTokens: number | undefined
}

/** Bytes of text that are counted at a time, at most: some 20 ms of the event loop at worst. */
export const COUNTED_BYTES_MAX = 16 * 1024

/** Tokens added from above since the last count before it is counted again, at least. */
const RECOUNT_TOKENS_MIN = 128

/** A small limit is counted for more often: after this part of it. */
const RECOUNT_PART = 1 / 8

/** A hold is extended when this much of it is used. */
export const EXTEND_AT = 0.75

/** An upstream may pass its limit by this much, since its tokenizer counts differently. */
export const IGNORED_LIMIT_FACTOR = 1.5
export const IGNORED_LIMIT_TOKENS = 64

export class StreamBudget {
  private held: number
  private readonly sample: TextSample
  private readonly heldMax: number
  private readonly ignoredLimit: number
  /** False: the last count did not come to the end. */
  private countedAll = true

  constructor(options: BudgetOptions) {
    this.sample = options.sample
    this.held = options.heldTokens
    this.heldMax = Math.max(options.heldTokensMax, options.heldTokens)
    this.ignoredLimit = (options.limitTokens ?? this.heldMax) * IGNORED_LIMIT_FACTOR + IGNORED_LIMIT_TOKENS
  }

  get heldTokens(): number {
    return this.held
  }

  /** The best estimate of the output tokens so far: what is counted, and the rest from above. */
  get tokens(): number {
    return this.sample.tokensAtMost
  }

  /** More should be held: three quarters are used, and the hold can be extended. */
  get wantsMore(): boolean {
    return this.held < this.heldMax && this.refined(this.held * EXTEND_AT) >= this.held * EXTEND_AT
  }

  /** The output so far may be more than what is held, and the hold can be extended. */
  get isExceeded(): boolean {
    return this.held < this.heldMax && this.refined(this.held) > this.held
  }

  /** The upstream ignores the limit that was sent. Judged only by what was counted. */
  get ignoresLimit(): boolean {
    return this.refined(this.ignoredLimit) > this.ignoredLimit && this.sample.tokensCounted > this.ignoredLimit
  }

  /** The hold is now `heldTokens`. It never gets smaller. */
  extended(heldTokens: number): void {
    if (heldTokens > this.held) this.held = heldTokens
  }

  /**
   * The estimate. The text is counted again when it could have reached `limit` - it has no more tokens than bytes - and enough was
   * added since the last count.
   */
  private refined(limit: number): number {
    const { sample } = this
    if (sample.tokensCounted + sample.upperUncounted * BYTES_PER_TOKEN_UPPER >= limit) {
      const worthwhile = Math.min(RECOUNT_TOKENS_MIN, limit * RECOUNT_PART)
      if (!this.countedAll || sample.upperUncounted >= worthwhile) {
        this.countedAll = sample.countSome(COUNTED_BYTES_MAX)
      }
    }
    return sample.tokensAtMost
  }
}
