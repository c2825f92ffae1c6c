/**
 * The thread that parses long bodies: gets a body's memory, gives it back with the call in it.
 *
 * @internal
 */
import { serveOrders } from "../../platform/ServeOrders.ts"
import type { Call, Dialect, Refused } from "./Call.ts"
import { textOf } from "./InputTexts.ts"
import { parseCall } from "./ParseCall.ts"

/** What the thread is asked. The body is all of the memory. */
export interface ParseOrder {
  readonly dialect: Dialect
  readonly memory: ArrayBuffer
  /** The texts of a call are read along where they are at most so long together, in bytes: a hold may want them counted. */
  readonly textBytesMax: number
}

const parse = ({ dialect, memory, textBytesMax }: ParseOrder): Call | Refused => {
  const call = parseCall(dialect, new Uint8Array(memory))
  if (call._tag === "Refused" || call.input.textBytes > textBytesMax) return call
  return { ...call, texts: textOf(call) }
}

serveOrders(
  parse,
  (parsed) => parsed._tag === "Call" && parsed.body.buffer instanceof ArrayBuffer ? [parsed.body.buffer] : []
)
