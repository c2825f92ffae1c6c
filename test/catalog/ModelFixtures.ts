/**
 * Models for tests of their administration: terms by their input price, and models of a configuration file.
 */
import { Effect } from "effect"
import { writeConfigModels } from "../../src/catalog/ConfigModels.ts"
import { defaultTerms, type ModelTerms } from "../../src/catalog/ModelTerms.ts"
import { AppConfig, testConfig } from "../../src/config/Config.ts"

/** Output costs four times as much. */
export const terms = (input: bigint, more: Partial<ModelTerms> = {}): ModelTerms => ({
  ...defaultTerms,
  price: {
    inputMicrosPer1m: input,
    cachedInputMicrosPer1m: input,
    cacheWriteMicrosPer1m: null,
    outputMicrosPer1m: 4n * input
  },
  maxOutputTokens: 1_000,
  reasoning: false,
  ...more
})

/** The file has these models, and no others. */
export const declare = (ids: ReadonlyArray<string>) =>
  writeConfigModels.pipe(Effect.provideService(
    AppConfig,
    testConfig({ models: ids.map((id) => ({ id, input_usd_per_1m: "1", output_usd_per_1m: "2" })) })
  ))
