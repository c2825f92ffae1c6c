/**
 * The body of an upstream's answer as it arrives: attached once, paused and resumed, and ended from either side. `Exchange` is
 * one over the network, `DecodedSource` one that undoes a content encoding.
 */

/** Where the body goes. Exactly one of `onEnd` and `onError` is called, last. */
export interface BodySink {
  onChunk(chunk: Buffer): void
  onEnd(): void
  onError(error: Error): void
}

export interface AnswerSource {
  /** Sends the body, from its first byte, to `sink`. Once. */
  attach(sink: BodySink): void
  pause(): void
  resume(): void
  /** Drops what still comes, so that the connection can be used again. */
  discard(): void
  /** Closes the upstream connection. */
  abort(): void
}
