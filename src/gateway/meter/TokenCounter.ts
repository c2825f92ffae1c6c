/**
 * Counts tokens of long texts in a thread of its own, one text after the other, so that no call waits for the counting of
 * another's. The thread starts with the first count. What waits and how long it takes are bounded; a thread that dies or hangs
 * fails the count that it was at and is replaced by the next one.
 */
import { Context, Deferred, Effect, Layer, Semaphore } from "effect"
import { Worker } from "node:worker_threads"
import { loadTokenizer } from "./TokenCount.ts"
import type { CountAnswer, CountOrder } from "./TokenWorker.ts"

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
  /** The thread ends with the layer, and keeps no process from ending. Soon loads the tokenizer for small counts as well. */
  static readonly layer = Layer.effect(
    TokenCounter,
    Effect.suspend(() => make(workerUrl)).pipe(
      Effect.tap(Effect.forkScoped(Effect.delay(Effect.sync(loadTokenizer), TOKENIZER_DELAY_MS)))
    )
  )

  /** The same with a thread that runs another module. */
  static readonly layerFrom = (worker: URL) => Layer.effect(TokenCounter, Effect.suspend(() => make(worker)))
}

/** The same folder holds TypeScript when run from the source, JavaScript when built. */
const workerUrl = new URL(`./TokenWorker.${import.meta.url.endsWith(".ts") ? "ts" : "js"}`, import.meta.url)

type Answer = Deferred.Deferred<number | undefined>

/** The thread, and the counts that it has not answered. */
class CountingThread {
  private readonly waiting = new Map<number, Answer>()
  private readonly worker: Worker
  /** It takes no more counts. */
  ended = false

  constructor(url: URL) {
    this.worker = new Worker(url)
    this.worker.unref()
    this.worker.on("message", ({ id, tokens }: CountAnswer) => this.settle(id, tokens))
    this.worker.on("error", () => this.end())
    this.worker.on("exit", () => this.end())
  }

  ask(order: CountOrder, answer: Answer): void {
    this.waiting.set(order.id, answer)
    this.worker.postMessage(order)
  }

  forget(id: number): void {
    this.waiting.delete(id)
  }

  end(): void {
    if (this.ended) return
    this.ended = true
    for (const answer of this.waiting.values()) Deferred.doneUnsafe(answer, Effect.undefined)
    this.waiting.clear()
    void this.worker.terminate()
  }

  private settle(id: number, tokens: number): void {
    const answer = this.waiting.get(id)
    this.waiting.delete(id)
    if (answer !== undefined) Deferred.doneUnsafe(answer, Effect.succeed(tokens))
  }
}

const make = Effect.fnUntraced(function*(url: URL) {
  const turn = yield* Semaphore.make(1)
  let thread: CountingThread | undefined
  let lastId = 0
  let countsWaiting = 0
  let charsWaiting = 0
  yield* Effect.addFinalizer(() => Effect.sync(() => thread?.end()))

  const ask = Effect.fnUntraced(function*(texts: ReadonlyArray<string>) {
    if (thread === undefined || thread.ended) thread = new CountingThread(url)
    const mine = thread
    const answer = yield* Deferred.make<number | undefined>()
    const id = ++lastId
    mine.ask({ id, texts }, answer)
    return yield* Deferred.await(answer).pipe(
      Effect.timeoutOrElse({
        duration: COUNT_MS_MAX,
        orElse: () => Effect.sync((): number | undefined => void mine.end())
      }),
      Effect.onInterrupt(() => Effect.sync(() => mine.forget(id)))
    )
  })

  const count = Effect.fnUntraced(function*(texts: ReadonlyArray<string>) {
    const chars = texts.reduce((sum, text) => sum + text.length, 0)
    if (chars === 0) return 0
    if (chars > COUNT_CHARS_MAX || countsWaiting >= COUNTS_WAITING_MAX) return undefined
    if (charsWaiting + chars > CHARS_WAITING_MAX) return undefined
    countsWaiting++
    charsWaiting += chars
    return yield* turn.withPermits(1)(ask(texts)).pipe(
      Effect.timeoutOrElse({ duration: COUNT_AND_WAIT_MS_MAX, orElse: () => Effect.undefined }),
      Effect.ensuring(Effect.sync(() => {
        countsWaiting--
        charsWaiting -= chars
      }))
    )
  })

  return TokenCounter.of({ count })
})
