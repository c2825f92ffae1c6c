/**
 * Looks at the first bytes of an answer to tell a stream of events from something else: upstreams name its type wrongly. The
 * source that comes out begins with the bytes that were looked at.
 *
 * @internal
 */
import { Effect } from "effect"
import { Buffer } from "node:buffer"
import type { AnswerSource } from "./AnswerSource.ts"
import { HeldBody, noSink } from "./HeldBody.ts"
import { UpstreamFailure } from "./UpstreamClient.ts"

export interface Peeked {
  readonly isEventStream: boolean
  readonly source: AnswerSource
}

/** What an event stream begins with: a field name or a comment, behind a byte order mark or blank lines. */
const eventStart = /^\uFEFF?(?:[ \t]*[\r\n])*(?:data|event|id|retry)?:/

/** What may still become one, when more of it comes; a byte order mark that is not whole is a character that cannot be read. */
const eventStartToCome =
  /^(?:\uFFFD|\uFEFF?(?:[ \t]*[\r\n])*(?:[ \t]+|d|da|dat|data|e|ev|eve|even|event|i|id|r|re|ret|retr|retry)?)$/

/** Enough of the beginning to tell, in bytes. */
const LOOK_BYTES = 4_096

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
        isEventStream: eventStart.test(first.toString("utf8", 0, LOOK_BYTES)),
        source: peeked
      }))
    peeked.onFailure = (error) => resume(Effect.fail(new UpstreamFailure({ kind: "broken", message: error.message })))
    peeked.look()
    return Effect.sync(() => source.abort())
  })
}

class PeekedSource extends HeldBody implements AnswerSource {
  onFirst: (first: Buffer) => void = () => undefined
  onFailure: (error: Error) => void = () => undefined
  private readonly source: AnswerSource
  private looked = false

  constructor(source: AnswerSource) {
    super()
    this.source = source
  }

  /** Reads as many bytes as it takes to tell, and pauses there. */
  look(): void {
    this.source.attach({
      onChunk: (chunk) => {
        if (this.sink !== undefined) return this.sink.onChunk(chunk)
        this.early.push(chunk)
        if (this.looked) return this.source.pause()
        const first = this.first()
        if (first.length < LOOK_BYTES && eventStartToCome.test(first.toString("utf8"))) return
        this.source.pause()
        this.tell(first)
      },
      onEnd: () => {
        this.ended = true
        if (this.sink !== undefined) this.sink.onEnd()
        else this.tell(this.first())
      },
      onError: (error) => {
        this.failure = error
        if (this.sink !== undefined) this.sink.onError(error)
        else if (!this.looked) this.onFailure(error)
      }
    })
  }

  private first(): Buffer {
    return Buffer.concat(this.early)
  }

  private tell(first: Buffer): void {
    if (this.looked) return
    this.looked = true
    this.onFirst(first)
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
