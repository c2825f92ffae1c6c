/**
 * Reads answers that came as one body. Short ones where they came in; long ones in a thread, one after the other, since reading
 * 60 MB takes up to half a second, in which no other call would move.
 */
import { Context, Effect, Layer } from "effect"
import { Buffer } from "node:buffer"
import { memoryOf } from "../../platform/ServeOrders.ts"
import { makeWorkerThread, workerUrl } from "../../platform/WorkerThread.ts"
import type { Dialect } from "../request/Call.ts"
import { type Answer, readAnswer } from "./Answer.ts"
import type { ReadMemory, ReadOrder } from "./AnswerWorker.ts"
import { sampledText } from "./TextSample.ts"

/** Answers up to this are read at once, in bytes: at most some 10 ms. */
export const READ_AT_ONCE_BYTES_MAX = 1_048_576

/** The thread takes no longer for one answer, in milliseconds; the first one loads its modules. */
export const READ_MS_MAX = 10_000

export interface ReadAnswer {
  /** The answer's bytes, in the place of those that were given. */
  readonly body: Buffer
  readonly answer: Answer
}

export class AnswerReader extends Context.Service<AnswerReader, {
  /** What stands in an answer. A long one belongs to the reader from then on. Undefined: the thread failed. */
  read(dialect: Dialect, body: Buffer): Effect.Effect<ReadAnswer | undefined>
}>()("realms/gateway/meter/AnswerReader") {
  /** With a thread that runs the module `worker`. */
  static readonly layerFrom = (worker: URL) =>
    Layer.effect(AnswerReader)(Effect.gen(function*() {
      const thread = yield* makeWorkerThread<ReadOrder, ReadMemory>({ url: worker, answerMsMax: READ_MS_MAX })

      const readLong = (dialect: Dialect, body: Buffer): Effect.Effect<ReadAnswer | undefined> =>
        Effect.suspend(() => {
          const memory = memoryOf(body)
          return thread.ask({ dialect, memory }, [memory])
        }).pipe(
          Effect.map((read) =>
            read && { body: Buffer.from(read.memory), answer: { ...read.answer, sample: sampledText(read.sample) } }
          )
        )

      return AnswerReader.of({
        read: (dialect, body) =>
          body.length <= READ_AT_ONCE_BYTES_MAX
            ? Effect.succeed({ body, answer: readAnswer(body, dialect) })
            : readLong(dialect, body)
      })
    }))

  static readonly layer = AnswerReader.layerFrom(workerUrl(import.meta.url, "AnswerWorker"))
}
