/**
 * The terms of a model as a form has them, and what a form asks for. Each price tier is a row of inputs, of which an empty one is no
 * tier; without scripts there are always a few empty rows, and further ones come with the next save.
 */
import { Result } from "effect"
import { PRICE_TIERS_MAX } from "../domain/Bounds.ts"
import { tierTerms, toolPrices, unitPrices } from "../domain/ModelRules.ts"
import { modelTerms, type UnpricedTerms } from "../domain/ModelTerms.ts"
import { type PriceTier, type UnitPrices, withExtras } from "../domain/Price.ts"
import { defaultTerms, isPrice, type ModelTerms, wrongFieldsOf } from "./ModelTerms.ts"

/** Empty rows of tiers after those that are filled in. */
const ROWS_EMPTY = 2

/** What the names of a row's inputs begin with. */
export const rowPrefix = (row: number): string => `tier_${row}_`

const rows: ReadonlyArray<number> = Array.from({ length: PRICE_TIERS_MAX }, (_, row) => row)

/** The input without which a form does not ask for tiers. */
const ABOVE = tierTerms.inputOf("aboveInputTokens")

const inputs = tierTerms.names.map(tierTerms.inputOf)

/** The inputs of one row, without the prefix. */
const rowIn = (form: URLSearchParams, row: number): URLSearchParams =>
  new URLSearchParams(inputs.flatMap((name) => {
    const text = form.get(`${rowPrefix(row)}${name}`)
    return text === null ? [] : [[name, text]]
  }))

const isFilled = (form: URLSearchParams) => (row: number): boolean =>
  [...rowIn(form, row).values()].some((text) => text.trim() !== "")

/** The rows that a form shows. */
export const rowsShown = (form: URLSearchParams): ReadonlyArray<number> =>
  rows.slice(0, (rows.findLast(isFilled(form)) ?? -1) + 1 + ROWS_EMPTY)

const noTools = { webSearchMicros: null, fileSearchMicros: null }

/** A model's terms as its form has them. */
export const toModelForm = ({ price, ...terms }: ModelTerms): URLSearchParams =>
  new URLSearchParams([
    ...unitPrices.toForm(price),
    ...toolPrices.toForm(price.tools ?? noTools),
    ...(price.tiers ?? []).flatMap((tier, row) =>
      tierTerms.toForm(tier).map(([input, text]): [string, string] => [`${rowPrefix(row)}${input}`, text])
    ),
    ...modelTerms.toForm(terms)
  ])

/** Amounts are always read, in bounds or not. Cached input without a price costs what other input costs; then only that may be wrong. */
const readPrices = (form: URLSearchParams): UnitPrices => {
  const prices = Result.getOrThrow(unitPrices.readForm(form))
  const { cachedInputMicrosPer1m: cached, inputMicrosPer1m: input } = prices
  return { ...prices, cachedInputMicrosPer1m: cached ?? (isPrice(input) ? input : 0n) }
}

const readTier = (form: URLSearchParams): PriceTier => ({
  ...Result.getOrThrow(tierTerms.readForm(form)),
  ...readPrices(form)
})

/** What is wrong with a form: fields of the model, and fields of single tiers by their row. */
export interface WrongModelForm {
  readonly fields: ReadonlyArray<string>
  readonly tiers: ReadonlyArray<{ readonly row: number; readonly fields: ReadonlyArray<keyof PriceTier> }>
}

/** The terms that a form asks for. What was not sent is `kept`'s. */
export const readModelForm = (
  form: URLSearchParams,
  kept: UnpricedTerms & Partial<ModelTerms> = defaultTerms
): Result.Result<ModelTerms, WrongModelForm> => {
  const terms = modelTerms.readForm(form, kept)
  if (Result.isFailure(terms)) return Result.fail({ fields: terms.failure, tiers: [] })
  const { tiers: keptTiers = [], tools = noTools } = kept.price ?? {}
  const filled = rows.filter(isFilled(form)).map((row) => ({ row, tier: readTier(rowIn(form, row)) }))
  const areSent = rows.some((row) => rowIn(form, row).has(ABOVE))
  const model: ModelTerms = {
    ...terms.success,
    price: {
      ...readPrices(form),
      ...withExtras(
        areSent ? filled.map(({ tier }) => tier) : keptTiers,
        Result.getOrThrow(toolPrices.readForm(form, tools))
      )
    }
  }
  const tiers = filled.map(({ row, tier }) => ({ row, fields: tierTerms.wrong(tier) })).filter(({ fields }) =>
    fields.length > 0
  )
  // A problem that is shown beside the input of its tier is not shown again for all tiers.
  const fields = wrongFieldsOf(model).filter((field) => field !== "price_tiers" || tiers.length === 0)
  return fields.length === 0 && tiers.length === 0 ? Result.succeed(model) : Result.fail({ fields, tiers })
}
