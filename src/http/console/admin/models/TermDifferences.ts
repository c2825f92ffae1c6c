/**
 * What a model would have beside what it has, term by term, in the reader's language.
 */
import { Record } from "effect"
import type { ModelTerms } from "../../../../catalog/ModelTerms.ts"
import { type ModelTermKey, modelTermList } from "../../../../domain/ModelTermList.ts"
import type { UnitPrices } from "../../../../domain/Price.ts"
import { sayOf, type Visit } from "../../Visit.ts"
import { termValueText } from "../terms/TermForm.ts"
import { adminModelsText } from "./AdminModelsText.ts"
import { importText } from "./ImportText.ts"
import { modelLabels } from "./ModelLabels.ts"

export interface Difference {
  readonly label: string
  /** Null: nothing was there. */
  readonly was: string | null
  readonly text: string
}

/** Terms that files of prices may name: the others of a new model are its defaults. */
const importedKeys: ReadonlyArray<ModelTermKey> = ["context_tokens", "max_output_tokens", "reasoning"]

const priceTexts = (visit: Visit, { price }: ModelTerms): ReadonlyArray<readonly [string, string]> => {
  const say = sayOf(visit, importText)
  const { count, usd } = visit.formats
  const write = ({ cacheWriteMicrosPer1m: micros }: UnitPrices) => micros === null ? say("as.input") : usd(micros)
  const tool = (label: string, micros: bigint | null | undefined) =>
    micros === null || micros === undefined
      ? []
      : [[label, sayOf(visit, adminModelsText)("tool.price", { price: usd(micros) })] as const]
  return [
    [say("input"), usd(price.inputMicrosPer1m)],
    [say("output"), usd(price.outputMicrosPer1m)],
    [say("cached"), usd(price.cachedInputMicrosPer1m)],
    [say("write"), write(price)],
    ...(price.tiers ?? []).map((tier) =>
      [
        say("above", { count: count(tier.aboveInputTokens) }),
        say("tier", {
          input: usd(tier.inputMicrosPer1m),
          output: usd(tier.outputMicrosPer1m),
          cached: usd(tier.cachedInputMicrosPer1m),
          write: write(tier)
        })
      ] as const
    ),
    ...tool(say("web_search"), price.tools?.webSearchMicros),
    ...tool(say("file_search"), price.tools?.fileSearchMicros)
  ]
}

const textsOf = (
  visit: Visit,
  terms: ModelTerms,
  keys: ReadonlyArray<ModelTermKey>
): ReadonlyMap<string, string> => {
  const labels = modelLabels(visit)
  return new Map([
    ...priceTexts(visit, terms),
    ...keys.map((key) => [labels[key].label, termValueText(visit, modelTermList[key].get(terms), labels[key])] as const)
  ])
}

/** Of a model that there is, only what would change; of a new one, everything that a file may say. */
export const differencesOf = (
  visit: Visit,
  before: ModelTerms | null,
  after: ModelTerms
): ReadonlyArray<Difference> => {
  const keys = before === null ? importedKeys : Record.keys(modelTermList)
  const now = textsOf(visit, after, keys)
  const old = before === null ? undefined : textsOf(visit, before, keys)
  const none = sayOf(visit, importText)("none")
  return [...new Set([...now.keys(), ...old?.keys() ?? []])]
    .map((label) => ({
      label,
      was: old === undefined ? null : old.get(label) ?? none,
      text: now.get(label) ?? none
    }))
    .filter(({ text, was }) => was !== text)
}
