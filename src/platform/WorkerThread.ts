/**
 * A thread of its own for computing that calls under way must not wait for. It is asked one question after the other and starts
 * with the first. When it dies or does not answer in time, that question fails and the next one starts another thread. An interrupted
 * caller leaves the queue. But the question that the thread works on keeps its turn to the end, so that none waits inside the thread.
 */
import { Deferred, Effect, Fiber, Semaphore } from "effect"
import { Worker } from "node:worker_threads"
import type { Answered, Asked } from "./ServeOrders.ts"

export interface WorkerThread<Order, Answer> {
  /** Undefined: the thread died or took too long. What is transferred is the thread's from then on, whatever comes of it. */
  ask(order: Order, transferred?: ReadonlyArray<ArrayBuffer>): Effect.Effect<Answer | undefined>
}

export interface WorkerThreadOptions {
  /** The thread's module; it calls `serveOrders`. */
  readonly url: URL
  /** One answer takes no longer once it has been asked for, in milliseconds. */
  readonly answerMsMax: number
}

/** The module beside `base` that a thread runs: TypeScript when run from the source, JavaScript when built. */
export const workerUrl = (base: string, name: string): URL =>
  new URL(`./${name}.${base.endsWith(".ts") ? "ts" : "js"}`, base)

/** The thread ends with the scope, and keeps no process from ending. */
export const makeWorkerThread = <Order, Answer>(options: WorkerThreadOptions) =>
  Effect.gen(function*() {
    const turn = yield* Semaphore.make(1)
    let thread: RunningThread<Order, Answer> | undefined
    let closed = false
    yield* Effect.addFinalizer(() =>
      Effect.sync(() => {
        closed = true
        thread?.end()
      })
    )

    const ask = Effect.fnUntraced(function*(order: Order, transferred: ReadonlyArray<ArrayBuffer>) {
      if (closed) return undefined
      if (thread === undefined || thread.ended) thread = new RunningThread(options.url)
      const mine = thread
      const answer = yield* Deferred.make<Answer | undefined>()
      mine.ask(order, transferred, answer)
      return yield* Deferred.await(answer).pipe(
        Effect.timeoutOrElse({
          duration: options.answerMsMax,
          orElse: () => Effect.sync((): Answer | undefined => void mine.end())
        })
      )
    })

    const worker: WorkerThread<Order, Answer> = {
      ask: (order, transferred = []) =>
        Effect.uninterruptibleMask((restore) =>
          Effect.gen(function*() {
            yield* restore(turn.take(1))
            const asked = ask(order, transferred).pipe(restore, Effect.ensuring(turn.release(1)))
            // Detached: when the scope ends, the caller gets no answer and is not interrupted.
            return yield* restore(Fiber.join(yield* Effect.forkDetach(asked)))
          })
        )
    }
    return worker
  })

/** A thread, and what it has not answered. */
class RunningThread<Order, Answer> {
  private readonly waiting = new Map<number, Deferred.Deferred<Answer | undefined>>()
  private readonly worker: Worker
  private lastId = 0
  /** It takes no more orders. */
  ended = false

  constructor(url: URL) {
    this.worker = new Worker(url)
    this.worker.unref()
    this.worker.on("message", ({ answer, id }: Answered<Answer>) => this.settle(id, answer))
    this.worker.on("error", () => this.end())
    this.worker.on("exit", () => this.end())
  }

  ask(
    order: Order,
    transferred: ReadonlyArray<ArrayBuffer>,
    answer: Deferred.Deferred<Answer | undefined>
  ): number {
    const id = ++this.lastId
    this.waiting.set(id, answer)
    this.worker.postMessage({ id, order } satisfies Asked<Order>, [...transferred])
    return id
  }

  end(): void {
    if (this.ended) return
    this.ended = true
    for (const answer of this.waiting.values()) Deferred.doneUnsafe(answer, Effect.undefined)
    this.waiting.clear()
    void this.worker.terminate()
  }

  private settle(id: number, answer: Answer): void {
    const waiting = this.waiting.get(id)
    this.waiting.delete(id)
    if (waiting !== undefined) Deferred.doneUnsafe(waiting, Effect.succeed(answer))
  }
}
