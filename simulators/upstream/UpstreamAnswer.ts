/**
 * What the simulated model says to one request, and what that costs: the facts from which both dialects make their
 * bodies and frames. One word is one token, so that the usage can be checked by counting frames.
 */
import type { Behaviour } from "./UpstreamBehaviour.ts"
import type { Endpoint } from "./UpstreamParameters.ts"

/** A moment in July 2025; answers do not depend on the clock. */
export const CREATED_SECONDS = 1_753_000_000

/** More than any model can have read. */
const HUGE_TOKENS = 1e15

const toolArguments = ['{"ci', 'ty":', '"Par', 'is"', "}"]

export interface ToolCall {
  readonly name: string
  readonly fragments: ReadonlyArray<string>
}

export interface UpstreamAnswer {
  readonly id: number
  readonly model: string
  readonly n: number
  /** Words of each answer; a tool call says none. */
  readonly words: number
  readonly tool: ToolCall | undefined
  readonly reasoningTokens: number
  readonly limited: boolean
  readonly usage: ReportedUsage | undefined
  readonly behaviour: Behaviour
}

export interface ReportedUsage {
  readonly prompt: number
  readonly cached: number
  readonly completion: number
  readonly reasoning: number
}

export interface AnswerDefaults {
  readonly answerTokens: number
  readonly promptTokens: number | undefined
}

/** The text of token `index`; joined, a text that tokenizers count the same. */
export const wordAt = (index: number): string => index === 0 ? "word" : " word"

export const wordsOf = (count: number): string =>
  "word".concat(" word".repeat(Math.max(0, count - 1))).slice(0, count * 5)

type Json = { readonly [key: string]: unknown }

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null

/** Decides the answer to a valid request of `bodyBytes` bytes. */
export function answerTo(
  id: number,
  endpoint: Endpoint,
  json: Json,
  bodyBytes: number,
  behaviour: Behaviour,
  defaults: AnswerDefaults
): UpstreamAnswer {
  const limit = behaviour.ignoreLimit ? Infinity : limitOf(endpoint, json)
  const n = typeof json.n === "number" ? json.n : 1
  const reasoningTokens = Math.min(behaviour.reasoning ?? 0, limit)
  const wanted = behaviour.tokens ?? defaults.answerTokens
  const tool = behaviour.tool === true ? toolOf(json) : undefined
  const words = tool === undefined ? Math.min(wanted, limit - reasoningTokens) : 0
  const spoken = tool === undefined ? words : tool.fragments.length
  const prompt = behaviour.promptTokens ?? defaults.promptTokens ?? Math.ceil(bodyBytes / 4)
  const usage = {
    prompt,
    cached: Math.min(behaviour.cachedTokens ?? 0, prompt),
    completion: (spoken + reasoningTokens) * n,
    reasoning: reasoningTokens * n
  }
  return {
    id,
    model: String(json.model),
    n,
    words,
    tool,
    reasoningTokens,
    limited: tool === undefined && words < wanted,
    usage: reported(usage, behaviour),
    behaviour
  }
}

function limitOf(endpoint: Endpoint, json: Json): number {
  const limit = endpoint === "chat" ? json.max_completion_tokens ?? json.max_tokens : json.max_output_tokens
  return typeof limit === "number" ? limit : Infinity
}

function toolOf(json: Json): ToolCall {
  const [tool] = Array.isArray(json.tools) ? json.tools.filter(isObject) : []
  const name = isObject(tool?.function) ? tool.function.name : tool?.name
  return { name: typeof name === "string" ? name : "get_weather", fragments: toolArguments }
}

function reported(usage: ReportedUsage, behaviour: Behaviour): ReportedUsage | undefined {
  switch (behaviour.usage) {
    case "missing":
      return undefined
    case "zero":
      return { prompt: 0, cached: 0, completion: 0, reasoning: 0 }
    case "negative":
      return { ...usage, prompt: -usage.prompt, completion: -usage.completion }
    case "huge":
      return { ...usage, prompt: HUGE_TOKENS, completion: HUGE_TOKENS }
    case "cachedTooBig":
      return { ...usage, cached: usage.prompt + 100 }
    default:
      return usage
  }
}

/** One event of a stream. `tokens`: how many tokens of output it carries. */
export interface UpstreamFrame {
  readonly event?: string
  readonly data: string
  readonly tokens: number
}
