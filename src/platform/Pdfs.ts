/**
 * Sheets as PDF, printed one after the other by a thread of their own that starts with the first one. The number of sheets waiting and
 * the time of each are bounded; a thread that dies or hangs fails its sheet and is replaced by the next.
 */
import { Context, Effect, Layer, Schema } from "effect"
import type { Sheet } from "./Sheet.ts"
import { makeWorkerThread, workerUrl } from "./WorkerThread.ts"

/** Sheets waiting to be printed, at most. */
export const SHEETS_WAITING_MAX = 16

/** One sheet takes no longer once it is its turn, in milliseconds: the first one reads the font. */
const SHEET_MS_MAX = 10_000

/** The same with its wait, in milliseconds: less than a page may take. */
const SHEET_AND_WAIT_MS_MAX = 11_000

/** The sheet was not printed: too many are waiting, or the thread failed. */
export class PdfFailed extends Schema.TaggedError<PdfFailed>()("PdfFailed", { why: Schema.String }) {}

export class Pdfs extends Context.Service<Pdfs, {
  /** The bytes of an A4 document. */
  print(sheet: Sheet): Effect.Effect<Uint8Array, PdfFailed>
}>()("realms/platform/Pdfs") {
  /** The thread ends with the layer, and keeps no process from ending. */
  static readonly layer = Layer.effect(Pdfs)(Effect.gen(function*() {
    const thread = yield* makeWorkerThread<Sheet, ArrayBuffer | null>({
      url: workerUrl(import.meta.url, "PdfWorker"),
      answerMsMax: SHEET_MS_MAX
    })
    let waiting = 0

    const print = Effect.fn("Pdfs.print")(function*(sheet: Sheet) {
      if (waiting >= SHEETS_WAITING_MAX) return yield* new PdfFailed({ why: "too many sheets are waiting" })
      waiting++
      const memory = yield* thread.ask(sheet).pipe(
        Effect.timeoutOrElse({ duration: SHEET_AND_WAIT_MS_MAX, orElse: () => Effect.undefined }),
        Effect.ensuring(Effect.sync(() => waiting--))
      )
      if (memory === undefined) return yield* new PdfFailed({ why: "the thread ended or took too long" })
      return memory === null ? yield* new PdfFailed({ why: "it could not be printed" }) : new Uint8Array(memory)
    })

    return Pdfs.of({ print })
  }))
}
