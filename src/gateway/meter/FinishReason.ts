/**
 * How an answer ends, by its `finish_reason`.
 *
 * @internal
 */
import { bufferOf, isContainer } from "../request/JsonBytes.ts"
import { saysAnything, skipValue } from "./FrameBytes.ts"

/** `brokeOff`: the upstream gave up. What it made before is the answer; if it made nothing, the call has failed. */
export const Finish = { none: 0, ended: 1, failed: 2, brokeOff: 3 } as const

/** DeepSeek, Zhipu, vLLM and SGLang name in such words what others say with `error`. */
const brokeOff = /abort|cancel|error|fail|insufficient_system_resource|overload|time_?out/i

/** What some upstreams write for null. */
const absent = /^(?:null|none)$/i

/** A reason is read up to here. */
const REASON_BYTES_MAX = 64

/** The end that the string at `start` names, or the object: some servers give the `type` of the end with its circumstances. */
export function finishAt(data: Uint8Array, start: number): number {
  if (isContainer(data, start) && !saysAnything(data, start)) return Finish.none
  const end = Math.min(skipValue(data, start) - 1, start + REASON_BYTES_MAX)
  const reason = bufferOf(data).toString("latin1", start + 1, end)
  if (reason === "error") return Finish.failed
  if (reason === "" || absent.test(reason)) return Finish.none
  return brokeOff.test(reason) ? Finish.brokeOff : Finish.ended
}
