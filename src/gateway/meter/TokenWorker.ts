/**
 * The thread that counts tokens: counting takes milliseconds of computing, which calls under way must not wait for. Gets texts,
 * answers the sum of their tokens.
 *
 * @internal
 */
import { parentPort } from "node:worker_threads"
import { countTokens } from "./TokenCount.ts"

/** What the thread is asked. */
export interface CountOrder {
  readonly id: number
  readonly texts: ReadonlyArray<string>
}

/** What it answers. */
export interface CountAnswer {
  readonly id: number
  readonly tokens: number
}

parentPort?.on("message", ({ id, texts }: CountOrder) => {
  let tokens = 0
  for (const text of texts) tokens += countTokens(text)
  parentPort?.postMessage({ id, tokens } satisfies CountAnswer)
})
