/**
 * Counts the text of a call's input with the tokenizer, where it is short enough to be counted at all.
 *
 * @internal
 */
import { Effect } from "effect"
import { COUNT_CHARS_MAX, type TokenCounter } from "./meter/TokenCounter.ts"
import type { Call } from "./request/Call.ts"
import { textOf } from "./request/InputTexts.ts"

/** Tokens of the call's text; undefined where it is too long, or the counter is away. */
export const countInput = (counter: TokenCounter["Service"], call: Call): Effect.Effect<number | undefined> =>
  call.input.textBytes > COUNT_CHARS_MAX ? Effect.undefined : counter.count(textOf(call))
