/**
 * What OpenAI answers, for the scripted upstream: a list of output items and a usage become a chat completion or a response,
 * whole or as the stream of events in OpenAI's order, with ids, sequence numbers and every field that SDKs read.
 */
import { randomBytes } from "node:crypto"

export type Item =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly summary: string }
  | { readonly type: "function_call"; readonly name: string; readonly arguments: string; readonly namespace?: string }
  | { readonly type: "custom_tool_call"; readonly name: string; readonly input: string; readonly namespace?: string }

export interface Usage {
  /** All input tokens, cached ones included. */
  readonly input: number
  readonly cached?: number
  /** All output tokens, reasoning included. */
  readonly output: number
  readonly reasoning?: number
}

export interface Answer {
  readonly items: ReadonlyArray<Item>
  readonly usage: Usage
}

/** How an answer ends before its end. */
export interface Break {
  /** Output deltas that are sent before. */
  readonly afterDeltas: number
  /** The connection is cut, or the upstream says that it failed. */
  readonly by: "cut" | "failure"
}

export const CREATED_AT = 1_764_000_000

/** What an upstream says when it fails; its organisation is not for others to read. */
export const UPSTREAM_FAILURE = "The server had an error in organization org-Upstream1."

/** One token each time. */
export const ENDLESS_WORD = " word"

/** An id as OpenAI makes them. */
export const makeId = (prefix: string): string => `${prefix}_${randomBytes(25).toString("hex")}`

/** Words with the blank before them, as models emit them. */
export const piecesOf = (text: string): ReadonlyArray<string> => text.match(/\s*\S+|\s+$/g) ?? []

export const responsesUsage = (usage: Usage) => ({
  input_tokens: usage.input,
  input_tokens_details: { cached_tokens: usage.cached ?? 0 },
  output_tokens: usage.output,
  output_tokens_details: { reasoning_tokens: usage.reasoning ?? 0 },
  total_tokens: usage.input + usage.output
})

export const completionUsage = (usage: Usage) => ({
  prompt_tokens: usage.input,
  completion_tokens: usage.output,
  total_tokens: usage.input + usage.output,
  prompt_tokens_details: { cached_tokens: usage.cached ?? 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: usage.reasoning ?? 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0
  }
})
