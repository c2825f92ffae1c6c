/**
 * Reads a request's body with bounds on its bytes and its time: a client that sends too much or never finishes is
 * answered and cut off.
 *
 * @internal
 */
import { Effect } from "effect"
import type { IncomingMessage } from "node:http"
import { CallRefused } from "../../gateway/CallError.ts"

const tooLarge = (bytesMax: number) =>
  new CallRefused({ code: "request_too_large", message: `The request body is larger than ${bytesMax} bytes.` })

const unfinished = new CallRefused({
  code: "invalid_request_error",
  message: "The request body was not received completely."
})

/** The body, at most `bytesMax` bytes, all of it within `timeoutMs`. */
export const readRequestBody = (
  request: IncomingMessage,
  bytesMax: number,
  timeoutMs: number
): Effect.Effect<Buffer, CallRefused> =>
  Effect.callback((resume) => {
    const declared = Number(request.headers["content-length"] ?? "0")
    if (declared > bytesMax) return resume(Effect.fail(tooLarge(bytesMax)))
    const chunks: Array<Buffer> = []
    let bytes = 0
    const finish = (result: Effect.Effect<Buffer, CallRefused>) => {
      clearTimeout(timer)
      request.off("data", onData)
      resume(result)
    }
    const onData = (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bytesMax) {
        request.pause()
        return finish(Effect.fail(tooLarge(bytesMax)))
      }
      chunks.push(chunk)
    }
    const timer = setTimeout(() => finish(Effect.fail(unfinished)), timeoutMs)
    request.on("data", onData)
    request.once("end", () =>
      finish(Effect.succeed(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks))))
    request.once("error", () =>
      finish(Effect.fail(unfinished)))
    request.once("aborted", () => finish(Effect.fail(unfinished)))
  })
