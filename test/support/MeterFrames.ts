/**
 * Frames for tests of the meter: chunks of a chat stream, what a meter observes of frames, and that in words.
 */
import { Buffer } from "node:buffer"
import { type Observation, StreamMeter } from "../../src/gateway/meter/StreamMeter.ts"
import { countTokens } from "../../src/gateway/meter/TokenCount.ts"

export const frame = (data: unknown) => {
  const bytes = Buffer.from(typeof data === "string" ? data : JSON.stringify(data))
  return { raw: bytes, data: bytes }
}
export const chunk = (delta: object, extra?: object) => ({
  id: "c",
  object: "chat.completion.chunk",
  choices: [{ index: 0, delta, finish_reason: null }],
  ...extra
})
export const ending = (reason: string, index = 0) => ({ choices: [{ index, delta: {}, finish_reason: reason }] })
export const usage = { prompt_tokens: 9, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 3 } }

/** What an observation says, in words, with its tokens. */
export const words = (seen: Observation): string => {
  const said = [
    seen.isOutput ? `output ${seen.outputTokens}` : "",
    seen.isUsageOnly ? "usage" : "",
    seen.finishes ? "finishes" : "",
    seen.done ? "done" : "",
    seen.terminal ? "terminal" : "",
    seen.failure === undefined ? "" : "failure"
  ].filter((word) => word !== "")
  return said.join(", ")
}

export const observe = (dialect: "chat" | "responses", data: ReadonlyArray<unknown>, choices = 1) => {
  const meter = new StreamMeter({ dialect, choices })
  return { meter, seen: data.map((one) => meter.observe(frame(one))) }
}
export const estimateOf = (meter: StreamMeter) =>
  meter.sample.estimate(meter.sample.texts().reduce((sum, text) => sum + countTokens(text), 0))
