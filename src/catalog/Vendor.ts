/**
 * Who made a model, by what it is called: price files name who sells it, which is often somebody else.
 * @internal
 */

/** By how ids begin, after the names of sellers before a slash or a dot. */
const byName: ReadonlyArray<readonly [pattern: RegExp, vendor: string]> = [
  [/^(?:chat)?gpt-|^o[134](?:$|-)|^codex-|^text-embedding-(?:3|ada)|^computer-use/, "OpenAI"],
  [/^claude/, "Anthropic"],
  [/^gemini|^gemma|^text-embedding-00|^text-multilingual-embedding/, "Google"],
  [/^(?:meta-)?llama/, "Meta"],
  [/^qwen|^qwq|^qvq/, "Alibaba"],
  [/^deepseek/, "DeepSeek"],
  [/^mistral|^mixtral|^ministral|^magistral|^codestral|^devstral|^pixtral/, "Mistral"],
  [/^grok/, "xAI"],
  [/^(?:chat)?glm/, "Zhipu AI"],
  [/^kimi|^moonshot/, "Moonshot AI"],
  [/^doubao|^seed-/, "ByteDance"],
  [/^hunyuan/, "Tencent"],
  [/^ernie/, "Baidu"],
  [/^minimax|^abab/, "MiniMax"],
  [/^command|^embed-(?:english|multilingual|v\d)|^c4ai/, "Cohere"],
  [/^nova-|^titan/, "Amazon"],
  [/^phi-/, "Microsoft"],
  [/^yi-/, "01.AI"],
  [/^step-/, "StepFun"],
  [/^sonar/, "Perplexity"]
]

/** Those who sell what they make, by their names in both files. */
const byProvider: Readonly<Record<string, string>> = {
  openai: "OpenAI",
  anthropic: "Anthropic",
  google: "Google",
  gemini: "Google",
  deepseek: "DeepSeek",
  mistral: "Mistral",
  xai: "xAI",
  moonshot: "Moonshot AI",
  moonshotai: "Moonshot AI",
  zhipuai: "Zhipu AI",
  zai: "Zhipu AI",
  dashscope: "Alibaba",
  alibaba: "Alibaba",
  volcengine: "ByteDance",
  minimax: "MiniMax",
  cohere: "Cohere",
  perplexity: "Perplexity"
}

/** Null: it cannot be told. */
export const vendorOf = (modelId: string, provider: string): string | null => {
  const id = modelId.toLowerCase()
  const own = id.slice(id.lastIndexOf("/") + 1)
  // Bedrock writes `us.anthropic.claude-…`; a version such as `2.5` is no name.
  const names = [own, ...own.split(/\.(?=[a-z])/)]
  const [, vendor] = byName.find(([pattern]) => names.some((name) => pattern.test(name))) ?? []
  const seller = provider.toLowerCase()
  return vendor ?? (Object.hasOwn(byProvider, seller) ? byProvider[seller] ?? null : null)
}
