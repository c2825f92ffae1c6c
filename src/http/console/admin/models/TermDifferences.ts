/**
 * What a model would have beside what it has, term by term, in the reader's language.
 */
import type { ModelTerms } from "../../../../catalog/ModelTerms.ts"
import { type ModelTermName, modelTerms } from "../../../../domain/ModelTerms.ts"
import type { UnitPrices } from "../../../../domain/Price.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { modelTermsOf } from "./ModelTexts.ts"

export interface Difference {
  readonly label: string
  /** Null: nothing was there. */
  readonly was: string | null
  readonly text: string
}

/** Terms that files of prices may name: the others of a new model are its defaults. */
const importedNames: ReadonlyArray<ModelTermName> = [
  "vendor",
  "contextTokens",
  "maxOutputTokens",
  "reasoning",
  "capabilities"
]

const priceTexts = (context: PageContext, { price }: ModelTerms): ReadonlyArray<readonly [string, string]> => {
  const say = sayOf(context, "import")
  const { usd } = context.formats
  const write = ({ cacheWriteMicrosPer1m: micros }: UnitPrices) => micros === null ? say("as.input") : usd(micros)
  const tool = (label: string, micros: bigint | null | undefined) =>
    micros === null || micros === undefined
      ? []
      : [[label, sayOf(context, "adminModels")("tool.price", { price: usd(micros) })] as const]
  return [
    [say("input"), usd(price.inputMicrosPer1m)],
    [say("output"), usd(price.outputMicrosPer1m)],
    [say("cachedInput"), usd(price.cachedInputMicrosPer1m)],
    [say("cacheWrite"), write(price)],
    ...(price.tiers ?? []).map((tier) =>
      [
        say("above", { count: tier.aboveInputTokens }),
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

const textsOf = (context: PageContext, terms: ModelTerms, names: ReadonlyArray<ModelTermName>) =>
  new Map([...priceTexts(context, terms), ...modelTermsOf(context).facts(terms, names)])

/** Of a model that there is, only what would change; of a new one, everything that a file may say. */
export const differencesOf = (
  context: PageContext,
  before: ModelTerms | null,
  after: ModelTerms
): ReadonlyArray<Difference> => {
  const names = before === null ? importedNames : modelTerms.names
  const now = textsOf(context, after, names)
  const old = before === null ? undefined : textsOf(context, before, names)
  const none = sayOf(context, "import")("none")
  return [...new Set([...now.keys(), ...old?.keys() ?? []])]
    .map((label) => ({
      label,
      was: old === undefined ? null : old.get(label) ?? none,
      text: now.get(label) ?? none
    }))
    .filter(({ text, was }) => was !== text)
}
