/**
 * After an answer that was given before the body was read: discards what the client still sends, so that the client sees the
 * answer instead of a reset. Both the bytes and the time are bounded; nothing of the body is kept.
 *
 * @internal
 */
import type { IncomingMessage } from "node:http"
import { freeBytes } from "./FreeBytes.ts"

export interface DiscardBounds {
  /** Bytes discarded, at most. */
  readonly bytesMax: number
  /** How long is waited for them, in ms. */
  readonly waitMs: number
}

/**
 * Whether there is a body that has not come whole. While Node's parser is still at the request's first bytes it says so of every
 * body; from the next turn of the event loop on, only of those that do come later.
 */
export const isBodyPending = (request: IncomingMessage): boolean =>
  !request.complete &&
  (request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? "0") > 0)

/**
 * The answer has to be written whole, but not ended: ending an answer closes a connection that is not to be used again. `finish`,
 * which ends it, is called once: when the body has come to its end, when a bound is met, or when the client is gone.
 */
export const discardBody = (
  request: IncomingMessage,
  finish: () => void,
  { bytesMax, waitMs }: DiscardBounds
): void => {
  if (request.readableEnded || request.destroyed) return finish()
  let bytes = 0
  let isDone = false
  const done = () => {
    if (isDone) return
    isDone = true
    clearTimeout(timer)
    request.pause()
    finish()
  }
  const timer = setTimeout(done, waitMs)
  request.on("data", (piece: Buffer) => {
    bytes += piece.length
    freeBytes(piece)
    if (bytes > bytesMax) done()
  })
  request.once("end", done)
  request.once("close", done)
  request.on("error", () => undefined)
  request.resume()
}
