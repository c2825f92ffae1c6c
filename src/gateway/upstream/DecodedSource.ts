/**
 * An answer whose `content-encoding` is undone as it arrives: gzip, deflate, br and zstd. Upstreams are asked for none; some
 * compress all the same. Back-pressure goes through: while the reader pauses, the decoder is not read and the network stops.
 *
 * @internal
 */
import type { Transform } from "node:stream"
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from "node:zlib"
import type { AnswerSource, BodySink } from "./AnswerSource.ts"

/** Encodings in one `content-encoding`, at most. */
const ENCODINGS_MAX = 3

const decoderOf = (encoding: string): Transform | undefined => {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip()
    case "deflate":
      return createInflate()
    case "br":
      return createBrotliDecompress()
    case "zstd":
      return createZstdDecompress()
    default:
      return undefined
  }
}

/** The encodings of a header in the order in which they are undone; undefined when one is not known. */
const decodersOf = (header: string): ReadonlyArray<Transform> | undefined => {
  const names = header.split(",").map((name) => name.trim().toLowerCase()).filter((name) =>
    name !== "" && name !== "identity"
  )
  if (names.length > ENCODINGS_MAX) return undefined
  const decoders = names.toReversed().flatMap((name) => decoderOf(name) ?? [])
  return decoders.length === names.length ? decoders : undefined
}

/** The source without its content encoding; undefined when the encoding is not known. */
export const decoded = (source: AnswerSource, contentEncoding: string | undefined): AnswerSource | undefined => {
  if (contentEncoding === undefined) return source
  const decoders = decodersOf(contentEncoding)
  if (decoders === undefined) return undefined
  return decoders.reduce<AnswerSource>((inner, decoder) => new DecodedSource(inner, decoder), source)
}

class DecodedSource implements AnswerSource {
  private readonly source: AnswerSource
  private readonly decoder: Transform
  private done = false

  constructor(source: AnswerSource, decoder: Transform) {
    this.source = source
    this.decoder = decoder
  }

  attach(sink: BodySink): void {
    const fail = (error: Error) => {
      if (this.done) return
      this.done = true
      this.source.abort()
      sink.onError(error)
    }
    this.decoder.on("data", (chunk: Buffer) => {
      if (!this.done) sink.onChunk(chunk)
    })
    this.decoder.on("end", () => {
      if (this.done) return
      this.done = true
      sink.onEnd()
    })
    this.decoder.on("error", fail)
    this.decoder.on("drain", () => this.source.resume())
    this.source.attach({
      onChunk: (chunk) => {
        if (!this.decoder.write(chunk)) this.source.pause()
      },
      onEnd: () => void this.decoder.end(),
      onError: fail
    })
  }

  pause(): void {
    this.decoder.pause()
  }

  resume(): void {
    this.decoder.resume()
  }

  discard(): void {
    this.done = true
    this.decoder.destroy()
    this.source.abort()
  }

  abort(): void {
    this.done = true
    this.decoder.destroy()
    this.source.abort()
  }
}
