/**
 * Undoes a body's content encodings as its bytes come, with back-pressure, and bounds what every stage puts out. A few bytes that
 * expand to gigabytes are cut at the bound, also where another encoding would make them small again.
 *
 * @internal
 */
import type { Transform } from "node:stream"
import { constants, createBrotliDecompress, createGunzip, createZstdDecompress } from "node:zlib"
import { inflateOf } from "../../platform/Inflate.ts"

/** Encodings of one body, at most. */
const ENCODINGS_MAX = 3

/** What a stage puts out at once, at most, in bytes. */
const PIECE_BYTES_MAX = 65_536

/** Zstandard frames that need a larger window than 8 MiB are refused, as RFC 9659 has it for content encodings. */
const ZSTD_WINDOW_LOG_MAX = 23

const options = { chunkSize: PIECE_BYTES_MAX, rejectGarbageAfterEnd: true }

type Encoding = "gzip" | "deflate" | "br" | "zstd"

const encodings: Readonly<Record<string, Encoding>> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
  br: "br",
  zstd: "zstd"
}

const transformOf = (encoding: Encoding, firstByte: number): Transform => {
  switch (encoding) {
    case "gzip":
      // A file of several members is one body, so bytes behind the first member are looked at.
      return createGunzip({ chunkSize: PIECE_BYTES_MAX })
    case "deflate":
      return inflateOf(firstByte, options)
    case "br":
      return createBrotliDecompress(options)
    case "zstd":
      return createZstdDecompress({
        ...options,
        params: { [constants.ZSTD_d_windowLogMax]: ZSTD_WINDOW_LOG_MAX }
      })
  }
}

/** The encodings in the order in which they are undone; or the one that is not known. */
export const encodingsOf = (
  header: string | undefined
): { readonly encodings: ReadonlyArray<Encoding> } | { readonly unknown: string } => {
  if (header === undefined) return { encodings: [] }
  const known: Array<Encoding> = []
  for (const name of header.split(",")) {
    const token = name.trim().toLowerCase()
    if (token === "" || token === "identity") continue
    const encoding = Object.hasOwn(encodings, token) ? encodings[token] : undefined
    if (encoding === undefined) return { unknown: token }
    known.push(encoding)
  }
  return known.length > ENCODINGS_MAX ? { unknown: header.trim() } : { encodings: known.toReversed() }
}

/** What comes out. `onEnd` or `onFailure` is the last that is called, once. */
export interface DecodedSink {
  onBytes(piece: Buffer): void
  onEnd(): void
  onFailure(why: "unreadable" | "too_large"): void
  /** More may be written. */
  onDrain(): void
}

/** One encoding, undone. Its transform is made with its first byte, which says what kind it is. */
class Stage {
  private readonly encoding: Encoding
  private readonly bytesMax: number
  private readonly sink: DecodedSink
  private readonly next: Stage | undefined
  private transform: Transform | undefined
  private bytes = 0

  constructor(encoding: Encoding, bytesMax: number, sink: DecodedSink, next: Stage | undefined) {
    this.encoding = encoding
    this.bytesMax = bytesMax
    this.sink = sink
    this.next = next
  }

  /** Takes bytes; false: wait for `onDrain`. */
  write(piece: Buffer, onDrain: () => void): boolean {
    const transform = this.open(piece[0] ?? 0)
    if (transform.write(piece)) return true
    transform.once("drain", onDrain)
    return false
  }

  end(): void {
    this.open(0).end()
  }

  destroy(): void {
    this.transform?.destroy()
  }

  private open(firstByte: number): Transform {
    if (this.transform !== undefined) return this.transform
    const transform = transformOf(this.encoding, firstByte)
    this.transform = transform
    transform.on("error", () => this.sink.onFailure("unreadable"))
    transform.on("data", (piece: Buffer) => {
      this.bytes += piece.length
      if (this.bytes > this.bytesMax) this.sink.onFailure("too_large")
      else if (this.next === undefined) this.sink.onBytes(piece)
      else if (!this.next.write(piece, () => transform.resume())) transform.pause()
    })
    transform.on("end", () => this.next === undefined ? this.sink.onEnd() : this.next.end())
    return transform
  }
}

export class ContentDecoder {
  private readonly stages: ReadonlyArray<Stage>
  private readonly sink: DecodedSink

  /** `bytesMax` bounds what each stage puts out, in bytes. */
  constructor(encodings: ReadonlyArray<Encoding>, bytesMax: number, sink: DecodedSink) {
    this.sink = sink
    const stages: Array<Stage> = []
    // From the last one on, because each is given the next.
    for (const encoding of encodings.toReversed()) stages.unshift(new Stage(encoding, bytesMax, sink, stages[0]))
    this.stages = stages
  }

  /** Takes bytes as they were sent; false: wait for `onDrain`. */
  write(piece: Buffer): boolean {
    const [first] = this.stages
    if (first !== undefined) return first.write(piece, () => this.sink.onDrain())
    this.sink.onBytes(piece)
    return true
  }

  /** Nothing more is sent. */
  end(): void {
    const [first] = this.stages
    if (first === undefined) this.sink.onEnd()
    else first.end()
  }

  /** Frees what the stages hold; nothing is put out after it. */
  destroy(): void {
    for (const stage of this.stages) stage.destroy()
  }
}
