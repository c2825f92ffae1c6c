/**
 * What the input of a call amounts to in tokens, at least and at most, before a model says how it counts. The ceiling of images,
 * files and references depends on the model and is not part of it.
 */
import type { Call, InputTally } from "./Call.ts"

/** Tokens that a message or item costs beyond its text, at most: its role, name and delimiters. */
export const TOKENS_PER_MESSAGE = 16
/** Tokens that a content part or tool call costs beyond its text, at most. */
export const TOKENS_PER_PART = 8
/** Tokens that a tool costs beyond its JSON, at most. */
export const TOKENS_PER_TOOL = 32
/** Text has at least one token for so many UTF-8 bytes. */
export const BYTES_PER_TOKEN_MAX = 128

export interface InputBounds {
  /** No honest upstream counts less. Reasoning is left out, since upstreams may leave it out. */
  readonly lowerTokens: number
  /** The text's part of the ceiling: one token for each byte, and one for each integer of a token array. */
  readonly textCeilingTokens: number
  /** What messages, parts and tools may add to it. */
  readonly overheadTokens: number
}

export const inputBounds = (call: { readonly input: InputTally }): InputBounds => {
  const { input } = call
  return {
    lowerTokens: Math.max(1, Math.floor((input.textBytes - input.reasoningBytes) / BYTES_PER_TOKEN_MAX)),
    textCeilingTokens: input.textBytes + input.integers,
    overheadTokens: TOKENS_PER_MESSAGE * input.messages + TOKENS_PER_PART * input.parts + TOKENS_PER_TOOL * input.tools
  }
}

/**
 * How many input tokens the context of a model lets a call have; null where the context is not known. Of embeddings it bounds
 * each input of a call, which may be a whole batch.
 */
export const contextOf = (call: Pick<Call, "dialect" | "input">, contextTokens: number | null): number | null =>
  contextTokens === null || call.dialect !== "embeddings"
    ? contextTokens
    : contextTokens * Math.max(1, call.input.messages)
