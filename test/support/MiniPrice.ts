/** The price of `gpt-4o-mini`, as the shipped configuration has it. */
import type { PriceSnapshot } from "../../src/domain/Price.ts"

export const miniPrice = {
  inputMicrosPer1m: 150_000n,
  cachedInputMicrosPer1m: 75_000n,
  cacheWriteMicrosPer1m: null,
  outputMicrosPer1m: 600_000n,
  tools: { webSearchMicros: 10_000n, fileSearchMicros: null }
} satisfies PriceSnapshot
