/**
 * The expected number of tokens of an answer's text: what it is charged for where its upstream reported no usage. Counted by the
 * tokenizer; by bytes alone where that is not possible.
 */
import { Effect } from "effect"
import type { SampledText } from "./TextSample.ts"
import { COUNTED_AT_ONCE_BYTES_MAX, countTokens, isTokenizerLoaded } from "./TokenCount.ts"
import { TokenCounter } from "./TokenCounter.ts"

/** A token of ordinary text has some four bytes, in most languages. */
export const BYTES_PER_TOKEN_EXPECTED = 4

/** Tokens of the text, within 10 % where it is sampled; at least 1 where there is any. */
export const expectedOutputTokens = Effect.fnUntraced(function*(sample: SampledText) {
  if (sample.isEmpty) return 0
  const texts = sample.texts()
  if (sample.bytes <= COUNTED_AT_ONCE_BYTES_MAX && isTokenizerLoaded()) {
    return sample.estimate(texts.reduce((sum, text) => sum + countTokens(text), 0))
  }
  const counter = yield* TokenCounter
  const tokens = yield* counter.count(texts)
  return tokens === undefined
    ? Math.max(1, Math.ceil(sample.bytes / BYTES_PER_TOKEN_EXPECTED))
    : sample.estimate(tokens)
})
