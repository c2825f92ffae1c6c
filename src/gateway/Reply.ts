/**
 * The answer to a client as it is written. Nothing goes out in the first 15 seconds of a stream but output, so that a failure
 * keeps its status; after that a comment every 15 seconds keeps the connection alive, and a failure is a frame.
 *
 * @internal
 */
import type { CallClient } from "./CallClient.ts"
import { errorFrames } from "./ErrorFrames.ts"
import type { OpenAiError } from "./OpenAiError.ts"
import type { Dialect } from "./request/Call.ts"

/** How long a stream's client hears nothing before output, in milliseconds. */
export const KEEP_ALIVE_MS = 15_000

const COMMENT = ": keep-alive\n\n"

export interface ReplyOptions {
  readonly client: CallClient
  readonly requestId: string
  readonly dialect: Dialect
  readonly stream: boolean
  readonly model: string
  readonly startedMs: number
  readonly keepAliveMs: number
  /** Calls back every so often until cancelled. */
  readonly every: (intervalMs: number, callback: () => void) => () => void
}

/** What an error frame continues. */
export interface StreamPlace {
  /** The id of the response that was relayed; undefined: none was. */
  readonly responseId: string | undefined
  readonly sequenceNumber: number
}

const nowhere: StreamPlace = { responseId: undefined, sequenceNumber: 0 }

/** Frames as one piece: of one chunk, and one behind the other, they need not be copied. */
const joined = (first: Uint8Array, frames: ReadonlyArray<Uint8Array>): Uint8Array => {
  if (frames.length === 1) return first
  let end = first.byteOffset
  for (const frame of frames) {
    if (frame.buffer !== first.buffer || frame.byteOffset !== end) return Buffer.concat(frames)
    end += frame.byteLength
  }
  return new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset)
}

export class Reply {
  private readonly options: ReplyOptions
  /** What was set besides the headers of every answer. */
  private headers: Record<string, string> | undefined
  private begun = false
  private stopKeepAlive: (() => void) | undefined

  constructor(options: ReplyOptions) {
    this.options = options
    if (options.stream) this.stopKeepAlive = options.every(options.keepAliveMs, () => this.keepAlive())
  }

  /** True once status and headers went out. */
  get hasBegun(): boolean {
    return this.begun
  }

  get isGone(): boolean {
    return this.options.client.isGone
  }

  get client(): CallClient {
    return this.options.client
  }

  /** Sets a header of the answer, as long as it has not begun. */
  setHeader(name: string, value: string): void {
    this.headers ??= {}
    this.headers[name] = value
  }

  private keepAlive(): void {
    if (this.isGone) return this.quiet()
    this.begin()
    this.options.client.write(COMMENT)
  }

  /** No more comments. */
  quiet(): void {
    this.stopKeepAlive?.()
    this.stopKeepAlive = undefined
  }

  /** Sends 200 and the headers of a stream, once. */
  begin(): void {
    if (this.begun) return
    this.begun = true
    this.options.client.start(200, {
      "x-request-id": this.options.requestId,
      ...this.headers,
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      "x-accel-buffering": "no"
    })
  }

  /** Writes output; false: wait for the client's `onDrain`. */
  write(frames: ReadonlyArray<Uint8Array>): boolean {
    const [first] = frames
    if (first === undefined) return true
    this.quiet()
    this.begin()
    return this.options.client.write(joined(first, frames))
  }

  /** Ends a stream with its last frames. */
  end(frames: ReadonlyArray<Uint8Array>): void {
    this.quiet()
    if (this.isGone) return
    this.begin()
    this.options.client.end(frames.length === 0 ? undefined : Buffer.concat(frames))
  }

  /** Answers a call that is not streamed. */
  json(body: Uint8Array, costMicros: bigint): void {
    if (this.isGone || this.begun) return
    this.begun = true
    const headers = {
      "x-request-id": this.options.requestId,
      "x-realms-cost-micros": String(costMicros),
      "content-type": "application/json",
      "content-length": String(body.length)
    }
    this.options.client.start(200, this.headers === undefined ? headers : { ...this.headers, ...headers })
    this.options.client.end(body)
  }

  /** Ends a stream that has begun with an error on which SDKs raise. */
  fail(error: OpenAiError, place: StreamPlace = nowhere): void {
    this.quiet()
    if (this.isGone) return
    this.options.client.end(
      errorFrames(this.options.dialect, error, {
        ...place,
        model: this.options.model,
        requestId: this.options.requestId,
        createdAt: Math.floor(this.options.startedMs / 1_000)
      })
    )
  }

  /** Breaks the connection off. */
  destroy(): void {
    this.quiet()
    this.options.client.destroy()
  }
}
