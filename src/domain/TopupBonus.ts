/**
 * What is given on top of a top-up from some amount on, as the settings have it: `100.00: 5 percent`.
 */
import { FEN_SCALE, formatCny, formatDecimal, parseDecimal } from "./Money.ts"

export interface TopupBonus {
  /** The smallest amount that it is given for. */
  readonly fromFen: bigint
  /** Hundredths of a percent of the credit. */
  readonly basisPoints: bigint
}

/** The whole of a credit in hundredths of a percent: the largest bonus, too. */
export const BASIS_POINTS = 10_000n

/** Decimals of a percentage in basis points. */
const PERCENT_SCALE = 2

/** Undefined for what is no such text: an amount in CNY above zero, and a percentage above 0 and up to 100. */
export const readTopupBonus = (text: string): TopupBonus | undefined => {
  const [, from = "", percent = ""] = /^([\d.]+)\s*:\s*([\d.]+)\s*(?:%|percent)?$/i.exec(text.trim()) ?? []
  const fromFen = parseDecimal(from, FEN_SCALE)
  const basisPoints = parseDecimal(percent, PERCENT_SCALE)
  if (fromFen === undefined || fromFen <= 0n || basisPoints === undefined) return undefined
  return basisPoints > 0n && basisPoints <= BASIS_POINTS ? { fromFen, basisPoints } : undefined
}

/** Its share of the credit in percent, such as `5` or `2.5`. */
export const percentOf = ({ basisPoints }: TopupBonus): string => formatDecimal(basisPoints, { scale: PERCENT_SCALE })

export const printTopupBonus = (bonus: TopupBonus): string => `${formatCny(bonus.fromFen)}: ${percentOf(bonus)} percent`

/** The bonus of an amount: that of the highest step which it reaches; undefined where it reaches none. */
export const bonusFor = (amountFen: bigint, bonuses: ReadonlyArray<TopupBonus>): TopupBonus | undefined =>
  bonuses.reduce<TopupBonus | undefined>(
    (best, bonus) => bonus.fromFen <= amountFen && (best === undefined || bonus.fromFen > best.fromFen) ? bonus : best,
    undefined
  )
