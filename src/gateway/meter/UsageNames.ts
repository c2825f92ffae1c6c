/**
 * Every name under which upstreams report a count of tokens. A name is found at any place in a usage object, since providers
 * nest the same counts differently. `docs/api.md` lists them by provider.
 */

/** What is counted. `uncached` is input that no cache had; `toolPrompt` is input that tools of the upstream brought in. */
export type UsageCount =
  | "input"
  | "uncached"
  | "cached"
  | "written"
  | "written5m"
  | "written1h"
  | "output"
  | "reasoning"
  | "toolPrompt"
  | "total"
  | "processed"

const names: { readonly [count in UsageCount]: ReadonlyArray<string> } = {
  input: [
    "prompt_tokens",
    "input_tokens",
    "total_input_tokens",
    "prompt_token_count",
    "input_token_count",
    "input_text_token_count",
    "num_prompt_tokens",
    "num_input_tokens",
    "prompt_eval_count",
    "tokens_evaluated",
    "native_tokens_prompt"
  ],
  uncached: ["prompt_cache_miss_tokens"],
  cached: [
    "cached_tokens",
    "cached_input_tokens",
    "cached_prompt_tokens",
    "total_cached_tokens",
    "num_cached_tokens",
    "cache_read_tokens",
    "cache_read_input_tokens",
    "cache_read_input_token_count",
    "cached_content_token_count",
    "prompt_cache_hit_tokens",
    "native_tokens_cached",
    "cache_n"
  ],
  written: [
    "cache_write_tokens",
    "cache_write_input_tokens",
    "cache_write_input_token_count",
    "cache_creation_tokens",
    "cache_creation_input_tokens",
    "cached_creation_tokens"
  ],
  written5m: ["ephemeral_5m_input_tokens", "claude_cache_creation_5_m_tokens"],
  written1h: ["ephemeral_1h_input_tokens", "claude_cache_creation_1_h_tokens"],
  output: [
    "completion_tokens",
    "output_tokens",
    "total_output_tokens",
    "completion_token_count",
    "output_token_count",
    "candidates_token_count",
    "response_token_count",
    "generated_token_count",
    "num_completion_tokens",
    "num_output_tokens",
    "num_generated_tokens",
    "eval_count",
    "tokens_predicted",
    "generated_tokens",
    "native_tokens_completion",
    "predicted_n"
  ],
  reasoning: [
    "reasoning_tokens",
    "total_reasoning_tokens",
    "reasoning_token_count",
    "thinking_tokens",
    "thoughts_token_count",
    "total_thought_tokens",
    "native_tokens_reasoning"
  ],
  toolPrompt: ["tool_use_prompt_token_count", "tool_use_prompt_tokens", "total_tool_use_tokens"],
  total: ["total_tokens", "total_token_count", "num_total_tokens"],
  /** llama.cpp's `timings`: the prompt without `cache_n`. */
  processed: ["prompt_n"]
}

/** `cached_tokens` is also written `cachedTokens` and `CachedTokens`. */
const camelCase = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())
const pascalCase = (name: string): string => camelCase(`_${name}`)

const countNames: ReadonlyArray<UsageCount> = [
  "input",
  "uncached",
  "cached",
  "written",
  "written5m",
  "written1h",
  "output",
  "reasoning",
  "toolPrompt",
  "total",
  "processed"
]

const byName: ReadonlyMap<string, UsageCount> = new Map(
  countNames.flatMap((count) =>
    names[count].flatMap((name) =>
      [name, camelCase(name), pascalCase(name)].map((written) => [written, count] as const)
    )
  )
)

/** What a member of a usage object counts, by its name; undefined when it is no count of tokens. */
export const usageCountOf = (name: string): UsageCount | undefined => byName.get(name)

/** Every known name, for documentation. */
export const usageNames = names
