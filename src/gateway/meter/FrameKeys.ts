/**
 * The keys that mean something in an answer: which strings are not output, where usage, errors and ends of answers are said.
 * A key that is not listed here counts as output.
 *
 * @internal
 */
import { KeyTable } from "./KeyTable.ts"

/** Kinds of keys. Numbers, since they are compared for each member of each frame. */
export const Key = {
  unknown: 0,
  /** Its string is no output. */
  silent: 1,
  /** Nothing below it is output. */
  silentTree: 2,
  /** The same, in the items of /v1/responses alone. */
  silentInItems: 3,
  silentTreeInItems: 4,
  type: 5,
  object: 6,
  choices: 7,
  error: 8,
  usage: 9,
  counts: 10,
  usageSection: 11,
  index: 12,
  finishReason: 13,
  message: 14,
  text: 15,
  delta: 16,
  response: 17,
  output: 18,
  loose: 19,
  data: 20,
  reasoningDetails: 21,
  arguments: 22,
  item: 23,
  itemId: 24,
  outputIndex: 25,
  contentIndex: 26,
  summaryIndex: 27,
  sequenceNumber: 28,
  code: 29,
  status: 30,
  success: 31,
  /** A name where an answer as a whole says it, else output. */
  model: 32
} as const

/** Keys whose strings are names and marks, never output. */
export const silentKeys: ReadonlyArray<string> = [
  "id",
  "type",
  "role",
  "index",
  "format",
  "finish_reason",
  "native_finish_reason",
  "stop_reason",
  "matched_stop",
  "obfuscation",
  "signature",
  "thought_signature",
  "encrypted_content"
]

/** Keys below which nothing is output. */
export const silentTreeKeys: ReadonlyArray<string> = [
  "finish_details",
  "content_filter_results",
  "content_filter_offsets",
  "logprobs",
  "annotations",
  "audio",
  "error"
]

/** In the items of /v1/responses: what the upstream adds to its model's words. */
export const silentItemKeys: ReadonlyArray<string> = [
  "call_id",
  "item_id",
  "event_id",
  "response_id",
  "server_label",
  "approval_request_id",
  "container_id",
  "url",
  "phase",
  "object"
]

/** In the items of /v1/responses: what tools gave back, and lists of tools. */
export const silentItemTreeKeys: ReadonlyArray<string> = ["results", "outputs", "output", "result", "tools", "sources"]

/** Objects that hold counts of tokens. `timings` is llama.cpp's. */
export const usageKeys: ReadonlyArray<string> = [
  "usage",
  "usageMetadata",
  "usage_metadata",
  "token_usage",
  "tokenUsage",
  "timings",
  "amazon-bedrock-invocationMetrics"
]

/** Counts that Ollama and llama.cpp write beside the answer instead of in an object. */
export const topLevelCountKeys: ReadonlyArray<string> = [
  "prompt_eval_count",
  "eval_count",
  "tokens_evaluated",
  "tokens_predicted"
]

/** Sections that hold a usage object of their own. Not `metadata`: some upstreams repeat there what the client sent. */
export const usageSectionKeys: ReadonlyArray<string> = ["x_groq", "meta", "result", "data"]

/** Beside a `message` in words and without choices: the code of a failure. */
export const codeKeys: ReadonlyArray<string> = ["code", "error_code", "status_code", "statusCode"]

/** What holds the output of a chat frame without `choices`; `message`, `response`, `delta`, `output` and `text` do too. */
export const looseKeys: ReadonlyArray<string> = ["content", "candidates", "completion", "generated_text"]

const special: ReadonlyArray<readonly [name: string, key: number]> = [
  ["type", Key.type],
  ["object", Key.object],
  ["choices", Key.choices],
  ["error", Key.error],
  ["index", Key.index],
  ["finish_reason", Key.finishReason],
  ["message", Key.message],
  ["text", Key.text],
  ["delta", Key.delta],
  ["response", Key.response],
  ["output", Key.output],
  ["data", Key.data],
  ["reasoning_details", Key.reasoningDetails],
  ["arguments", Key.arguments],
  ["item", Key.item],
  ["item_id", Key.itemId],
  ["output_index", Key.outputIndex],
  ["content_index", Key.contentIndex],
  ["summary_index", Key.summaryIndex],
  ["sequence_number", Key.sequenceNumber],
  ["status", Key.status],
  ["success", Key.success],
  ["model", Key.model]
]

const all = (names: ReadonlyArray<string>, key: number) => names.map((name) => [name, key] as const)

/** The first entry of a name counts. */
export const frameKeys = new KeyTable([
  ...special,
  ...all(usageKeys, Key.usage),
  ...all(topLevelCountKeys, Key.counts),
  ...all(usageSectionKeys, Key.usageSection),
  ...all(looseKeys, Key.loose),
  ...all(codeKeys, Key.code),
  ...all(silentKeys, Key.silent),
  ...all(silentTreeKeys, Key.silentTree),
  ...all(silentItemKeys, Key.silentInItems),
  ...all(silentItemTreeKeys, Key.silentTreeInItems)
])

/** Keys of events of /v1/responses, and of their items, whose values are no output. */
export function isSilentInEvents(key: number): boolean {
  switch (key) {
    case Key.silent:
    case Key.silentTree:
    case Key.silentInItems:
    case Key.silentTreeInItems:
    case Key.itemId:
    case Key.object:
    case Key.output:
    case Key.status:
    case Key.model:
      return true
    default:
      return false
  }
}
