/**
 * An answer whose `content-encoding` is undone as it arrives: gzip, deflate, br and zstd. Upstreams are asked for none; some
 * compress all the same. Back-pressure goes through: while the reader pauses, the decoder is not read and the network stops.
 *
 * @internal
 */
import { PassThrough, type Transform } from "node:stream"
import { createBrotliDecompress, createGunzip, createZstdDecompress } from "node:zlib"
import { inflateOf } from "../../platform/Inflate.ts"
import type { AnswerSource, BodySink } from "./AnswerSource.ts"

/** Encodings in one `content-encoding`, at most. */
const ENCODINGS_MAX = 3

/** Makes what undoes an encoding of bytes that begin with this one. */
type MakeDecoder = (firstByte: number) => Transform

/** First bytes of what `gzip` and `zstd` make; a skippable frame of zstd begins with one of sixteen. */
const GZIP_FIRST = 0x1f
const ZSTD_FIRST = 0x28
const isZstdSkippable = (byte: number): boolean => byte >> 4 === 0x5

/** What senders write for no encoding: names of character sets, and encodings of the transfer. */
const noEncoding: ReadonlySet<string> = new Set([
  "",
  "identity",
  "none",
  "plain",
  "text",
  "binary",
  "7bit",
  "8bit",
  "ascii",
  "us-ascii",
  "iso-8859-1",
  "utf8",
  "utf-8",
  "chunked",
  "aws-chunked"
])

/** A proxy that decodes may leave the header: then there is nothing to undo. */
const decoderOf = (encoding: string): MakeDecoder | undefined => {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return (firstByte) => firstByte === GZIP_FIRST ? createGunzip() : new PassThrough()
    case "deflate":
      return (firstByte) => inflateOf(firstByte)
    case "br":
      return () => createBrotliDecompress()
    case "zstd":
      return (firstByte) =>
        firstByte === ZSTD_FIRST || isZstdSkippable(firstByte) ? createZstdDecompress() : new PassThrough()
    default:
      return undefined
  }
}

/** The encodings of a header in the order in which they are undone; undefined when one is not known. */
const decodersOf = (header: string): ReadonlyArray<MakeDecoder> | undefined => {
  const names = header.split(",").map((name) => name.trim().toLowerCase()).filter((name) => !noEncoding.has(name))
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

/** The decoder is made with the first byte, which says what kind it is. */
class DecodedSource implements AnswerSource {
  private readonly source: AnswerSource
  private readonly make: MakeDecoder
  private decoder: Transform | undefined
  private done = false

  constructor(source: AnswerSource, make: MakeDecoder) {
    this.source = source
    this.make = make
  }

  attach(sink: BodySink): void {
    const fail = (error: Error) => {
      if (this.done) return
      this.done = true
      this.source.abort()
      sink.onError(error)
    }
    const end = () => {
      if (this.done) return
      this.done = true
      sink.onEnd()
    }
    const open = (firstByte: number): Transform => {
      const decoder = this.make(firstByte)
      decoder.on("data", (chunk: Buffer) => {
        if (!this.done) sink.onChunk(chunk)
      })
      decoder.on("end", end)
      decoder.on("error", fail)
      decoder.on("drain", () => this.source.resume())
      return decoder
    }
    this.source.attach({
      onChunk: (chunk) => {
        const [firstByte] = chunk
        if (this.done || firstByte === undefined) return
        this.decoder ??= open(firstByte)
        if (!this.decoder.write(chunk)) this.source.pause()
      },
      onEnd: () => this.decoder === undefined ? end() : void this.decoder.end(),
      onError: fail
    })
  }

  pause(): void {
    if (this.decoder === undefined) this.source.pause()
    else this.decoder.pause()
  }

  resume(): void {
    if (this.decoder === undefined) this.source.resume()
    else this.decoder.resume()
  }

  discard(): void {
    this.done = true
    this.decoder?.destroy()
    this.source.abort()
  }

  abort(): void {
    this.done = true
    this.decoder?.destroy()
    this.source.abort()
  }
}
