/** The form of a channel in the console: its fields, and what is said of those that are wrong. */
import type { TestAnswer } from "./TestHttp.ts"

/** All its fields, as a browser sends them. */
export const channelForm = (baseUrl: string, more: Readonly<Record<string, string>> = {}) => ({
  name: "made",
  base_url: baseUrl,
  api_key: "sk-canary-2342",
  priority: "1",
  weight: "2",
  unknown_fields: "forward",
  known_fields: "metadata",
  first_byte_timeout_seconds: "30",
  idle_timeout_seconds: "60",
  input_overhead_tokens: "5",
  max_connections: "7",
  models: "gpt-4o-mini",
  ...more
})

/** The fields that an answer finds wrong. */
export const problemsIn = (answer: TestAnswer): ReadonlyArray<string> =>
  Array.from(answer.text.matchAll(/id="field-(\w+)-problem"/g), (match) => match[1] ?? "")
