/**
 * Parses the bodies of calls. Short ones where they came in; long ones in a thread, one after the other, since parsing 20 MB takes
 * up to a tenth of a second, in which no other call would move.
 */
import { Context, Effect, Layer } from "effect"
import type { Buffer } from "node:buffer"
import { memoryOf } from "../../platform/ServeOrders.ts"
import { makeWorkerThread, workerUrl } from "../../platform/WorkerThread.ts"
import { type CallRefused, unavailable } from "../CallError.ts"
import { COUNT_CHARS_MAX } from "../meter/TokenCounter.ts"
import type { Call, Dialect, Refused } from "./Call.ts"
import { parseCall } from "./ParseCall.ts"
import type { ParseOrder } from "./ParseWorker.ts"

/** Bodies up to this are parsed at once, in bytes: some 2 ms of text, at most some 15 ms of hundreds of thousands of small values. */
export const PARSED_AT_ONCE_BYTES_MAX = 524_288

/** The thread takes no longer for one body, in milliseconds; the first one loads its modules. */
export const PARSE_MS_MAX = 10_000

export class CallParser extends Context.Service<CallParser, {
  /** The call in `body`, or why it is refused. A long body belongs to the parser from then on. Fails (503) when its thread fails. */
  parse(dialect: Dialect, body: Buffer): Effect.Effect<Call | Refused, CallRefused>
}>()("realms/gateway/request/CallParser") {
  /** With a thread that runs the module `worker`. */
  static readonly layerFrom = (worker: URL) =>
    Layer.effect(CallParser)(Effect.gen(function*() {
      const thread = yield* makeWorkerThread<ParseOrder, Call | Refused>({ url: worker, answerMsMax: PARSE_MS_MAX })

      const parseLong = (dialect: Dialect, body: Buffer): Effect.Effect<Call | Refused, CallRefused> =>
        Effect.suspend(() => {
          const memory = memoryOf(body)
          return thread.ask({ dialect, memory, textBytesMax: COUNT_CHARS_MAX }, [memory])
        }).pipe(
          Effect.flatMap((parsed) =>
            parsed === undefined
              ? Effect.fail(unavailable("Your request could not be read at this moment. Please try again shortly."))
              : Effect.succeed(parsed)
          )
        )

      return CallParser.of({
        parse: (dialect, body) =>
          body.length <= PARSED_AT_ONCE_BYTES_MAX
            ? Effect.succeed(parseCall(dialect, body))
            : parseLong(dialect, body)
      })
    }))

  static readonly layer = CallParser.layerFrom(workerUrl(import.meta.url, "ParseWorker"))
}
