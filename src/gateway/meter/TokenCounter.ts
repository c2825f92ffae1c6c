/**
 * Counts tokens of long texts in a thread of its own, one text after the other, so that no call waits for the counting of
 * another's. The thread starts with the first count. What waits and how long it takes are bounded; a thread that dies or hangs
 * fails the count that it was at and is replaced by the next one.
 */
import { Context, Effect, Layer } from "effect"
import { makeWorkerThread, workerUrl } from "../../platform/WorkerThread.ts"
import { loadTokenizer } from "./TokenCount.ts"

/** Counts that wait for the thread, at most. */
export const COUNTS_WAITING_MAX = 256

/** Text that waits for the thread, at most, in UTF-16 units: each keeps its memory until it is counted. */
export const CHARS_WAITING_MAX = 16 * 1024 * 1024

/** Texts of one count together, in UTF-16 units. The bound of a sample, and of text that a hold is counted for. */
export const COUNT_CHARS_MAX = 256 * 1024

/** One count takes no longer once it has begun, in milliseconds; the first one loads the tokenizer. */
export const COUNT_MS_MAX = 5_000

/** One count takes no longer with its wait, in milliseconds. */
export const COUNT_AND_WAIT_MS_MAX = 10_000

/** The tokenizer is loaded when the server has come up, before a first count needs it. */
const TOKENIZER_DELAY_MS = 1_000

export class TokenCounter extends Context.Service<TokenCounter, {
  /**
   * Tokens of the texts together. Undefined when they are too long, too many counts wait, or the thread failed: a hold keeps its
   * ceiling then, and a settlement takes an estimate by bytes.
   */
  count(texts: ReadonlyArray<string>): Effect.Effect<number | undefined>
}>()("realms/gateway/meter/TokenCounter") {
  /** With a thread that runs the module `worker`. */
  static readonly layerFrom = (worker: URL) =>
    Layer.effect(TokenCounter)(Effect.gen(function*() {
      const thread = yield* makeWorkerThread<ReadonlyArray<string>, number>({
        url: worker,
        answerMsMax: COUNT_MS_MAX
      })
      let countsWaiting = 0
      let charsWaiting = 0

      const count = Effect.fnUntraced(function*(texts: ReadonlyArray<string>) {
        const chars = texts.reduce((sum, text) => sum + text.length, 0)
        if (chars === 0) return 0
        if (chars > COUNT_CHARS_MAX || countsWaiting >= COUNTS_WAITING_MAX) return undefined
        if (charsWaiting + chars > CHARS_WAITING_MAX) return undefined
        countsWaiting++
        charsWaiting += chars
        return yield* thread.ask(texts).pipe(
          Effect.timeoutOrElse({ duration: COUNT_AND_WAIT_MS_MAX, orElse: () => Effect.undefined }),
          Effect.ensuring(Effect.sync(() => {
            countsWaiting--
            charsWaiting -= chars
          }))
        )
      })

      return TokenCounter.of({ count })
    }))

  /** The thread ends with the layer, and keeps no process from ending. Soon loads the tokenizer for small counts as well. */
  static readonly layer = Layer.effectDiscard(
    Effect.forkScoped(Effect.delay(Effect.sync(loadTokenizer), TOKENIZER_DELAY_MS))
  ).pipe(Layer.provideMerge(TokenCounter.layerFrom(workerUrl(import.meta.url, "TokenWorker"))))
}
