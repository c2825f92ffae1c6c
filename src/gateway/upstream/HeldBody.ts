/**
 * A body that keeps what arrives before somebody takes it, and gives it to the sink that is attached then. Its source sees to it
 * that little arrives until then.
 *
 * @internal
 */
import type { BodySink } from "./AnswerSource.ts"

export const noSink: BodySink = { onChunk: () => undefined, onEnd: () => undefined, onError: () => undefined }

export abstract class HeldBody {
  protected sink: BodySink | undefined
  protected early: Array<Buffer> = []
  protected ended = false
  protected failure: Error | undefined

  attach(sink: BodySink): void {
    this.sink = sink
    const early = this.early
    this.early = []
    for (const chunk of early) sink.onChunk(chunk)
    if (this.ended) sink.onEnd()
    else if (this.failure !== undefined) sink.onError(this.failure)
    else this.flow()
  }

  /** Lets the rest come. */
  protected abstract flow(): void
}
