/**
 * Reads a request's body with bounds on its bytes, its time and the memory of all bodies together, and undoes its content encoding
 * within the same bounds. A client that sends too much, too slowly or something unreadable is refused.
 *
 * @internal
 */
import { Effect } from "effect"
import type { IncomingMessage } from "node:http"
import type { UserId } from "../../domain/Ids.ts"
import { CallRefused } from "../../gateway/CallError.ts"
import type { ByteBudget, ByteRefusal, ByteShare } from "../../platform/ByteBudget.ts"
import { type Deadline, deadlineIn } from "../../platform/Deadline.ts"
import { joinBytes, joinedAtOnce } from "../../platform/JoinBytes.ts"
import { BodyBytes } from "./BodyBytes.ts"
import { ContentDecoder, type DecodedSink, encodingsOf } from "./ContentDecoder.ts"

export interface BodyOptions {
  readonly userId: UserId
  /** Bytes as they are received, and as they are decoded, at most. */
  readonly bytesMax: number
  readonly budget: ByteBudget
  /** From then on the body must have arrived at the least rate, in ms since its reading began. */
  readonly slowAfterMs: number
  /** The least rate on average, in bytes a second. */
  readonly bytesPerSecondMin: number
  /** Called when nothing that is known of the body refuses it: it is read from then on. */
  readonly onReading?: () => void
  /** A clock in ms that only goes forward; else that of the process. */
  readonly nowMs?: () => number
}

export interface ReadBody {
  readonly body: Buffer
  /** Gives back what the body takes of the budget; to be called when the call ends. Repeating it changes nothing. */
  readonly release: () => void
}

/** How often a slow body's rate is looked at, in ms. */
const RATE_CHECK_MS = 500

/** Characters of an unknown encoding that its refusal repeats, at most. */
const ENCODING_CHARACTERS_MAX = 64

const tooLarge = (bytesMax: number) =>
  new CallRefused({ code: "request_too_large", message: `The request body is larger than ${bytesMax} bytes.` })

const unfinished = new CallRefused({
  code: "invalid_request_error",
  message: "The request body was not received completely."
})

const tooSlow = new CallRefused({ code: "request_timeout", message: "The request body came too slowly." })

const unreadable = new CallRefused({
  code: "invalid_request_error",
  message: "The request body does not decode as its content-encoding says."
})

const unknownEncoding = (name: string) =>
  new CallRefused({
    code: "unsupported_media_type",
    message: `Unsupported content-encoding '${name.slice(0, ENCODING_CHARACTERS_MAX)}'. ` +
      "Use gzip, deflate, br, zstd or none."
  })

const noRoom: Readonly<Record<ByteRefusal, CallRefused>> = {
  user: new CallRefused({
    code: "rate_limit_exceeded",
    message: "Your requests take too much memory at once. Please send fewer large bodies at a time.",
    retryAfterSeconds: 1
  }),
  process: new CallRefused({
    code: "service_unavailable",
    message: "The gateway is receiving too many large bodies at this moment. Please try again shortly.",
    retryAfterSeconds: 1
  })
}

/**
 * The whole body, decoded. Fails with `request_too_large`, `rate_limit_exceeded` (the user's share), `service_unavailable` (the
 * process's bound), `request_timeout`, `unsupported_media_type`, or `invalid_request_error` for a body that is cut or does not
 * decode. A failure and an interruption hold nothing; what is left unread is for `discardBody`.
 */
export const readRequestBody = (
  request: IncomingMessage,
  options: BodyOptions
): Effect.Effect<ReadBody, CallRefused> =>
  Effect.callback((resume) => {
    const bytesMax = Math.min(options.bytesMax, options.budget.limits.userBytesMax)
    if (Number(request.headers["content-length"] ?? "0") > bytesMax) return resume(Effect.fail(tooLarge(bytesMax)))
    const asked = encodingsOf(request.headers["content-encoding"])
    if ("unknown" in asked) return resume(Effect.fail(unknownEncoding(asked.unknown)))
    if (request.destroyed) return resume(Effect.fail(unfinished))
    options.onReading?.()
    const reader = new BodyReader(request, { ...options, bytesMax }, resume)
    reader.start(asked.encodings.length === 0 ? undefined : new ContentDecoder(asked.encodings, bytesMax, reader))
    return Effect.sync(() => reader.cancel())
  })

const processMs = (): number => performance.now()

class BodyReader implements DecodedSink {
  private readonly request: IncomingMessage
  private readonly options: BodyOptions
  private readonly resume: (result: Effect.Effect<ReadBody, CallRefused>) => void
  private readonly share: ByteShare
  private readonly bytes = new BodyBytes()
  private readonly nowMs: () => number
  private readonly startedMs: number
  /** Undefined for a body that is sent as it is. */
  private decoder: ContentDecoder | undefined
  private receivedBytes = 0
  private isDone = false
  /** Time in which this process did not read is not the client's. */
  private pausedMs = 0
  private pausedSinceMs: number | undefined
  private deadline: Deadline | undefined

  constructor(
    request: IncomingMessage,
    options: BodyOptions,
    resume: (result: Effect.Effect<ReadBody, CallRefused>) => void
  ) {
    this.request = request
    this.options = options
    this.resume = resume
    this.share = options.budget.open(options.userId)
    this.nowMs = options.nowMs ?? processMs
    this.startedMs = this.nowMs()
  }

  start(decoder: ContentDecoder | undefined): void {
    this.decoder = decoder
    this.deadline = deadlineIn(this.options.slowAfterMs, this.checkRate)
    this.request.on("data", this.onReceived)
    this.request.on("end", this.onReceivedEnd)
    this.request.on("close", this.onClosed)
    // A connection that breaks is seen by its close.
    this.request.on("error", ignore)
  }

  private readonly onReceived = (piece: Buffer): void => {
    this.receivedBytes += piece.length
    if (this.receivedBytes > this.options.bytesMax) return this.fail(tooLarge(this.options.bytesMax))
    if (this.decoder === undefined) return this.onBytes(piece)
    if (this.decoder.write(piece) || this.isDone) return
    this.pausedSinceMs = this.nowMs()
    this.request.pause()
  }

  private readonly onReceivedEnd = (): void => {
    // What is left to do is this process's.
    this.deadline?.cancel()
    if (this.decoder === undefined) this.onEnd()
    else this.decoder.end()
  }

  private readonly onClosed = (): void => {
    if (!this.request.complete) this.fail(unfinished)
  }

  onDrain(): void {
    if (this.isDone) return
    if (this.pausedSinceMs !== undefined) this.pausedMs += this.nowMs() - this.pausedSinceMs
    this.pausedSinceMs = undefined
    this.request.resume()
  }

  onBytes(piece: Buffer): void {
    if (this.isDone) return
    if (this.bytes.length + piece.length > this.options.bytesMax) return this.fail(tooLarge(this.options.bytesMax))
    const refusal = this.share.add(piece.length)
    if (refusal !== undefined) return this.fail(noRoom[refusal])
    this.bytes.add(piece)
  }

  onFailure(why: "unreadable" | "too_large"): void {
    this.fail(why === "unreadable" ? unreadable : tooLarge(this.options.bytesMax))
  }

  onEnd(): void {
    if (this.isDone) return
    this.close()
    const { length } = this.bytes
    const { release } = this.share
    const pieces = this.bytes.take()
    const joined = joinedAtOnce(pieces, length)
    if (joined !== undefined) return this.resume(Effect.succeed({ body: joined, release }))
    this.resume(
      joinBytes(pieces, length).pipe(
        Effect.map((body) => ({ body, release })),
        Effect.onInterrupt(() => Effect.sync(release))
      )
    )
  }

  private readonly checkRate = (): void => {
    const now = this.nowMs()
    const waitedMs = now - this.startedMs - this.pausedMs - (now - (this.pausedSinceMs ?? now))
    if (this.receivedBytes < (this.options.bytesPerSecondMin * waitedMs) / 1_000) return this.fail(tooSlow)
    this.deadline = deadlineIn(RATE_CHECK_MS, this.checkRate)
  }

  private fail(error: CallRefused): void {
    if (this.isDone) return
    this.cancel()
    this.resume(Effect.fail(error))
  }

  /** Stops reading and gives everything back. */
  cancel(): void {
    this.close()
    this.bytes.drop()
    this.share.release()
    this.decoder?.destroy()
  }

  private close(): void {
    this.isDone = true
    this.deadline?.cancel()
    this.request.off("data", this.onReceived)
    this.request.off("end", this.onReceivedEnd)
    this.request.off("close", this.onClosed)
    if (!this.request.complete) this.request.pause()
  }
}

const ignore = (): void => undefined
