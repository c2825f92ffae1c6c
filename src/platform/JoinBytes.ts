/** Joins the pieces of a long body without holding the event loop. */
import { Effect } from "effect"
import { Buffer } from "node:buffer"

/** Copying is interrupted after so many bytes, so that other calls move. */
const COPIED_AT_ONCE_BYTES_MAX = 4_194_304

/** The pieces, which have `bytes` bytes together, as one buffer, where that takes no time; undefined: ask {@link joinBytes}. */
export const joinedAtOnce = (pieces: ReadonlyArray<Uint8Array>, bytes: number): Buffer | undefined => {
  const [only] = pieces
  if (pieces.length === 1 && only !== undefined) return Buffer.from(only.buffer, only.byteOffset, only.byteLength)
  return bytes <= COPIED_AT_ONCE_BYTES_MAX ? Buffer.concat(pieces, bytes) : undefined
}

/** The pieces, which have `bytes` bytes together, as one buffer; a lone buffer as it is. */
export const joinBytes = (pieces: ReadonlyArray<Uint8Array>, bytes: number): Effect.Effect<Buffer> => {
  const joined = joinedAtOnce(pieces, bytes)
  if (joined !== undefined) return Effect.succeed(joined)
  return Effect.gen(function*() {
    const whole = Buffer.allocUnsafeSlow(bytes)
    let at = 0
    let copied = 0
    for (const piece of pieces) {
      for (let start = 0; start < piece.length;) {
        const end = Math.min(piece.length, start + COPIED_AT_ONCE_BYTES_MAX - copied)
        whole.set(piece.subarray(start, end), at)
        at += end - start
        copied += end - start
        start = end
        if (copied < COPIED_AT_ONCE_BYTES_MAX) continue
        copied = 0
        yield* Effect.yieldNow
      }
    }
    return whole
  })
}
