/**
 * Usage in the forms of providers, with what each form can say of it, nonsense that upstreams were seen to report, and what tokens
 * cost in tests with these prices.
 */

export const forms = ["openai", "kimi", "xai", "deepseek", "anthropic", "gemini", "text"] as const
export const nonsense = ["none", "word", "empty", "negative", "zeros", "huge_output", "huge_input"] as const

/** Micros a token: the prices of the models. */
export const micros = { input: 4, cached: 1, written: 5, output: 10 }

export interface Tokens {
  readonly uncached: number
  readonly cached: number
  readonly written: number
  readonly output: number
  readonly reasoning: number
}

/** The same tokens in a provider's form: the object, the key that it is under, and those of them that the form can say. */
export const usageIn = (form: typeof forms[number], tokens: Tokens): { usage: object; key: string; said: Tokens } => {
  const { cached, output, reasoning, uncached, written } = tokens
  const prompt = uncached + cached
  const plain = { ...tokens, written: 0, reasoning: 0 }
  const openai = { prompt_tokens: prompt, completion_tokens: output, total_tokens: prompt + output }
  const key = "usage"
  switch (form) {
    case "openai":
      return { usage: { ...openai, prompt_tokens_details: { cached_tokens: cached } }, key, said: plain }
    case "kimi":
      return { usage: { prompt_tokens: prompt, completion_tokens: output, cached_tokens: cached }, key, said: plain }
    case "deepseek":
      return {
        usage: { ...openai, prompt_cache_hit_tokens: cached, prompt_cache_miss_tokens: uncached },
        key,
        said: plain
      }
    case "text":
      return {
        usage: { prompt_tokens: String(prompt), completion_tokens: ` ${output}`, total_tokens: `+${prompt + output}` },
        key,
        said: { ...plain, uncached: prompt, cached: 0 }
      }
    case "xai":
      return {
        usage: {
          ...openai,
          total_tokens: prompt + output + reasoning,
          prompt_tokens_details: { cached_tokens: cached },
          completion_tokens_details: { reasoning_tokens: reasoning }
        },
        key,
        said: { ...tokens, written: 0 }
      }
    case "anthropic":
      return {
        usage: {
          input_tokens: uncached,
          cache_read_input_tokens: cached,
          cache_creation_input_tokens: written,
          output_tokens: output,
          total_tokens: prompt + written + output
        },
        key,
        said: { ...tokens, reasoning: 0 }
      }
    case "gemini":
      return {
        usage: {
          promptTokenCount: prompt,
          cachedContentTokenCount: cached,
          candidatesTokenCount: output,
          thoughtsTokenCount: reasoning,
          totalTokenCount: prompt + output + reasoning
        },
        key: "usageMetadata",
        said: { ...tokens, written: 0 }
      }
  }
}

export const nonsenseUsage: Readonly<Record<Exclude<typeof nonsense[number], "none">, unknown>> = {
  word: "abc",
  empty: {},
  negative: { prompt_tokens: -5, completion_tokens: -5 },
  zeros: { prompt_tokens: 0, completion_tokens: 0 },
  huge_output: { prompt_tokens: 20, completion_tokens: 1e300 },
  huge_input: { prompt_tokens: 1e9, completion_tokens: 200 }
}

/** In micros. */
export const costOf = ({ cached, output, reasoning, uncached, written }: Tokens): number =>
  uncached * micros.input + cached * micros.cached + written * micros.written + (output + reasoning) * micros.output
