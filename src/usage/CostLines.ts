/**
 * How the cost of a call comes about: what it used, at which prices, line by line.
 */
import type { CallReceipt } from "./Receipts.ts"

export interface CostLine {
  readonly name: "input" | "cachedInput" | "cacheWrite" | "output" | "webSearch" | "fileSearch"
  readonly count: number
  /** Of a million tokens, or of one call of a tool. */
  readonly priceMicros: bigint
  /** In USD scaled by `SUM_SCALE` decimals. */
  readonly sum: bigint
}

/** The decimals of a sum in USD: tokens times micros per million tokens have twice six. */
export const SUM_SCALE = 12

const MILLION = 1_000_000n

export type UsedOfCall = Pick<
  CallReceipt,
  | "price"
  | "inputTokens"
  | "cachedInputTokens"
  | "cacheWriteTokens"
  | "outputTokens"
  | "webSearchCalls"
  | "fileSearchCalls"
>

/** Input and output are always there, the rest where something of it was used. */
export const costLines = (call: UsedOfCall): ReadonlyArray<CostLine> => {
  const { price: { tools, ...price } } = call
  const tokens = [
    ["input", call.inputTokens, price.inputMicrosPer1m],
    ["cachedInput", call.cachedInputTokens, price.cachedInputMicrosPer1m],
    ["cacheWrite", call.cacheWriteTokens, price.cacheWriteMicrosPer1m ?? price.inputMicrosPer1m],
    ["output", call.outputTokens, price.outputMicrosPer1m]
  ] as const
  const calls = [
    ["webSearch", call.webSearchCalls, tools?.webSearchMicros],
    ["fileSearch", call.fileSearchCalls, tools?.fileSearchMicros]
  ] as const
  return [
    ...tokens.flatMap(([name, used, priceMicros]): ReadonlyArray<CostLine> => {
      const count = used ?? 0
      const isShown = name === "input" || name === "output" || count > 0
      return isShown ? [{ name, count, priceMicros, sum: BigInt(count) * priceMicros }] : []
    }),
    ...calls.flatMap(([name, count, micros]): ReadonlyArray<CostLine> => {
      const priceMicros = micros ?? 0n
      return count === null ? [] : [{ name, count, priceMicros, sum: BigInt(count) * priceMicros * MILLION }]
    })
  ]
}
