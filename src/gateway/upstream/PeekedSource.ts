/**
 * Looks at the first bytes of an answer to tell a stream of events from something else: upstreams name its type wrongly. The
 * source that comes out begins with the bytes that were looked at.
 *
 * @internal
 */
import { Effect } from "effect"
import type { AnswerSource } from "./AnswerSource.ts"
import { HeldBody, noSink } from "./HeldBody.ts"
import { UpstreamFailure } from "./UpstreamClient.ts"

export interface Peeked {
  readonly isEventStream: boolean
  readonly source: AnswerSource
}

/** What an event stream begins with: a field name or a comment, behind a byte order mark or line feeds. */
const eventStart = /^\uFEFF?[\r\n]*(?:data|event|id|retry)?:/

/** Enough of the beginning to tell, in bytes. */
const LOOK_BYTES = 64

/** Waits for the first bytes, unless the type says it. */
export const peek = (
  source: AnswerSource,
  contentType: string | undefined
): Effect.Effect<Peeked, UpstreamFailure> => {
  if (contentType?.includes("text/event-stream") === true) return Effect.succeed({ isEventStream: true, source })
  return Effect.callback((resume) => {
    const peeked = new PeekedSource(source)
    peeked.onFirst = (first) =>
      resume(Effect.succeed({
        isEventStream: first !== undefined && eventStart.test(first.toString("utf8", 0, LOOK_BYTES)),
        source: peeked
      }))
    peeked.onFailure = (error) => resume(Effect.fail(new UpstreamFailure({ kind: "broken", message: error.message })))
    peeked.look()
    return Effect.sync(() => source.abort())
  })
}

class PeekedSource extends HeldBody implements AnswerSource {
  onFirst: (first: Buffer | undefined) => void = () => undefined
  onFailure: (error: Error) => void = () => undefined
  private readonly source: AnswerSource

  constructor(source: AnswerSource) {
    super()
    this.source = source
  }

  /** Reads up to the first bytes and pauses there. */
  look(): void {
    this.source.attach({
      onChunk: (chunk) => {
        if (this.sink !== undefined) return this.sink.onChunk(chunk)
        this.early.push(chunk)
        this.source.pause()
        if (this.early.length === 1) this.onFirst(chunk)
      },
      onEnd: () => {
        this.ended = true
        if (this.sink !== undefined) this.sink.onEnd()
        else if (this.early.length === 0) this.onFirst(undefined)
      },
      onError: (error) => {
        this.failure = error
        if (this.sink !== undefined) this.sink.onError(error)
        else if (this.early.length === 0) this.onFailure(error)
      }
    })
  }

  pause(): void {
    this.source.pause()
  }

  resume(): void {
    this.source.resume()
  }

  discard(): void {
    this.sink = noSink
    this.source.discard()
  }

  abort(): void {
    this.source.abort()
  }

  protected flow(): void {
    this.source.resume()
  }
}
