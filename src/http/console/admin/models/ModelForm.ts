/**
 * The form of a model: what its terms and prices are called, what was typed, and what is wrong with it. Each price tier is a row of
 * fields, of which an empty one is no tier; without scripts there are always a few empty rows, and further ones come with the next
 * save.
 */
import { Record, Result } from "effect"
import { defaultTerms, isPrice, type ModelTerms, wrongFieldsOf } from "../../../../catalog/ModelTerms.ts"
import { PRICE_TIERS_MAX, TOKENS_MAX } from "../../../../domain/Bounds.ts"
import { tierTerms, toolPrices, unitPrices } from "../../../../domain/ModelRules.ts"
import { IMAGE_TOKENS_MAX_DEFAULT, modelTerms, type UnpricedTerms } from "../../../../domain/ModelTerms.ts"
import { type PriceTier, type UnitPrices, withExtras } from "../../../../domain/Price.ts"
import type { Problems } from "../../Answer.ts"
import { type PageContext, sayOf } from "../../PageContext.ts"
import { shownTerms } from "../Terms.tsx"

export const modelTermsOf = (context: PageContext) => {
  const say = sayOf(context, "modelTerm")
  const models = sayOf(context, "adminModels")
  const { count } = context.formats
  const max = count(TOKENS_MAX)
  const imageTokens = count(IMAGE_TOKENS_MAX_DEFAULT)
  return shownTerms(context, modelTerms, {
    contextTokens: { label: say("context"), hint: say("context.hint"), unset: say("unknown") },
    maxOutputTokens: { label: say("output"), hint: say("output.hint"), problem: models("limit.problem", { max }) },
    defaultOutputTokens: {
      label: say("default"),
      hint: say("default.hint"),
      unset: say("default.unset"),
      problem: models("default.problem", { max })
    },
    inputOverheadTokens: { label: say("overhead"), hint: say("overhead.hint") },
    imageTokensMax: { label: say("image"), hint: say("image.hint", { count: imageTokens }), unset: imageTokens },
    tokenizerMarginMicros: { label: say("margin"), hint: say("margin.hint") },
    outputTokensPerSecond: { label: say("speed"), hint: say("speed.hint") },
    reasoning: { label: say("reasoning"), hint: say("reasoning.hint") },
    hostedTools: {
      label: say("hosted"),
      hint: say("hosted.hint"),
      options: { drop: say("hosted.drop"), refuse: say("hosted.refuse"), price: say("hosted.price") },
      problem: models("hosted.problem")
    },
    toolCallsMax: { label: say("calls"), hint: say("calls.hint") }
  })
}

/** The prices of any length, of a tier, and of tools. */
export const pricesOf = (context: PageContext) => {
  const say = sayOf(context, "adminModels")
  const labels = {
    inputMicrosPer1m: { label: say("input"), hint: say("price.hint") },
    outputMicrosPer1m: { label: say("output"), hint: say("price.hint") },
    cachedInputMicrosPer1m: { label: say("cachedInput"), hint: say("cached.hint") },
    cacheWriteMicrosPer1m: { label: say("cacheWrite"), hint: say("write.hint") }
  }
  const short = Record.map(labels, ({ label }) => ({ label }))
  return {
    unit: shownTerms(context, unitPrices, labels),
    tier: shownTerms(context, tierTerms, { aboveInputTokens: { label: say("tiers.above") }, ...short }),
    tool: shownTerms(context, toolPrices, {
      webSearchMicros: { label: say("web_search"), hint: say("tool.hint") },
      fileSearchMicros: { label: say("file_search"), hint: say("tool.hint") }
    })
  }
}

/** Empty rows of tiers after those that are filled in. */
const ROWS_EMPTY = 2

/** What the names of a row's fields begin with. */
export const rowPrefix = (row: number): string => `tier_${row}_`

const rows: ReadonlyArray<number> = Array.from({ length: PRICE_TIERS_MAX }, (_, row) => row)

/** The input without which a form does not ask for tiers. */
const ABOVE = tierTerms.inputOf("aboveInputTokens")

const inputs = tierTerms.names.map(tierTerms.inputOf)

/** The inputs of one row, without the prefix. */
const rowIn = (fields: URLSearchParams, row: number): URLSearchParams =>
  new URLSearchParams(inputs.flatMap((name) => {
    const text = fields.get(`${rowPrefix(row)}${name}`)
    return text === null ? [] : [[name, text]]
  }))

const isFilled = (fields: URLSearchParams) => (row: number): boolean =>
  [...rowIn(fields, row).values()].some((text) => text.trim() !== "")

/** The rows that a form shows. */
export const rowsShown = (fields: URLSearchParams): ReadonlyArray<number> =>
  rows.slice(0, (rows.findLast(isFilled(fields)) ?? -1) + 1 + ROWS_EMPTY)

const noTools = { webSearchMicros: null, fileSearchMicros: null }

/** Amounts are always read, in bounds or not. Cached input without a price costs what other input costs; then only that may be wrong. */
const readPrices = (fields: URLSearchParams): UnitPrices => {
  const prices = Result.getOrThrow(unitPrices.readForm(fields))
  const { cachedInputMicrosPer1m: cached, inputMicrosPer1m: input } = prices
  return { ...prices, cachedInputMicrosPer1m: cached ?? (isPrice(input) ? input : 0n) }
}

const readTier = (fields: URLSearchParams): PriceTier => ({
  ...Result.getOrThrow(tierTerms.readForm(fields)),
  ...readPrices(fields)
})

/** Says what is wrong beside each field. */
export const modelProblems = (context: PageContext, wrong: ReadonlyArray<string>): Problems => {
  const say = sayOf(context, "adminModels")
  const { tool, unit } = pricesOf(context)
  return {
    ...wrong.includes("id") ? { id: say("id.problem") } : {},
    ...unit.problems(wrong),
    ...wrong.includes("price_tiers") ? { price_tiers: say("tiers.problem", { count: PRICE_TIERS_MAX }) } : {},
    ...modelTermsOf(context).problems(wrong),
    ...tool.problems(wrong)
  }
}

/** The terms that the form asks for, or what is wrong with it. What was not sent is `kept`'s. */
export const readModelForm = (
  context: PageContext,
  fields: URLSearchParams,
  kept: UnpricedTerms & Partial<ModelTerms> = defaultTerms
): Result.Result<ModelTerms, Problems> => {
  const terms = modelTerms.readForm(fields, kept)
  if (Result.isFailure(terms)) return Result.fail(modelProblems(context, terms.failure))
  const { tiers: keptTiers = [], tools = noTools } = kept.price ?? {}
  const filled = rows.filter(isFilled(fields)).map((row) => ({ row, tier: readTier(rowIn(fields, row)) }))
  const areSent = rows.some((row) => rowIn(fields, row).has(ABOVE))
  const model: ModelTerms = {
    ...terms.success,
    price: {
      ...readPrices(fields),
      ...withExtras(
        areSent ? filled.map(({ tier }) => tier) : keptTiers,
        Result.getOrThrow(toolPrices.readForm(fields, tools))
      )
    }
  }
  const shown = pricesOf(context).tier
  const cells = Object.fromEntries(
    filled.flatMap(({ row, tier }) => Object.entries(shown.problems(tierTerms.wrong(tier), rowPrefix(row))))
  )
  // What is said beside a cell is not said of all tiers once more.
  const isCellWrong = Object.keys(cells).length > 0
  const wrong = wrongFieldsOf(model).filter((field) => field !== "price_tiers" || !isCellWrong)
  return wrong.length === 0 && !isCellWrong
    ? Result.succeed(model)
    : Result.fail({ ...modelProblems(context, wrong), ...cells })
}

/** A model's terms as its form has them. */
export const formOf = ({ price, ...terms }: ModelTerms): URLSearchParams =>
  new URLSearchParams([
    ...unitPrices.toForm(price),
    ...toolPrices.toForm(price.tools ?? noTools),
    ...(price.tiers ?? []).flatMap((tier, row) =>
      tierTerms.toForm(tier).map(([input, text]): [string, string] => [`${rowPrefix(row)}${input}`, text])
    ),
    ...modelTerms.toForm(terms)
  ])
