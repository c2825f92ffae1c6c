/**
 * Price tiers in the form of a model: a row of fields for each, of which an empty one is no tier. Without scripts there are
 * always a few empty rows; further ones come with the next save.
 */
import { isPrice, isTierStart } from "../../../../catalog/ModelTerms.ts"
import { PRICE_TIERS_MAX } from "../../../../domain/Bounds.ts"
import { formatUsd, MICROS_SCALE, parseDecimal } from "../../../../domain/Money.ts"
import type { PriceTier } from "../../../../domain/Price.ts"

export const tierCells = ["above", "input", "output", "cached_input", "cache_write"] as const
export type TierCell = typeof tierCells[number]

/** Empty rows after those that are filled in. */
const ROWS_EMPTY = 2

export const cellName = (row: number, cell: TierCell): string => `tier_${row}_${cell}`

const rows: ReadonlyArray<number> = Array.from({ length: PRICE_TIERS_MAX }, (_, row) => row)

const textAt = (fields: URLSearchParams, row: number, cell: TierCell): string =>
  (fields.get(cellName(row, cell)) ?? "").trim()

const isFilled = (fields: URLSearchParams) => (row: number): boolean =>
  tierCells.some((cell) => textAt(fields, row, cell) !== "")

/** The rows that a form shows. */
export const rowsShown = (fields: URLSearchParams): ReadonlyArray<number> =>
  rows.slice(0, (rows.findLast(isFilled(fields)) ?? -1) + 1 + ROWS_EMPTY)

const priceOf = (text: string): bigint | undefined => {
  const price = parseDecimal(text, MICROS_SCALE)
  return price !== undefined && isPrice(price) ? price : undefined
}

export interface TiersRead {
  readonly tiers: ReadonlyArray<PriceTier>
  /** Names of fields that are wrong by themselves. */
  readonly wrong: ReadonlyArray<string>
}

const readRow = (fields: URLSearchParams, row: number): TiersRead => {
  const text = (cell: TierCell) => textAt(fields, row, cell)
  const above = /^\d{1,12}$/.test(text("above")) ? Number(text("above")) : Number.NaN
  const input = priceOf(text("input"))
  const output = priceOf(text("output"))
  // Where it is as input, only input is wrong.
  const cached = text("cached_input") === "" ? input ?? 0n : priceOf(text("cached_input"))
  const write = text("cache_write") === "" ? null : priceOf(text("cache_write"))
  if (
    isTierStart(above) && input !== undefined && output !== undefined && cached !== undefined && write !== undefined
  ) {
    const tier = {
      aboveInputTokens: above,
      inputMicrosPer1m: input,
      cachedInputMicrosPer1m: cached,
      cacheWriteMicrosPer1m: write,
      outputMicrosPer1m: output
    }
    return { tiers: [tier], wrong: [] }
  }
  const checks: ReadonlyArray<readonly [TierCell, boolean]> = [
    ["above", isTierStart(above)],
    ["input", input !== undefined],
    ["output", output !== undefined],
    ["cached_input", cached !== undefined],
    ["cache_write", write !== undefined]
  ]
  return { tiers: [], wrong: checks.flatMap(([cell, isFine]) => isFine ? [] : [cellName(row, cell)]) }
}

/** Undefined: the form has no fields of tiers. */
export const readTiers = (fields: URLSearchParams): TiersRead | undefined => {
  if (!rows.some((row) => fields.has(cellName(row, "above")))) return undefined
  const read = rows.filter(isFilled(fields)).map((row) => readRow(fields, row))
  return { tiers: read.flatMap(({ tiers }) => tiers), wrong: read.flatMap(({ wrong }) => wrong) }
}

export const tierEntries = (tiers: ReadonlyArray<PriceTier>): ReadonlyArray<readonly [string, string]> =>
  tiers.flatMap((tier, row) => {
    const texts: Readonly<Record<TierCell, string>> = {
      above: tier.aboveInputTokens.toString(),
      input: formatUsd(tier.inputMicrosPer1m),
      output: formatUsd(tier.outputMicrosPer1m),
      cached_input: formatUsd(tier.cachedInputMicrosPer1m),
      cache_write: tier.cacheWriteMicrosPer1m === null ? "" : formatUsd(tier.cacheWriteMicrosPer1m)
    }
    return tierCells.map((cell) => [cellName(row, cell), texts[cell]] as const)
  })
